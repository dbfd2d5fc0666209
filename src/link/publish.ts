import type { Fleet } from "./fleet.js";
import type { ResourceSet } from "./resource-set.js";
import { type Served, selectVersion, serveSet } from "./served.js";
import { type Snapshot, type XdsType, xdsTypes } from "./snapshot.js";

/**
 * A publication goes through up to three phases, so that no Envoy ever routes to a cluster that it does not have:
 * `adding` (clusters old and new, with their endpoints and secrets), `switching` (listeners and routes are new,
 * nothing is removed yet), then `settled` (what is no longer used is gone).
 */
export type Phase = "adding" | "switching" | "settled";

export interface PublicationOptions {
  /** How long a phase waits for Envoys that do not answer. */
  readonly phaseMs: number;
}

/** Serves one snapshot after the other in phases. Pure but for its own state: time comes as an argument. */
export class Publication {
  #served: Readonly<Record<XdsType, Served>> | undefined;
  #target: Snapshot | undefined;
  #phase: Phase = "settled";
  #deadline = 0;
  /** The phase `adding` ends by then, however often it is begun anew. */
  #addedBy = 0;
  /** Names of endpoints that are served since the phase `adding` began. */
  #addedEndpoints: readonly string[] = [];
  #sequence = 0;

  constructor(
    private readonly fleet: Fleet,
    private readonly options: PublicationOptions = { phaseMs: 2000 },
  ) {}

  get phase(): Phase {
    return this.#phase;
  }

  /** Undefined until the first snapshot. */
  served(type: XdsType): Served | undefined {
    return this.#served?.[type];
  }

  /**
   * Starts to publish a snapshot; `sequence` (a resourceVersion, a revision or a clock) raises the version, which never
   * goes back. Types whose content stays keep their version. A publication under way is overtaken: what it serves now
   * is where this one starts. Returns the types that changed.
   */
  publish(snapshot: Snapshot, sequence: number, now: number): XdsType[] {
    this.#target = snapshot;
    this.#sequence = Math.max(sequence, this.#sequence + 1);
    if (!this.#served) {
      this.#served = this.#serveAll(snapshot.sets);
      return [...xdsTypes];
    }
    const before = this.#served;
    const changed = this.#serve({
      clusters: before.clusters.set.mergedWith(snapshot.sets.clusters),
      endpoints: before.endpoints.set.mergedWith(snapshot.sets.endpoints),
      secrets: before.secrets.set.mergedWith(snapshot.sets.secrets),
      "scoped-routes": before["scoped-routes"].set.mergedWith(snapshot.sets["scoped-routes"]),
    });
    this.#startAdding(before.endpoints.set, changed, now);
    return [...new Set([...changed, ...this.advance(now)])];
  }

  #startAdding(before: ResourceSet, changed: readonly XdsType[], now: number): void {
    const overtaken = this.#phase === "adding";
    const { phaseMs } = this.options;
    if (!overtaken) {
      this.#addedBy = now + 2 * phaseMs;
      this.#addedEndpoints = [];
    }
    const added = this.#served?.endpoints.set.namesNotIn(before) ?? [];
    this.#addedEndpoints = [...this.#addedEndpoints, ...added];
    this.#phase = "adding";
    if (changed.length > 0) this.#deadline = Math.min(now + phaseMs, this.#addedBy);
    else if (!overtaken) this.#deadline = now;
  }

  /** Goes on to the next phases where their condition holds. Returns the types that changed. */
  advance(now: number): XdsType[] {
    const changed = new Set<XdsType>();
    while (this.#phase !== "settled" && this.#isDone(now)) {
      const target = this.#target?.sets;
      if (!target) break;
      const next: Partial<Record<XdsType, ResourceSet>> =
        this.#phase === "adding"
          ? { listeners: target.listeners, routes: target.routes }
          : {
              clusters: target.clusters,
              endpoints: target.endpoints,
              secrets: target.secrets,
              "scoped-routes": target["scoped-routes"],
            };
      for (const type of this.#serve(next)) changed.add(type);
      this.#phase = this.#phase === "adding" ? "switching" : "settled";
      this.#deadline = now + this.options.phaseMs;
    }
    return [...changed];
  }

  /** When `advance` has to be called at the latest; undefined when nothing is under way. */
  get deadline(): number | undefined {
    return this.#phase === "settled" ? undefined : this.#deadline;
  }

  #isDone(now: number): boolean {
    if (now >= this.#deadline) return true;
    if (this.#phase === "switching") return this.#hasAll("listeners", now) && this.#hasAll("routes", now);
    return (
      this.#hasAll("clusters", now) &&
      this.#hasAll("endpoints", now) &&
      this.fleet.hasEndpoints(this.#addedEndpoints, now)
    );
  }

  #hasAll(type: XdsType, now: number): boolean {
    const served = this.#served?.[type];
    return !served || this.fleet.hasAll(type, (names) => selectVersion(served, names)?.version, now);
  }

  #serveAll(sets: Snapshot["sets"]): Readonly<Record<XdsType, Served>> {
    const entries = xdsTypes.map((type) => [type, serveSet(sets[type], this.#sequence)] as const);
    return Object.fromEntries(entries) as Record<XdsType, Served>;
  }

  #serve(sets: Partial<Record<XdsType, ResourceSet>>): XdsType[] {
    const served = { ...(this.#served as Readonly<Record<XdsType, Served>>) };
    const changed: XdsType[] = [];
    for (const [type, set] of Object.entries(sets) as [XdsType, ResourceSet][]) {
      const old = served[type];
      if (old.set.isSame(set)) continue;
      served[type] = serveSet(set, this.#sequence);
      this.fleet.forget(type, old.set.namesNotIn(set));
      changed.push(type);
    }
    this.#served = served;
    if (changed.length > 0) this.#sequence++;
    return changed;
  }
}
