import { type Finding, inCluster, isEndpointKind, type Ref } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import type { Store } from "../../store/store.js";
import type { Change } from "../../update.js";

/** What the objects of one of several clusters are in a store that they share. */
export interface Member {
  /** Empty for the only one, which needs no name. */
  readonly name: string;
  /** Refs of what the store holds of this cluster, as the cluster has them. */
  known(): Ref[];
  /**
   * A cluster's changes as changes of the store, to be applied in their order. Of objects of
   * one name the first cluster's stands for all and the others' are kept beside it, in case it goes; endpoints are
   * each cluster's own.
   */
  place(changes: readonly Change[]): readonly Change[];
  /** An object as this cluster has it. */
  held(ref: Ref): KubeObject | undefined;
  /** Why this cluster's object of the name is not the one that is used. */
  conflict(ref: Ref): Finding | undefined;
}

/** Clusters that are followed together, the first of them counting most. */
export class Clusters {
  readonly #conflicts = new Map<Ref, Finding>();
  readonly #ranks: ReadonlyMap<string, number>;
  /** What objects become by changes that are collected and not in the store yet. */
  readonly #made = new Map<Ref, KubeObject | undefined>();

  constructor(
    private readonly store: Store,
    names: readonly string[],
  ) {
    this.#ranks = new Map(names.map((name, i) => [name, i]));
    if (!this.#ranks.has("")) for (const object of store.objects()) this.#compare(plain(object));
  }

  get findings(): Finding[] {
    return [...this.#conflicts.values()];
  }

  /**
   * Changes that bring a store in line which was filled when other clusters were followed, or in another order: what is
   * of strangers goes, and the first of the others stands for each name.
   */
  settle(): readonly Change[] {
    return this.#collect(this.#settling());
  }

  *#settling(): Iterable<Change> {
    const byName = new Map<Ref, KubeObject[]>();
    for (const object of this.store.objects()) {
      if (object.kind === "Settings") continue;
      const key = isEndpointKind(object.kind) ? object.ref : plain(object);
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
    const wanted = new Map<Ref, KubeObject>();
    for (const [i, object] of followed.entries()) {
      const { cluster = "" } = object.meta;
      const place = i === 0 ? ref : inCluster(ref, cluster);
      wanted.set(place, object.ref === place ? object : moved(object, cluster, place));
    }
    const gone = objects.flatMap((object) => (wanted.has(object.ref) ? [] : [{ gone: object.ref }]));
    return [...gone, ...wanted.values()];
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

  /** Changes that are made one after the other, each of which sees those before it, though none is in the store yet. */
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
      if (object.kind !== "Settings" && (object.meta.cluster ?? "") === name) refs.push(plain(object));
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
    const substitute = inCluster(ref, name);
    if (this.#object(substitute)) yield { gone: substitute };
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

  /** Brings what is found about the objects of one name up to date. */
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

/** The name that an object has in its own cluster. */
function plain({ ref, meta }: KubeObject): Ref {
  const end = `@${meta.cluster}`;
  return meta.cluster !== undefined && ref.endsWith(end) ? (ref.slice(0, -end.length) as Ref) : ref;
}

/** What has to be the same of objects that stand for each other; addresses of a cluster's own network need not be. */
function contentOf(object: KubeObject): string {
  const { annotations } = object.meta;
  switch (object.kind) {
    // Each cluster labels its own.
    case "Namespace":
      return "";
    case "Service": {
      const { type, externalName, ports = [] } = object.spec;
      const kept = ports.map((port) => [port.name, port.port, port.protocol, port.appProtocol]);
      return JSON.stringify([type, externalName, kept, annotations]);
    }
    // Each cluster puts its own API server's into every namespace.
    case "ConfigMap":
      return object.meta.name === "kube-root-ca.crt" ? "" : JSON.stringify(object.spec);
    default:
      return JSON.stringify([object.spec, annotations]);
  }
}

const looked: ReadonlySet<string> = new Set(["Service", "Secret", "ConfigMap", "IngressClass"]);

function conflict(about: Ref, name: string, holder: KubeObject): Finding {
  const winner = holder.meta.cluster;
  return {
    about,
    severity: looked.has(holder.kind) ? "warning" : "error",
    type: "ClusterError",
    reason: "ClusterConflict",
    message: `cluster "${name}" has another ${holder.kind} of this name than cluster "${winner}", whose is used; make them the same or give one another name`,
  };
}
