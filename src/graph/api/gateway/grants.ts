import { gatewayGroup } from "../../../schema/gateway.js";
import { grantsKey } from "../../core/keys.js";
import { type ObjectByKind, objectsOf, type Reader } from "../../core/reader.js";

/** A reference of an object to another object. */
export interface Reference {
  readonly from: { readonly kind: string; readonly namespace: string };
  readonly to: {
    readonly kind: "Service" | "Secret" | "ConfigMap";
    readonly namespace: string;
    readonly name: string;
  };
}

type Targets = ObjectByKind<"ReferenceGrant">["spec"]["to"];

/** Whether a reference is allowed: within one namespace, or by a ReferenceGrant in the namespace of the target. */
export function isGranted({ from, to }: Reference, reader: Reader): boolean {
  if (from.namespace === to.namespace) return true;
  const key = `${from.kind}/${from.namespace}/${to.namespace}`;
  const targets = reader.unitCache.once(targetsOf, key, from, to.namespace, reader);
  return targets.some(
    ({ group, kind, name }) => group === "" && kind === to.kind && (!name || name === to.name),
  );
}

/** The objects of a namespace that its ReferenceGrants allow an object of another kind and namespace to refer to. */
function targetsOf(from: Reference["from"], namespace: string, reader: Reader): Targets {
  const grants = objectsOf("ReferenceGrant", reader.claimants(grantsKey(namespace)), reader);
  return grants.flatMap(({ spec }) => {
    const isMeant = spec.from.some(
      (one) => one.group === gatewayGroup && one.kind === from.kind && one.namespace === from.namespace,
    );
    return isMeant ? spec.to : [];
  });
}
