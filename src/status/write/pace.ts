export interface PaceOptions {
  /** Milliseconds since the epoch. */
  now(): number;
  /** Resolves after so many ms, or when the signal is aborted. */
  sleep(ms: number, signal: AbortSignal): Promise<void>;
}

/** A hundred writes a second, and so many at once after a quiet time: API server and configuration have work of their own. */
const intervalMs = 10;
const burst = 100;
/** After failures in a row writes are this far apart at most. */
const firstPauseMs = 30;
const maxPauseMs = 4000;

/** The rate of writes: a bucket of tokens, and ever longer pauses while an API server is in trouble. */
export class WritePace {
  #tokens = burst;
  #at: number;
  /** Failures since a write went well. */
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

  /** Resolves when the next write may begin; whoever asks first is first. */
  async turn(signal: AbortSignal): Promise<void> {
    const now = this.options.now();
    const interval = this.#streak === 0 ? intervalMs : Math.min(firstPauseMs * 2 ** this.#streak, maxPauseMs);
    const most = this.#streak === 0 ? burst : 1;
    this.#tokens = Math.min(most, this.#tokens + Math.max(0, now - this.#at) / interval) - 1;
    this.#at = now;
    if (this.#tokens < 0) await this.options.sleep(Math.min(-this.#tokens * interval, maxPauseMs), signal);
  }
}
