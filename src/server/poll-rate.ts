const bucketMs = 5000;
const windowMs = 60_000;

/** Counts polls per minute. */
export class PollRate {
  /** Counts of intervals of `bucketMs` by their number, the oldest first. */
  readonly #counts = new Map<number, number>();
  #since: number | undefined;

  note(now: number): void {
    this.#since ??= now;
    const bucket = Math.floor(now / bucketMs);
    const count = this.#counts.get(bucket) ?? 0;
    this.#counts.set(bucket, count + 1);
    if (count === 0) this.#forget(bucket);
  }

  /** The polls of the last minute; in the first minute, the number that a minute at the same rate has. */
  perMinute(now: number): number {
    this.#forget(Math.floor(now / bucketMs));
    const sum = [...this.#counts.values()].reduce((a, b) => a + b, 0);
    const elapsed = Math.min(windowMs, Math.max(bucketMs, now - (this.#since ?? now)));
    return Math.round((sum * windowMs) / elapsed);
  }

  #forget(newest: number): void {
    for (const bucket of this.#counts.keys())
      if (bucket <= newest - windowMs / bucketMs) this.#counts.delete(bucket);
  }
}
