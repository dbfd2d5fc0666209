import type { ClaimKey, ReadKey, UnitKey } from "../graph/core/keys.js";
import type { StoreCache } from "../schema/compile-cache.js";
import type { Finding, Ref } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";

/**
 * - `cluster`: JSON of a Cluster. With `endpoints`, it lacks `type`, `eds_cluster_config` and `load_assignment`, which link
 *   adds by endpoint mode; without (ExternalName), it is complete.
 * - `endpoints`: JSON array of LocalityLbEndpoints.
 * - `virtual-host`: JSON of a VirtualHost; `group` is the RouteConfiguration.
 * - `route-configuration`: JSON of a RouteConfiguration without `name` and `virtual_hosts` (`ingress_http`, `ingress_https`).
 * - `filter-chain`: JSON of a FilterChain without `filter_chain_match`; `group` is the listener, `name` the server name: `*` for
 *   all that no other chain has, `.fallback` for these where there is no `*`, empty for a listener without TLS.
 *   Chains of equal JSON are joined at link into one with several server names.
 * - `secret`: JSON of a Secret.
 * - `listener`: JSON of a Listener. With `group` `http` it is left out when its route table has no hosts, with `chains` it has no
 *   `filter_chains`: link adds those of its own group.
 *
 * In `filter-chain` and `listener`, connection managers have a hole for what finds their routes (`xds/routes-hole.ts`).
 */
export type ResourceType =
  | "cluster"
  | "endpoints"
  | "route-configuration"
  | "virtual-host"
  | "filter-chain"
  | "secret"
  | "listener";

/** A fragment of Envoy configuration. Two units that emit the same type, group and name emit the same JSON. */
export interface Resource {
  readonly type: ResourceType;
  readonly group: string;
  readonly name: string;
  readonly json: string;
  /** For `cluster`: the name of its `endpoints` resource. */
  readonly endpoints?: string;
  /** For `cluster` and `endpoints`: the mode in the annotation of the Service. */
  readonly mode?: EndpointMode;
}

export type EndpointMode = "eds" | "inline" | "service";

/** The origins of the routes of a virtual host, in the order of the routes. */
export interface TableOrigins {
  /** The `group` of the virtual host. */
  readonly table: string;
  /** In the format of `writeOrigins`. */
  readonly routes: string;
}

/** The output of one unit and its reads. */
export interface Compiled {
  readonly unit: UnitKey;
  readonly resources: readonly Resource[];
  /** For a host: one entry for each of its route tables. */
  readonly origins?: readonly TableOrigins[];
  readonly findings: readonly Finding[];
  readonly reads: readonly ReadKey[];
}

/** An object with its claims, to put into a store. */
export interface ClaimedObject {
  readonly object: KubeObject;
  readonly claims: readonly ClaimKey[];
}

/** Whether the store has an equal object under a ref (`same`), a different one (`other`), or none (`absent`). */
export type Likeness = "same" | "other" | "absent";

/** The metadata of one pushed content of a source. */
export interface Revision {
  readonly source: string;
  readonly revision: number;
  /** The time of the push: milliseconds since the epoch, by the server's clock. */
  readonly at: number;
  /** The hash of the text. */
  readonly digest: string;
  /** The total length of the text and of the held objects in UTF-16 units. */
  readonly size: number;
  /** The name of the token of the push; empty for a token without a name. */
  readonly by: string;
}

/** The reason why the previous version of an object is kept, although the fields of the pushed one are valid. */
export interface KeptGood {
  /** The revision that contains the served version of the object. */
  readonly revision: number;
  /** The errors of the pushed version. */
  readonly findings: readonly Finding[];
}

/** A previous version of an object that is kept. `kept` is absent when the fields of the pushed version are not valid. */
export type HeldObject = KubeObject & { readonly kept?: KeptGood };

/** The content of a revision: the pushed text, and the previous versions of objects that are kept. */
export interface RevisionContent {
  readonly text: string;
  readonly held: readonly HeldObject[];
}

/** A store can't be used; it is unchanged. `code` is the code of a problem (`docs/operations.md`). */
export class StoreError extends Error {
  constructor(
    readonly code: "store-too-new" | "store-damaged" | "store-foreign",
    message: string,
  ) {
    super(message);
  }
}

/**
 * A synchronous store with a single writer. Revisions contain the pushed contents. All other data can be compiled from
 * them, or read again from followed sources.
 */
export interface Store {
  object(ref: Ref): KubeObject | undefined;
  objects(): Iterable<KubeObject>;
  /** Compares each object with the stored one of its ref, without reading objects that are equal. */
  compare(objects: readonly KubeObject[]): readonly Likeness[];
  /** Replaces the object and its claims. */
  putObject(object: KubeObject, claims: readonly ClaimKey[]): void;
  /** Puts objects with different refs; `likeness` is the result of `compare` for them. */
  putObjects(objects: readonly ClaimedObject[], likeness: readonly Likeness[]): void;
  deleteObject(ref: Ref): void;
  claimsOf(ref: Ref): readonly ClaimKey[];
  /** The claims of all the objects, in any order, possibly with duplicates. */
  claimsOfAny(refs: readonly Ref[]): Iterable<ClaimKey>;
  /** Refs that claim a key, sorted. */
  claimants(key: ClaimKey): readonly Ref[];
  /** Units that recorded a read of a key. */
  readers(key: ReadKey): readonly UnitKey[];
  /** Units that recorded a read of any of the keys, in any order, possibly with duplicates. */
  readersOfAny(keys: readonly ReadKey[]): Iterable<UnitKey>;
  unit(key: UnitKey): Compiled | undefined;
  units(): Iterable<Compiled>;
  putUnit(unit: Compiled): void;
  deleteUnit(key: UnitKey): void;
  /** Up to `limit` pending units, the longest pending first. */
  pending(limit: number): readonly UnitKey[];
  /** The number of pending units. */
  readonly pendingCount: number;
  /** Adds pending units. A unit that is already pending keeps its place. */
  addPending(keys: Iterable<UnitKey>): void;
  dropPending(keys: Iterable<UnitKey>): void;
  /** Every resource of a type (and group), sorted by name, each name once. */
  resources(type: ResourceType, group?: string): Iterable<Resource>;
  resource(type: ResourceType, group: string, name: string): Resource | undefined;
  /** The units with findings, in any order. */
  unitFindings(): Iterable<Pick<Compiled, "unit" | "findings">>;
  /** Findings of all units, sorted by `about` and unit. */
  findings(): Iterable<Finding>;
  /** A number or text that is kept across restarts: the revision of a source, the resourceVersion of a kind. */
  cursor(name: string): string | undefined;
  /** Sets a cursor. An empty value deletes it. */
  setCursor(name: string, value: string): void;
  /** The sources with revisions. */
  revisionSources(): readonly string[];
  /** The stored revisions of a source, newest first. */
  revisions(source: string): readonly Revision[];
  revisionContent(source: string, revision: number): RevisionContent | undefined;
  /** Adds a revision, or replaces the one with its number. */
  putRevision(revision: Omit<Revision, "size">, content: RevisionContent): void;
  /** Changes the number, time and author of a revision. */
  renumberRevision(revision: Revision, now: Omit<Revision, "size" | "digest">): void;
  dropRevision(source: string, revision: number): void;
  /** A cache in memory. A transaction that throws replaces it, because its entries may come from rolled-back objects. */
  readonly cache: StoreCache;
  /** Runs `work` as one transaction: commits its changes, or undoes all of them when it throws. */
  transaction<T>(work: () => T): T;
}
