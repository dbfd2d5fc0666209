import type { LogEvent } from "../log/events.js";
import type { Log, LogFields } from "../log/log.js";

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
    private readonly log: Log,
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
    if (this.#logged.size > maxLines)
      this.log("further lines of this kind are omitted for a minute", "lines-omitted");
    return this.#logged.size <= maxLines;
  }

  logOnce(key: string, message: string, event: LogEvent, fields?: LogFields): void {
    if (this.admits(key)) this.log(message, event, fields);
  }
}
