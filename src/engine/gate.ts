import type { Store } from "../store/store.js";
import { unitsLeft } from "../update.js";
import { Awaited } from "./awaited.js";

/** The state of a source, for the gate. */
export interface Feed {
  /** Whether the complete source was read once, by this process or an earlier one. */
  readonly ready: boolean;
  /** Steps besides units to compile, before the store is a complete state of the source. */
  readonly steps?: number;
  /** Objects that still have the text of an earlier revision. */
  readonly kept?: number;
}

/** Decides whether a store may be published: it must be a complete state of its source, not a state between two. */
export class Gate {
  #feed: Feed = { ready: true };
  /** Each with the clock of its times. */
  readonly #awaited: { readonly awaited: Awaited; now(): number }[] = [];

  constructor(private readonly store: Store) {}

  attach(feed: Feed): void {
    this.#feed = feed;
  }

  /** Tracks references of objects of one origin, which publications wait for; `now` is the clock of their times. */
  awaits(now: () => number): Awaited {
    const awaited = new Awaited(this.store);
    this.#awaited.push({ awaited, now });
    return awaited;
  }

  /** Units to compile and steps of the source that are left. */
  get pending(): number {
    return unitsLeft(this.store) + this.steps;
  }

  get steps(): number {
    return this.#feed.steps ?? 0;
  }

  get kept(): number {
    return this.#feed.kept ?? 0;
  }

  get isOpen(): boolean {
    if (!this.#feed.ready || this.pending > 0) return false;
    return !this.#awaited.some(({ awaited, now }) => awaited.isWaiting(now()));
  }
}
