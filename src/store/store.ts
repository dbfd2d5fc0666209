import type { ClaimKey, ReadKey, UnitKey } from "../graph/core/keys.js";
import type { StoreCache } from "../schema/compile-cache.js";
import type { Finding, Ref } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";

/**
 * - `cluster`: JSON of a Cluster without `type`, `eds_cluster_config` and `load_assignment` when `endpoints` is set
 *   (link adds them by endpoint mode); whole when it is not (ExternalName).
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
  /** For `cluster` and `endpoints`: the mode that the Service asks for by annotation. */
  readonly mode?: EndpointMode;
}

export type EndpointMode = "eds" | "inline" | "service";

/** Where the routes of a virtual host come from, in their order. */
export interface TableOrigins {
  /** The `group` of the virtual host. */
  readonly table: string;
  /** As `writeOrigins` writes them. */
  readonly routes: string;
}

/** The output of one unit with everything that it read. */
export interface Compiled {
  readonly unit: UnitKey;
  readonly resources: readonly Resource[];
  /** Of a host: of each route table that it is in. */
  readonly origins?: readonly TableOrigins[];
  readonly findings: readonly Finding[];
  readonly reads: readonly ReadKey[];
}

/** An object with its claims, as it is put into a store. */
export interface ClaimedObject {
  readonly object: KubeObject;
  readonly claims: readonly ClaimKey[];
}

/** What a store holds under an object's name: the same, another one, or none. */
export type Likeness = "same" | "other" | "absent";

/** One pushed content of a source, without the content. */
export interface Revision {
  readonly source: string;
  readonly revision: number;
  /** Milliseconds since the epoch, by the clock of who put it. */
  readonly at: number;
  /** Hash of the text. */
  readonly digest: string;
  /** UTF-16 units of the text and of what is held beside it. */
  readonly size: number;
  /** The name of the token that pushed it; empty where it has none. */
  readonly by: string;
}

/** Why an object that is valid by its fields stays as it was. */
export interface KeptGood {
  /** The revision of the source whose text of the object is served. */
  readonly revision: number;
  /** What is wrong with the text that was pushed. */
  readonly findings: readonly Finding[];
}

/** An object that stayed from before: `kept` is absent where the pushed text of it is not valid by its fields. */
export type HeldObject = KubeObject & { readonly kept?: KeptGood };

/** What a source was made of: the text that was pushed, and the objects that stayed from before. */
export interface RevisionContent {
  readonly text: string;
  readonly held: readonly HeldObject[];
}

/** Why a store can't be used; `code` is the code of a problem (`docs/operations.md`). Nothing in the store was changed. */
export class StoreError extends Error {
  constructor(
    readonly code: "store-too-new" | "store-damaged" | "store-foreign",
    message: string,
  ) {
    super(message);
  }
}

/**
 * Synchronous, single writer. What was pushed is in revisions; all else can be made of them, or read again from the source that is
 * followed.
 */
export interface Store {
  object(ref: Ref): KubeObject | undefined;
  objects(): Iterable<KubeObject>;
  /** For each of the objects what is there under its name: without reading those that are the same. */
  compare(objects: readonly KubeObject[]): readonly Likeness[];
  /** Replaces the object and its claims. */
  putObject(object: KubeObject, claims: readonly ClaimKey[]): void;
  /** Puts objects, each of another name, of which `likeness` says what was there before. */
  putObjects(objects: readonly ClaimedObject[], likeness: readonly Likeness[]): void;
  deleteObject(ref: Ref): void;
  claimsOf(ref: Ref): readonly ClaimKey[];
  /** Claims of any of the objects, in any order, and some more than once. */
  claimsOfAny(refs: readonly Ref[]): Iterable<ClaimKey>;
  /** Refs that claim a key, sorted. */
  claimants(key: ClaimKey): readonly Ref[];
  /** Units that recorded a read of a key. */
  readers(key: ReadKey): readonly UnitKey[];
  /** Units that recorded a read of any of the keys, in any order, and some more than once. */
  readersOfAny(keys: readonly ReadKey[]): Iterable<UnitKey>;
  unit(key: UnitKey): Compiled | undefined;
  units(): Iterable<Compiled>;
  putUnit(unit: Compiled): void;
  deleteUnit(key: UnitKey): void;
  /** Up to `limit` of the units that wait to be compiled, those that wait longest first. */
  pending(limit: number): readonly UnitKey[];
  /** How many units wait. */
  readonly pendingCount: number;
  /** Units that wait already keep their place. */
  addPending(keys: Iterable<UnitKey>): void;
  dropPending(keys: Iterable<UnitKey>): void;
  /** Every resource of a type (and group), sorted by name, each name once. */
  resources(type: ResourceType, group?: string): Iterable<Resource>;
  resource(type: ResourceType, group: string, name: string): Resource | undefined;
  /** Findings of all units, sorted by `about` and unit. */
  findings(): Iterable<Finding>;
  /** A number or text kept across restarts: a source's revision, a kind's resourceVersion. */
  cursor(name: string): string | undefined;
  /** An empty value takes the cursor away. */
  setCursor(name: string, value: string): void;
  /** Sources of which contents are kept. */
  revisionSources(): readonly string[];
  /** What is kept of a source's contents, the newest first. */
  revisions(source: string): readonly Revision[];
  revisionContent(source: string, revision: number): RevisionContent | undefined;
  /** Replaces the revision of that number. */
  putRevision(revision: Omit<Revision, "size">, content: RevisionContent): void;
  /** Gives the content of a revision another number. */
  renumberRevision(revision: Revision, now: Omit<Revision, "size" | "digest">): void;
  dropRevision(source: string, revision: number): void;
  /** Kept in memory alone; another one after a transaction has thrown, as what was found in it may be of objects that are not there. */
  readonly cache: StoreCache;
  /** Runs `work` as one: all of it is kept, or (when it throws) none. */
  transaction<T>(work: () => T): T;
}
