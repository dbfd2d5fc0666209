import type { Fleet } from "./fleet.js";
import { type Served, selectVersion } from "./served.js";
import { type ResourceSet, type Snapshot, type XdsType, xdsTypes } from "./snapshot.js";
import { formatVersion, hashSet } from "./version.js";

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
   * goes back. Types whose content stays keep their version. Returns the types that changed.
   */
  publish(snapshot: Snapshot, sequence: number, now: number): XdsType[] {
    this.#target = snapshot;
    this.#sequence = Math.max(sequence, this.#sequence + 1);
    if (!this.#served) {
      this.#served = this.#serveAll(snapshot.sets);
      this.#phase = "settled";
      return [...xdsTypes];
    }
    const changed = this.#serve({
      clusters: union(this.#served.clusters.set, snapshot.sets.clusters),
      endpoints: union(this.#served.endpoints.set, snapshot.sets.endpoints),
      secrets: union(this.#served.secrets.set, snapshot.sets.secrets),
    });
    this.#enter("adding", now);
    return [...new Set([...changed, ...this.advance(now)])];
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
          : { clusters: target.clusters, endpoints: target.endpoints, secrets: target.secrets };
      for (const type of this.#serve(next)) changed.add(type);
      this.#enter(this.#phase === "adding" ? "switching" : "settled", now);
    }
    return [...changed];
  }

  /** When `advance` has to be called at the latest; undefined when nothing is under way. */
  get deadline(): number | undefined {
    return this.#phase === "settled" ? undefined : this.#deadline;
  }

  #enter(phase: Phase, now: number): void {
    this.#phase = phase;
    this.#deadline = now + this.options.phaseMs;
  }

  #isDone(now: number): boolean {
    if (now >= this.#deadline) return true;
    const waitFor: readonly XdsType[] =
      this.#phase === "adding" ? ["clusters", "endpoints"] : ["listeners", "routes"];
    return waitFor.every((type) => {
      const served = this.#served?.[type];
      return !served || this.fleet.hasAll(type, (names) => selectVersion(served, names)?.version, now);
    });
  }

  #serveAll(sets: Snapshot["sets"]): Readonly<Record<XdsType, Served>> {
    const entries = xdsTypes.map((type) => [type, this.#version(sets[type])] as const);
    return Object.fromEntries(entries) as Record<XdsType, Served>;
  }

  #serve(sets: Partial<Record<XdsType, ResourceSet>>): XdsType[] {
    const changed: XdsType[] = [];
    for (const [type, set] of Object.entries(sets) as [XdsType, ResourceSet][]) {
      const old = this.#served?.[type];
      if (old && sameSet(old.set, set)) continue;
      this.#served = { ...(this.#served as Readonly<Record<XdsType, Served>>), [type]: this.#version(set) };
      changed.push(type);
    }
    if (changed.length > 0) this.#sequence++;
    return changed;
  }

  #version(set: ResourceSet): Served {
    const hash = hashSet(set);
    return {
      set,
      hash,
      sequence: this.#sequence,
      version: formatVersion({ sequence: this.#sequence, hash }),
    };
  }
}

/** Everything of both; where a name is in both, the new one. Sorted by name, as every set is. */
function union(old: ResourceSet, now: ResourceSet): ResourceSet {
  if ([...old.keys()].every((name) => now.has(name))) return now;
  return new Map([...new Map([...old, ...now])].sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)));
}

function sameSet(a: ResourceSet, b: ResourceSet): boolean {
  if (a.size !== b.size) return false;
  for (const [name, json] of a) if (b.get(name) !== json) return false;
  return true;
}
