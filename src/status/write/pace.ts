export interface PaceOptions {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after this many ms, or when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/**
 * A hundred writes a second, and this many at once after a quiet time: the API server and the configuration come
 * first.
 */
const intervalMs = 10;
const burst = 100;
/** After consecutive failures, writes have at most this interval. */
const firstPauseMs = 30;
const maxPauseMs = 4000;

/** Limits the rate of writes: a token bucket, and increasing pauses while an API server fails. */
export class WritePace {
  #tokens = burst;
  #at: number;
  /** Failures since the last successful write. */
  #streak = 0;

  constructor(private readonly options: PaceOptions) {
    this.#at = options.now();
  }

  went(): void {
    this.#streak = 0;
  }

  failed(): void {
    this.#streak++;
  }

  /** Resolves when the next write may start, in the order of calls. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = this.options.now();
    const interval = this.#streak === 0 ? intervalMs : Math.min(firstPauseMs * 2 ** this.#streak, maxPauseMs);
    const most = this.#streak === 0 ? burst : 1;
    this.#tokens = Math.min(most, this.#tokens + Math.max(0, now - this.#at) / interval) - 1;
    this.#at = now;
    if (this.#tokens < 0) await this.options.sleep(Math.min(-this.#tokens * interval, maxPauseMs), signal);
  }
}
