import { type Finding, inCluster, isEndpointKind, type Ref } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import type { Store } from "../../store/store.js";
import type { Change } from "../../update.js";

/** The objects of one of several Kubernetes clusters in a store that they share. */
export interface Member {
  /** Empty for a single cluster, which needs no name. */
  readonly name: string;
  /** Refs of the store's objects of this cluster, as they are in the cluster. */
  known(): Ref[];
  /**
   * Translates a cluster's changes to changes of the store, to be applied in order. Where several clusters have an
   * object of one name, the first cluster's object is used; the others are kept as shadowed objects, in case the first
   * one is deleted. Endpoints are kept for each cluster.
   */
  place(changes: readonly Change[]): readonly Change[];
  /** The object as this cluster has it. */
  held(ref: Ref): KubeObject | undefined;
  /** Why another cluster's object of this name is used. */
  conflict(ref: Ref): Finding | undefined;
}

/** Kubernetes clusters that are followed together, in order of precedence. */
export class Clusters {
  readonly #conflicts = new Map<Ref, Finding>();
  readonly #ranks: ReadonlyMap<string, number>;
  /** Objects after changes that are collected but not in the store yet. */
  readonly #made = new Map<Ref, KubeObject | undefined>();

  constructor(
    private readonly store: Store,
    names: readonly string[],
  ) {
    this.#ranks = new Map(names.map((name, i) => [name, i]));
    if (!this.#ranks.has("")) for (const object of store.objects()) this.#compare(ownRef(object));
  }

  get findings(): Finding[] {
    return [...this.#conflicts.values()];
  }

  /**
   * Changes that adapt a store which was filled from other clusters, or in another order: objects of clusters that are
   * no longer followed are deleted, and for each name the object of the first remaining cluster is used.
   */
  settle(): readonly Change[] {
    return this.#collect(this.#settling());
  }

  *#settling(): Iterable<Change> {
    const byName = new Map<Ref, KubeObject[]>();
    for (const object of this.store.objects()) {
      if (object.kind === "Settings") continue;
      const key = isEndpointKind(object.kind) ? object.ref : ownRef(object);
      const same = byName.get(key);
      if (same) same.push(object);
      else byName.set(key, [object]);
    }
    for (const [ref, objects] of byName) {
      yield* this.#settled(ref, objects);
      this.#compare(ref);
    }
  }

  #settled(ref: Ref, objects: readonly KubeObject[]): Change[] {
    const followed = objects.filter(({ meta }) => this.#ranks.has(meta.cluster ?? ""));
    if (objects.length === 1 && followed.length === 1 && objects[0]?.ref === ref) return [];
    followed.sort((a, b) => this.#rank(a.meta.cluster) - this.#rank(b.meta.cluster));
    const placed = new Map<Ref, KubeObject>();
    for (const [i, object] of followed.entries()) {
      const { cluster = "" } = object.meta;
      const place = i === 0 ? ref : inCluster(ref, cluster);
      placed.set(place, object.ref === place ? object : moved(object, cluster, place));
    }
    const gone = objects.flatMap((object) => (placed.has(object.ref) ? [] : [{ gone: object.ref }]));
    return [...gone, ...placed.values()];
  }

  of(name: string): Member {
    const held = (ref: Ref): KubeObject | undefined =>
      this.#isOf(name, ref) ? this.#object(ref) : this.#object(inCluster(ref, name));
    return {
      name,
      known: () => this.#known(name),
      place: (changes) => (name === "" ? changes : this.#collect(this.#place(name, changes))),
      held,
      conflict: (ref) => this.#conflicts.get(inCluster(ref, name)),
    };
  }

  /** Collects changes that depend on each other: each sees the ones before it, although none is in the store yet. */
  #collect(changes: Iterable<Change>): readonly Change[] {
    const collected: Change[] = [];
    try {
      for (const change of changes) {
        collected.push(change);
        if ("gone" in change) this.#made.set(change.gone, undefined);
        else this.#made.set(change.ref, change);
      }
    } finally {
      this.#made.clear();
    }
    return collected;
  }

  #object(ref: Ref): KubeObject | undefined {
    return this.#made.has(ref) ? this.#made.get(ref) : this.store.object(ref);
  }

  #isOf(name: string, ref: Ref): boolean {
    const object = this.#object(ref);
    return object !== undefined && (object.meta.cluster ?? "") === name;
  }

