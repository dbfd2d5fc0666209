import type { ResourceSet } from "./resource-set.js";
import type { Served } from "./served.js";
import type { Snapshot, XdsType } from "./snapshot.js";
import { SpareClusters } from "./spare.js";

/** The types whose unused resources are served for some time beside the new ones. */
const kept = ["clusters", "endpoints", "secrets", "scoped-routes"] as const;

/** Whether resources of a type are served for spare clusters. */
const hasSpare = (type: XdsType): boolean => type === "clusters" || type === "endpoints";

type AllServed = Readonly<Record<XdsType, Served>>;

/** The resources that are served although the newest snapshot does not use them. */
export class UnusedResources {
  /** The names that Envoys may still use, by type, with the time since which they are unused; the oldest first. */
  readonly #since = new Map(kept.map((type) => [type, new Map<string, number>()] as const));
  readonly #spare = new SpareClusters();

  /** The earliest time since which a resource is unused; undefined without one that Envoys may still use. */
  get oldest(): number | undefined {
    let oldest: number | undefined;
    for (const unused of this.#since.values())
      for (const at of unused.values()) {
        oldest = Math.min(oldest ?? at, at);
        break;
      }
    return oldest;
  }

  /** The time at which spare clusters have to be removed; undefined without any. */
  get spareUntil(): number | undefined {
    return this.#spare.deadline;
  }

  /** Notes which served resources a new snapshot does not use. */
  note(served: AllServed, target: Snapshot["sets"], now: number): void {
    const dropped = this.#spare.update(served.clusters.set, target.clusters);
    for (const [type, unused] of this.#since) {
      const isSpare = (name: string): boolean =>
        hasSpare(type) && (dropped.has(name) || this.#spare.has(name));
      for (const name of unused.keys()) if (target[type].has(name)) unused.delete(name);
      for (const name of served[type].set.namesNotIn(target[type]))
        if (!unused.has(name) && !isSpare(name)) unused.set(name, now);
    }
  }

  /** Forgets what is unused since `before`, which no Envoy needs any more. Its clusters may become spare. */
  release(clusters: ResourceSet, before: number, now: number): void {
    if ((this.spareUntil ?? Number.POSITIVE_INFINITY) <= now) this.#spare.drop();
    const released: string[] = [];
    for (const [type, unused] of this.#since)
      for (const [name, at] of unused) {
        if (at > before) continue;
        unused.delete(name);
        if (type === "clusters") released.push(name);
      }
    this.#spare.add(released, clusters, now);
  }

  /** The sets to serve: the resources of the snapshot, and those that this object names. */
  mergedWith(served: AllServed, target: Snapshot["sets"]): Partial<Record<XdsType, ResourceSet>> {
    const sets: Partial<Record<XdsType, ResourceSet>> = {};
    for (const [type, unused] of this.#since) {
      const keeps = (name: string): boolean => unused.has(name) || (hasSpare(type) && this.#spare.has(name));
      sets[type] = served[type].set.mergedWith(target[type], keeps);
    }
    return sets;
  }
}
