const firstMs = 500;
/** A server that can't be reached is asked this rarely in the end. */
const longestMs = 30_000;
/** So is one that does not remember where the kind was: each round lists all. */
const longestExpiredMs = 10_000;
/** Watches that are taken and end at once are opened this rarely in the end: edits arrive all the same. */
const longestOpenMs = 3000;
/** A watch that lasted as long was a good one, and the next follows soon. */
const goodMs = 5000;
const soonMs = 100;
/** One that lasted as long at least was cut, as idle connections are; the next follows a little later. */
const cutMs = 1000;

/** How a round of requests about one kind went. */
export interface Round {
  /** How long a watch was open, in ms; undefined when none was. */
  readonly openMs: number | undefined;
  /** Whether all has to be listed again, which costs more than a watch. */
  readonly expired: boolean;
}

/**
 * The pauses between rounds of requests about one kind. They grow while rounds fail or end at once, whatever the server
 * answers, so that all kinds together make a few requests a second at most; a watch that lasts ends that.
 */
export class RequestPace {
  #streak = 0;

  /** @param random in [0, 1) */
  constructor(private readonly random: () => number) {}

  /** Milliseconds to wait after a round. */
  after({ openMs, expired }: Round): number {
    const longest = expired ? longestExpiredMs : openMs === undefined ? longestMs : longestOpenMs;
    return this.#pause(openMs ?? 0, longest) * (0.75 + this.random() / 2);
  }

  #pause(openMs: number, longest: number): number {
    if (openMs >= cutMs) {
      this.#streak = 0;
      return openMs >= goodMs ? soonMs : cutMs;
    }
    const pause = Math.min(firstMs * 2 ** this.#streak, longest);
    this.#streak = Math.min(this.#streak + 1, 16);
    return pause;
  }
}
