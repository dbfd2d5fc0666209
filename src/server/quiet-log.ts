const windowMs = 60_000;
const maxLines = 20;

/**
 * Logs each key once a minute, and a limited number of keys: the sender of a request controls the content of such
 * lines.
 */
export class QuietLog {
  #since = Number.NEGATIVE_INFINITY;
  readonly #said = new Set<string>();

  constructor(
    private readonly log: (line: string) => void,
    /** Milliseconds since the epoch. */
    private readonly now: () => number,
  ) {}

  /** Whether a line with this key should be logged now; it then counts as logged. */
  wants(key: string): boolean {
    const now = this.now();
    if (now - this.#since >= windowMs) {
      this.#since = now;
      this.#said.clear();
    }
    if (this.#said.has(key) || this.#said.size > maxLines) return false;
    this.#said.add(key);
    if (this.#said.size > maxLines) this.log("further lines of this kind are omitted for a minute");
    return this.#said.size <= maxLines;
  }

  say(key: string, line: string): void {
    if (this.wants(key)) this.log(line);
  }
}
