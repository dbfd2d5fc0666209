import type { ReadKey } from "../graph/core/keys.js";
import { isFound } from "../graph/core/missed.js";
import type { Store } from "../store/store.js";

/** How long (ms) changes wait for what they refer to: longer than one watch is usually behind another. */
export const awaitMs = 250;

/**
 * What changed objects refer to and the store does not have yet. Each kind has a watch of its own, so that an object may be read before
 * another one that was there first. Changes wait for it, `awaitMs` at most from the first of them on: what is missing for good, or
 * missed again and again, delays others no longer than this.
 */
export class Awaited {
  readonly #reads = new Set<ReadKey>();
  #since: number | undefined;

  constructor(private readonly store: Pick<Store, "object" | "claimants">) {}

  /** Returns whether this is the first that is waited for. */
  add(reads: Iterable<ReadKey>, now: number): boolean {
    for (const read of reads) this.#reads.add(read);
    if (this.#reads.size === 0 || this.#since !== undefined) return false;
    this.#since = now;
    return true;
  }

  /** Whether there is something to wait for. */
  isWaiting(now: number): boolean {
    if (this.#since === undefined || now - this.#since >= awaitMs) return false;
    for (const read of this.#reads) {
      if (!isFound(this.store, read)) return true;
      this.#reads.delete(read);
    }
    return false;
  }

  /** Called when the changes are published: none of them waits any more. */
  clear(): void {
    this.#reads.clear();
    this.#since = undefined;
  }
}
