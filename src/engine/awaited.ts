import type { ReadKey } from "../graph/core/keys.js";
import { isFound } from "../graph/core/missed.js";
import type { Store } from "../store/store.js";

/** The maximum time (ms) that changes wait for their references: longer than the usual delay between two watches. */
export const awaitMs = 250;

/**
 * References of changed objects that the store lacks so far. Each kind has its own watch, so that an object may be
 * read before another one that was created first. Changes wait for it, at most `awaitMs` from the first one on: a
 * reference that is missing permanently, or again and again, does not delay others longer.
 */
export class Awaited {
  readonly #reads = new Set<ReadKey>();
  #since: number | undefined;

  constructor(private readonly store: Pick<Store, "object" | "claimants">) {}

  /** Returns whether this starts the wait. */
  add(reads: Iterable<ReadKey>, now: number): boolean {
    for (const read of reads) this.#reads.add(read);
    if (this.#reads.size === 0 || this.#since !== undefined) return false;
    this.#since = now;
    return true;
  }

  /** Whether a reference is still awaited. */
  isWaiting(now: number): boolean {
    if (this.#since === undefined || now - this.#since >= awaitMs) return false;
    for (const read of this.#reads) {
      if (!isFound(this.store, read)) return true;
      this.#reads.delete(read);
    }
    return false;
  }

  /** Called when the changes are published, which ends the wait. */
  clear(): void {
    this.#reads.clear();
    this.#since = undefined;
  }
}
