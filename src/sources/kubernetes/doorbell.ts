/** `setTimeout`, or a replacement in a test. */
type Later = (run: () => void, ms: number) => unknown;

export interface DoorbellOptions {
  /** Does the work that a ring starts; never called again before it is done. */
  answer(): Promise<void>;
  /** Milliseconds since the epoch. */
  now(): number;
  later?: Later;
  /** Minimum time between the starts of two answers. */
  readonly pauseMs?: number;
}

/**
 * Turns any number of rings into at most one answer per second. A ring during an answer gets one more answer
 * afterwards.
 */
export class Doorbell {
  #rung = false;
  #busy = false;
  #answeredAt = Number.NEGATIVE_INFINITY;

  constructor(private readonly options: DoorbellOptions) {}

  ring(): void {
    if (this.#rung) return;
    this.#rung = true;
    if (!this.#busy) this.#schedule();
  }

  #schedule(): void {
    const { later = setTimeout, now, pauseMs = 1000 } = this.options;
    later(() => void this.#answer(), Math.max(0, this.#answeredAt + pauseMs - now()));
  }

  async #answer(): Promise<void> {
    this.#rung = false;
    this.#busy = true;
    this.#answeredAt = this.options.now();
    try {
      await this.options.answer();
    } finally {
      this.#busy = false;
      if (this.#rung) this.#schedule();
    }
  }
}
