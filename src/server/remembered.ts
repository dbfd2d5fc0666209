/** A value is worked out again no sooner than after so many times the time that it took: the rest of a server's time is for Envoys. */
const restTimes = 20;

/** Remembers a value that takes a while to work out. */
export class Remembered<T> {
  #known:
    | { readonly key: string; readonly at: number; readonly costMs: number; readonly value: T }
    | undefined;

  constructor(
    private readonly options: {
      make(): T;
      /** Milliseconds since the epoch. */
      now(): number;
      /** For how long (ms) a value holds whose key is the same. */
      readonly freshMs: number;
    },
  ) {}

  /** The value; `key` is another one whenever the value may be. */
  get(key: string): T {
    const { make, now, freshMs } = this.options;
    const at = now();
    const known = this.#known;
    if (known) {
      const age = at - known.at;
      if (age < (known.key === key ? freshMs : restTimes * known.costMs)) return known.value;
    }
    const value = make();
    const done = now();
    this.#known = { key, at: done, costMs: done - at, value };
    return value;
  }
}
