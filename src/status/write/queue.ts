import { namespaceOf, type Ref } from "../../schema/meta.js";

/**
 * - `fresh`: the status may have changed.
 * - `backlog`: to be compared after a start, or after another replica released the lease.
 * - `failed`: could not be written before.
 */
export type Lane = "fresh" | "backlog" | "failed";

/** The preferred lane of each turn in a round: changes come first, and many changes leave turns for the other lanes. */
const round: readonly Lane[] = ["fresh", "fresh", "backlog", "fresh", "fresh", "backlog", "fresh", "failed"];
const lanes: readonly Lane[] = ["fresh", "backlog", "failed"];

/**
 * Objects whose status has to be compared, each once. In a lane namespaces take turns, whatever the number of their
 * objects.
 */
export class StatusQueue {
  readonly #laneOf = new Map<Ref, Lane>();
  readonly #lanes: Readonly<Record<Lane, Map<string, Set<Ref>>>> = {
    fresh: new Map(),
    backlog: new Map(),
    failed: new Map(),
  };
  #place = 0;

  get size(): number {
    return this.#laneOf.size;
  }

  /** Adds an object, or moves it here from a slower lane. */
  add(ref: Ref, lane: Lane): void {
    const before = this.#laneOf.get(ref);
    if (before !== undefined) {
      if (lanes.indexOf(before) <= lanes.indexOf(lane)) return;
      this.delete(ref);
    }
    const namespace = namespaceOf(ref);
    const turns = this.#lanes[lane];
    const waiting = turns.get(namespace);
    if (waiting) waiting.add(ref);
    else turns.set(namespace, new Set([ref]));
    this.#laneOf.set(ref, lane);
  }

  delete(ref: Ref): void {
    const lane = this.#laneOf.get(ref);
    if (lane === undefined) return;
    this.#laneOf.delete(ref);
    const namespace = namespaceOf(ref);
    const waiting = this.#lanes[lane].get(namespace);
    waiting?.delete(ref);
    if (waiting?.size === 0) this.#lanes[lane].delete(namespace);
  }

  clear(): void {
    this.#laneOf.clear();
    for (const lane of lanes) this.#lanes[lane].clear();
  }

  /** Removes and returns the next object of a namespace that may have one more in progress; undefined without one. */
  take(mayTake: (namespace: string) => boolean): Ref | undefined {
    const preferred = round[this.#place++ % round.length] ?? "fresh";
    for (const lane of new Set([preferred, ...lanes])) {
      const ref = this.#takeFrom(this.#lanes[lane], mayTake);
      if (ref !== undefined) return ref;
    }
    return undefined;
  }

  #takeFrom(turns: Map<string, Set<Ref>>, mayTake: (namespace: string) => boolean): Ref | undefined {
    for (const [namespace, waiting] of turns) {
      if (!mayTake(namespace)) continue;
      const [ref] = waiting;
      turns.delete(namespace);
      if (ref === undefined) continue;
      waiting.delete(ref);
      // At the end, until its next turn.
      if (waiting.size > 0) turns.set(namespace, waiting);
      this.#laneOf.delete(ref);
      return ref;
    }
    return undefined;
  }
}
