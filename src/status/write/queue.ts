import { namespaceOf, type Ref } from "../../schema/meta.js";

/**
 * - `fresh`: something has changed.
 * - `backlog`: to be looked at after a start, or when another replica gave the lease up.
 * - `failed`: could not be written before.
 */
export type Lane = "fresh" | "backlog" | "failed";

/** The lane that each place in a round prefers: changes go first, and a flood of them leaves room for the others. */
const round: readonly Lane[] = ["fresh", "fresh", "backlog", "fresh", "fresh", "backlog", "fresh", "failed"];
const lanes: readonly Lane[] = ["fresh", "backlog", "failed"];

/** Objects that wait for their status, each once. In a lane every namespace has its turn, whatever others add. */
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

  /** An object that waits in a slower lane already moves to this one. */
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

  /** The next object of a namespace that may have one more in work; undefined when there is none. */
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
      // Behind the others, for its next turn.
      if (waiting.size > 0) turns.set(namespace, waiting);
      this.#laneOf.delete(ref);
      return ref;
    }
    return undefined;
  }
}