  #known(name: string): Ref[] {
    const refs: Ref[] = [];
    for (const object of this.store.objects())
      if (object.kind !== "Settings" && (object.meta.cluster ?? "") === name) refs.push(ownRef(object));
    return refs;
  }

  *#place(name: string, changes: readonly Change[]): Iterable<Change> {
    for (const change of changes) {
      const ref = "gone" in change ? change.gone : change.ref;
      yield* "gone" in change ? this.#without(name, ref) : this.#with(name, change);
      this.#compare(ref);
    }
  }

  #rank(name: string | undefined): number {
    return this.#ranks.get(name ?? "") ?? Number.POSITIVE_INFINITY;
  }

  *#with(name: string, object: KubeObject): Iterable<Change> {
    const { ref } = object;
    if (isEndpointKind(object.kind)) {
      yield moved(object, name, inCluster(ref, name));
      return;
    }
    const holder = this.#object(ref);
    if (holder && this.#rank(holder.meta.cluster) < this.#rank(name)) {
      yield moved(object, name, inCluster(ref, name));
      return;
    }
    const shadowed = inCluster(ref, name);
    if (this.#object(shadowed)) yield { gone: shadowed };
    const { cluster = "" } = holder?.meta ?? {};
    if (holder && cluster !== name && this.#ranks.has(cluster))
      yield moved(holder, cluster, inCluster(ref, cluster));
    yield moved(object, name, ref);
  }

  *#without(name: string, ref: Ref): Iterable<Change> {
    if (!this.#isOf(name, ref)) {
      yield { gone: inCluster(ref, name) };
      return;
    }
    for (const other of this.#ranks.keys()) {
      const next = this.#object(inCluster(ref, other));
      if (!next) continue;
      yield moved(next, other, ref);
      yield { gone: next.ref };
      return;
    }
    yield { gone: ref };
  }

  /** Updates the findings about the objects of one name. */
  #compare(ref: Ref): void {
    const holder = this.#object(ref);
    for (const name of this.#ranks.keys()) {
      const key = inCluster(ref, name);
      const other = holder && !isEndpointKind(holder.kind) ? this.#object(key) : undefined;
      if (holder && other && contentOf(holder) !== contentOf(other))
        this.#conflicts.set(key, conflict(key, name, holder));
      else this.#conflicts.delete(key);
    }
  }
}

const moved = (object: KubeObject, cluster: string, ref: Ref): KubeObject =>
  ({ ...object, ref, meta: { ...object.meta, cluster } }) as KubeObject;

/** The ref of an object in its own cluster. */
function ownRef({ ref, meta }: KubeObject): Ref {
  const end = `@${meta.cluster}`;
  return meta.cluster !== undefined && ref.endsWith(end) ? (ref.slice(0, -end.length) as Ref) : ref;
}

/** The part of an object that must be the same in all clusters. Addresses in a cluster's own network may differ. */
function contentOf(object: KubeObject): string {
  const { annotations } = object.meta;
  switch (object.kind) {
    // Each cluster sets labels of its own.
    case "Namespace":
      return "";
    case "Service": {
      const { type, externalName, ports = [] } = object.spec;
      const kept = ports.map((port) => [port.name, port.port, port.protocol, port.appProtocol]);
      return JSON.stringify([type, externalName, kept, annotations]);
    }
    // Each cluster puts the CA of its own API server into every namespace.
    case "ConfigMap":
      return object.meta.name === "kube-root-ca.crt" ? "" : JSON.stringify(object.spec);
    default:
      return JSON.stringify([object.spec, annotations]);
  }
}

const dependencies: ReadonlySet<string> = new Set(["Service", "Secret", "ConfigMap", "IngressClass"]);

function conflict(about: Ref, name: string, holder: KubeObject): Finding {
  const winner = holder.meta.cluster;
  return {
    about,
    severity: dependencies.has(holder.kind) ? "warning" : "error",
    type: "ClusterError",
    reason: "ClusterConflict",
    message: `clusters "${name}" and "${winner}" have different ${holder.kind} objects of this name, and the one of "${winner}" is used; make them equal or rename one`,
  };
}
