const firstMs = 500;
/** Longest pause for a server that can't be reached. */
const longestMs = 30_000;
/** Longest pause for a server that no longer has the version of the kind: each round lists all objects. */
const longestExpiredMs = 10_000;
/** Longest pause between watches that are accepted and end at once; changes still arrive. */
const longestOpenMs = 3000;
/** A watch that lasted this long was good; the next one follows after `soonMs`. */
const goodMs = 5000;
const soonMs = 100;
/** A watch that lasted at least this long was cut, as idle connections are; the next one follows after `cutMs`. */
const cutMs = 1000;

/** The result of one round of requests for a kind. */
export interface Round {
  /** How long a watch was open, in ms; undefined without a watch. */
  readonly openMs: number | undefined;
  /** Whether all objects must be listed again, which costs more than a watch. */
  readonly expired: boolean;
}

/**
 * The pauses between rounds of requests for one kind. They grow while rounds fail or end at once, whatever the server
 * answers, so that all kinds together make at most a few requests per second. A watch that lasts resets them.
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
