import type { Store } from "../store/store.js";
import { unitsLeft } from "../update.js";
import { Awaited } from "./awaited.js";

/** What a source says of the objects that it has put into the store. */
export interface Feed {
  /** Whether all of the source was read once, by this process or by an earlier one. */
  readonly ready: boolean;
  /** Steps beside units to compile that are left until the store is a whole state of the source. */
  readonly steps?: number;
  /** Objects that keep the text of an earlier revision. */
  readonly kept?: number;
}

/** Decides whether a store may be published: whether it is a whole state of its source, and not one between two. */
export class Gate {
  #feed: Feed = { ready: true };
  /** Each with the clock that its times are of. */
  readonly #awaited: { readonly awaited: Awaited; now(): number }[] = [];

  constructor(private readonly store: Store) {}

  attach(feed: Feed): void {
    this.#feed = feed;
  }

  /** References of objects of one origin that publications wait for; `now` is the clock of their times. */
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
