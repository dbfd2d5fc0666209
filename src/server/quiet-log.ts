const windowMs = 60_000;
const maxLines = 20;

/**
 * Logs each key once a minute, and a limited number of keys: the sender of a request controls the content of such
 * lines.
 */
export class QuietLog {
  #since = Number.NEGATIVE_INFINITY;
  readonly #logged = new Set<string>();

  constructor(
    private readonly log: (line: string) => void,
    /** Milliseconds since the epoch. */
    private readonly now: () => number,
  ) {}

  /** Whether a line with this key should be logged now; it then counts as logged. */
  admits(key: string): boolean {
    const now = this.now();
    if (now - this.#since >= windowMs) {
      this.#since = now;
      this.#logged.clear();
    }
    if (this.#logged.has(key) || this.#logged.size > maxLines) return false;
    this.#logged.add(key);
    if (this.#logged.size > maxLines) this.log("further lines of this kind are omitted for a minute");
    return this.#logged.size <= maxLines;
  }

  logOnce(key: string, line: string): void {
    if (this.admits(key)) this.log(line);
  }
}
