import type { FindingCode } from "./finding-codes.js";
import type { FindingType } from "./finding-types.js";

/** The identity of an object: `Kind/namespace/name` (`IngressClass//nginx` when cluster-scoped). */
export type Ref = `${string}/${string}/${string}`;

/**
 * Uses `join`, not concatenation: stores keep ten thousands of refs, and a rope takes three times the memory of its
 * text.
 */
export const refOf = (kind: string, namespace: string, name: string): Ref =>
  [kind, namespace, name].join("/") as Ref;

export const kindOf = (ref: Ref): string => ref.slice(0, ref.indexOf("/"));

export const namespaceOf = (ref: Ref): string => ref.split("/", 2)[1] ?? "";

/**
 * The ref of an object of one of several Kubernetes clusters, distinct from the same object of the others. No name
 * contains `@`.
 */
export const inCluster = (ref: Ref, cluster: string): Ref => `${ref}@${cluster}` as Ref;

/** Whether `inCluster` made the ref. */
export const isOfMember = (ref: Ref): boolean => ref.includes("@");

/** Whether objects of the kind list endpoints: every Kubernetes cluster has its own, also under equal names. */
export const isEndpointKind = (kind: string): boolean => kind === "EndpointSlice" || kind === "Endpoints";

/** Whether an object is kept only in case the same object of another Kubernetes cluster is deleted. */
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
  /** Only annotations that Isoline reads. */
  readonly annotations: Readonly<Record<string, string>>;
  /** The Kubernetes cluster of the object, when several are followed. */
  readonly cluster?: string;
  /** The object is a placeholder for one that was not read; its content is not the real one. */
  readonly assumed?: true;
}

/** One parsed object. `spec` contains known fields only, with Kubernetes's names. */
export interface ObjectOf<K extends string, S> {
  readonly kind: K;
  readonly ref: Ref;
  readonly meta: ObjectMeta;
  readonly spec: S;
}

export type Severity = "error" | "warning";

/**
 * An error or warning about one object. Where Contour reports the same problem, `type` and `reason` are the error type
 * and reason of its HTTPProxy condition, e.g. `TLSError` / `SecretNotValid`.
 */
export interface Finding {
  readonly about: Ref;
  readonly severity: Severity;
  readonly type: FindingType;
  readonly reason: FindingCode;
  readonly message: string;
  /** Field path inside the object, e.g. `spec.routes[0].services[1].port`. */
  readonly path?: string;
  /** The finding applies only before `from` and after `until` (ms since the epoch): compilation has no clock. */
  readonly unlessBetween?: readonly [from: number, until: number];
}

/** Findings grouped by their object, each list in input order. */
export function byObject(findings: Iterable<Finding>): Map<Ref, Finding[]> {
  const found = new Map<Ref, Finding[]>();
  for (const finding of findings) {
    const same = found.get(finding.about);
    if (same) same.push(finding);
    else found.set(finding.about, [finding]);
  }
  return found;
}

/** The next time at which one of the findings starts or stops to apply, in ms since the epoch; undefined without one. */
export function nextBoundary(now: number, findings: Iterable<Finding>): number | undefined {
  let next: number | undefined;
  // A finding applies again one millisecond after `until`.
  for (const { unlessBetween: [from, until] = [] } of findings)
    for (const at of [from, until === undefined ? undefined : until + 1])
      if (at !== undefined && at > now && (next === undefined || at < next)) next = at;
  return next;
}

/** The findings that apply at a time (ms since the epoch). */
export function* findingsAt(now: number, findings: Iterable<Finding>): Iterable<Finding> {
  for (const finding of findings) {
    const { unlessBetween, ...shown } = finding;
    if (!unlessBetween) yield finding;
    else if (now < unlessBetween[0] || now > unlessBetween[1]) yield shown;
  }
}
