/**
 * The pause before a value is computed again, as a multiple of the duration of its last computation. The rest of a
 * server's time is for Envoys.
 */
const restTimes = 20;

/** Keeps a value that takes a while to compute. */
export class Remembered<T> {
  #known:
    | { readonly key: string; readonly at: number; readonly costMs: number; readonly value: T }
    | undefined;

  constructor(
    private readonly options: {
      make(): T;
      /** Milliseconds since the epoch. */
      now(): number;
      /** How long a value is valid while its key stays the same, in ms. */
      readonly freshMs: number;
    },
  ) {}

  /** The value. `key` must change whenever the value may have changed. */
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
