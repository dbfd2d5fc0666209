import type { FindingCode } from "./finding-codes.js";
import type { FindingType } from "./finding-types.js";

/** The only way to name an object: `Kind/namespace/name` (`IngressClass//nginx` when cluster-scoped). */
export type Ref = `${string}/${string}/${string}`;

/** Joined, not concatenated: keys are kept by the ten thousand, and a rope takes three times the memory of its text. */
export const refOf = (kind: string, namespace: string, name: string): Ref =>
  [kind, namespace, name].join("/") as Ref;

export const kindOf = (ref: Ref): string => ref.slice(0, ref.indexOf("/"));

export const namespaceOf = (ref: Ref): string => ref.split("/", 2)[1] ?? "";

/** The ref under which one of several clusters' objects is kept beside others of its name; `@` is in no name. */
export const inCluster = (ref: Ref, cluster: string): Ref => `${ref}@${cluster}` as Ref;

/** Whether a ref is one that `inCluster` made. */
export const isOfMember = (ref: Ref): boolean => ref.includes("@");

/** Kinds of which every cluster has its own, whatever their names: they tell of its pods. */
export const isEndpointKind = (kind: string): boolean => kind === "EndpointSlice" || kind === "Endpoints";

/** Whether an object is kept only for the case that another cluster's of its name goes. */
export const isShadowed = ({ kind, ref, meta }: { kind: string; ref: Ref; meta: ObjectMeta }): boolean =>
  meta.cluster !== undefined && !isEndpointKind(kind) && ref.endsWith(`@${meta.cluster}`);

export interface ObjectMeta {
  readonly name: string;
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  /** `metadata.generation`, 0 when absent. */
  readonly generation: number;
  /** `metadata.creationTimestamp` as written, empty when absent. */
  readonly created: string;
  /** Only annotations that some reader knows are kept. */
  readonly annotations: Readonly<Record<string, string>>;
  /** Where it was read, when several clusters are. */
  readonly cluster?: string;
  /** The object stands for one that was not read: its content says nothing about that one. */
  readonly assumed?: true;
}

/** One parsed object. `spec` holds known fields only, in Kubernetes's own names. */
export interface ObjectOf<K extends string, S> {
  readonly kind: K;
  readonly ref: Ref;
  readonly meta: ObjectMeta;
  readonly spec: S;
}

export type Severity = "error" | "warning";

/**
 * What is wrong (or useless) about one object. `type` and `reason` are Contour's own
 * (an HTTPProxy condition's error type and reason), e.g. `TLSError` / `SecretNotValid`.
 */
export interface Finding {
  readonly about: Ref;
  readonly severity: Severity;
  readonly type: FindingType;
  readonly reason: FindingCode;
  readonly message: string;
  /** Field path inside the object, e.g. `spec.routes[0].services[1].port`. */
  readonly path?: string;
  /** The finding holds only before and after these times (ms since the epoch): compilation knows no clock. */
  readonly unlessBetween?: readonly [from: number, until: number];
}

/** Findings by the objects that they are about, each list in the order of the whole. */
export function byObject(findings: Iterable<Finding>): Map<Ref, Finding[]> {
  const found = new Map<Ref, Finding[]>();
  for (const finding of findings) {
    const same = found.get(finding.about);
    if (same) same.push(finding);
    else found.set(finding.about, [finding]);
  }
  return found;
}

/** When the next of these findings begins or ends to hold, in ms since the epoch; undefined where none does. */
export function nextBoundary(now: number, findings: Iterable<Finding>): number | undefined {
  let next: number | undefined;
  // A finding holds again one millisecond after the end.
  for (const { unlessBetween: [from, until] = [] } of findings)
    for (const at of [from, until === undefined ? undefined : until + 1])
      if (at !== undefined && at > now && (next === undefined || at < next)) next = at;
  return next;
}

/** The findings that hold at a time. */
export function* findingsAt(now: number, findings: Iterable<Finding>): Iterable<Finding> {
  for (const finding of findings) {
    const { unlessBetween, ...shown } = finding;
    if (!unlessBetween) yield finding;
    else if (now < unlessBetween[0] || now > unlessBetween[1]) yield shown;
  }
}
