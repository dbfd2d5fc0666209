import { readParameters } from "../../../schema/gateway-parameters.js";
import type { ObjectByKind, Reader } from "../../core/reader.js";

type Gateway = ObjectByKind<"Gateway">;
type GatewayClass = ObjectByKind<"GatewayClass">;

/** Why `parametersRef` of a GatewayClass can't be used; undefined if it can, or if the class has none. */
export function classParametersProblem(
  { spec: { parametersRef: ref } }: GatewayClass,
  reader: Reader,
): string | undefined {
  if (!ref) return undefined;
  return ref.namespace
    ? problemOf({ ...ref, namespace: ref.namespace }, reader)
    : "parametersRef: the namespace of the ConfigMap is missing";
}

/** The same for `spec.infrastructure.parametersRef` of a Gateway. */
export function parametersProblem({ meta, spec }: Gateway, reader: Reader): string | undefined {
  const ref = spec.infrastructure?.parametersRef;
  return ref && problemOf({ ...ref, namespace: meta.namespace }, reader);
}

function problemOf(
  { group, kind, namespace, name }: Record<"group" | "kind" | "namespace" | "name", string>,
  reader: Reader,
): string | undefined {
  if (group !== "" || kind !== "ConfigMap")
    return `parametersRef: kind ${group || "core"}/${kind} is not supported, use a ConfigMap`;
  const found = reader.get("ConfigMap", namespace, name);
  if (!found) return `parametersRef: ConfigMap ${namespace}/${name} is not there`;
  const read = readParameters(found.spec.data);
  return "problem" in read ? `parametersRef: ConfigMap ${namespace}/${name}: ${read.problem}` : undefined;
}
