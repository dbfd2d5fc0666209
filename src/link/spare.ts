import { jsonOf, type Linked, type ResourceSet } from "./resource-set.js";

/** Clusters are kept for this time (ms) at most. */
export const spareMs = 300_000;
/** Limits of the clusters that are kept: each takes memory in every Envoy. */
const maxSpare = 64;
const maxSpareBytes = 256 * 1024;

/**
 * What costs or exposes something while a cluster has no route: health checks, DNS requests, certificates and keys.
 * Quotes in texts of users are escaped, so that they never match.
 */
const notSpare =
  /"(?:health_checks|transport_socket|transport_socket_matches|cluster_type)":|"(?:STRICT|LOGICAL)_DNS"/;

const jsonIn = (cluster: Linked | undefined): string => (cluster && jsonOf(cluster)) ?? "";

/**
 * The clusters that no Envoy has a route to any more, but that are served until clusters are sent for another reason:
 * the answer has all clusters, so that a removal alone would send all others again. An Envoy that has them is also
 * ready for routes that come back.
 */
export class SpareClusters {
  /** By name, with the time since which a cluster is kept; the oldest first. */
  readonly #since = new Map<string, number>();
  #bytes = 0;

  has(name: string): boolean {
    return this.#since.has(name);
  }

  /** The time at which the oldest has to be removed; undefined without one. */
  get deadline(): number | undefined {
    for (const at of this.#since.values()) return at + spareMs;
    return undefined;
  }

  /** Keeps clusters that became unnecessary. If one may not be kept, all are dropped: that removal sends the others again. */
  add(names: Iterable<string>, clusters: ResourceSet, now: number): void {
    let isOver = false;
    for (const name of names) {
      const json = jsonIn(clusters.get(name));
      this.#bytes += json.length;
      this.#since.set(name, now);
      if (notSpare.test(json) || this.#since.size > maxSpare || this.#bytes > maxSpareBytes) isOver = true;
    }
    if (isOver) this.drop();
  }

  /**
   * Before `target` is served in place of `served`: forgets the clusters that are used again, and drops the others if
   * clusters will be sent anyway. Returns the names of those that it dropped.
   */
  update(served: ResourceSet, target: ResourceSet): ReadonlySet<string> {
    for (const name of this.#since.keys()) {
      if (!target.has(name)) continue;
      this.#since.delete(name);
      this.#bytes -= jsonIn(served.get(name)).length;
    }
    const names = new Set(this.#since.keys());
    if (served.includes(target)) return new Set();
    this.drop();
    return names;
  }

  drop(): void {
    this.#since.clear();
    this.#bytes = 0;
  }
}
