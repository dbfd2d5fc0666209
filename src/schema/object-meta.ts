import { pathText } from "./field-path.js";
import { isForeignRestriction } from "./foreign-annotations.js";
import { isRecord, type SchemaProblem, schemaError, textProblem } from "./issues.js";
import { type ObjectMeta, type Ref, refOf } from "./meta.js";
import { isLabel, isSubdomain } from "./names.js";
import { quote } from "./words.js";

const kept =
  /^(?:projectcontour\.io|contour\.heptio\.com|ingress\.kubernetes\.io|ingressclass\.kubernetes\.io|isoline\.dev)\/|^kubernetes\.io\/ingress/;

/** Shared by the objects without such annotations, which are most. */
const noAnnotations: ObjectMeta["annotations"] = {};

/** An object's metadata. `ref` is absent when the name or namespace is not valid; `about` is always present. */
export interface ParsedMeta {
  readonly meta: ObjectMeta;
  readonly about: Ref;
  readonly ref?: Ref;
  readonly problems: readonly SchemaProblem[];
}

/** Reads `metadata`. An absent namespace is `default`; the namespace of a cluster-scoped kind is empty. */
export function parseMeta(kind: string, input: unknown, clusterScoped: boolean): ParsedMeta {
  const meta = isRecord(input) ? input : {};
  const name = nameProblem(meta.name, kind === "Namespace" ? isLabel : isSubdomain);
  const given = clusterScoped ? undefined : meta.namespace;
  const namespace = given === undefined || given === "" ? undefined : nameProblem(given, isLabel);
  const goodName = name === undefined ? String(meta.name) : "";
  const fallback = clusterScoped ? "" : "default";
  const goodNamespace = namespace === undefined && given ? String(given) : fallback;
  const about = refOf(kind, goodNamespace, goodName);
  const problems: SchemaProblem[] = [];
  const refuse = (problem: string, ...path: string[]): void => {
    const finding = schemaError(about, problem, pathText(["metadata", ...path]));
    problems.push({ finding, missing: path[0] === "name" && meta.name === undefined });
  };
  if (name) refuse(name, "name");
  if (namespace) refuse(namespace, "namespace");

  let annotations = noAnnotations;
  for (const [key, value] of isRecord(meta.annotations) ? Object.entries(meta.annotations) : []) {
    if (!kept.test(key) && !(kind === "Ingress" && isForeignRestriction(key))) continue;
    if (typeof value === "string") annotations = { ...annotations, [key]: value };
    else refuse(textProblem(value), "annotations", key);
  }
  const result: ObjectMeta = {
    name: goodName,
    namespace: goodNamespace,
    generation: Number.isSafeInteger(meta.generation) ? Number(meta.generation) : 0,
    created: typeof meta.creationTimestamp === "string" ? meta.creationTimestamp : "",
    annotations,
  };
  return { meta: result, about, problems, ...(name || namespace ? {} : { ref: about }) };
}

function nameProblem(value: unknown, isValid: (text: string) => boolean): string | undefined {
  if (value === undefined) return "is missing; every object needs a name";
  if (typeof value !== "string") return textProblem(value);
  if (isValid(value)) return undefined;
  return `must be a Kubernetes name (lower-case letters, digits and -), found ${quote(value)}`;
}
