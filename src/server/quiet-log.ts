const windowMs = 60_000;
const maxLines = 20;

/** Says each thing once a minute, and a bounded number of things: what is said of requests is chosen by whoever sends them. */
export class QuietLog {
  #since = Number.NEGATIVE_INFINITY;
  readonly #said = new Set<string>();

  constructor(
    private readonly log: (line: string) => void,
    /** Milliseconds since the epoch. */
    private readonly now: () => number,
  ) {}

  /** Whether a line of this key is to be said now; then it counts as said. */
  wants(key: string): boolean {
    const now = this.now();
    if (now - this.#since >= windowMs) {
      this.#since = now;
      this.#said.clear();
    }
    if (this.#said.has(key) || this.#said.size > maxLines) return false;
    this.#said.add(key);
    if (this.#said.size > maxLines) this.log("further lines of this kind are left out for a minute");
    return this.#said.size <= maxLines;
  }

  say(key: string, line: string): void {
    if (this.wants(key)) this.log(line);
  }
}
