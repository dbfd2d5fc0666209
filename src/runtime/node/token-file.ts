import type { Log } from "../../log/log.js";
import { messageOf } from "../../schema/words.js";
import { tokenChanges } from "../../server/audit.js";
import { type ParsedTokens, parseTokens } from "../../server/tokens.js";
import { ChangedFiles } from "./changed-files.js";
import { readOptionFile } from "./start-errors.js";

const lookMs = 1000;

/** A file of tokens, read again when it changes. If it can't be read, the last tokens stay. */
export class TokenFile {
  readonly #changes: ChangedFiles;
  readonly #timer: NodeJS.Timeout;
  #tokens: ParsedTokens;
  #checkedAt = 0;

  /** @throws Error when the file can't be read at the start. */
  constructor(
    private readonly path: string,
    private readonly log: Log,
    /** Called after the file was read again. */
    private readonly changed: () => void = () => undefined,
  ) {
    this.#tokens = this.#load();
    this.#changes = new ChangedFiles([path]);
    // Also checked without requests: every Envoy may be waiting for the answer to a refused poll.
    this.#timer = setInterval(() => this.read(), lookMs).unref();
  }

  /** Checks the file at most once a second. */
  read(): ParsedTokens {
    const now = Date.now();
    if (now - this.#checkedAt < lookMs) return this.#tokens;
    this.#checkedAt = now;
    this.#attempt(() => this.#changes.changed());
    return this.#tokens;
  }

  /** Reads the file now. */
  reload(): void {
    this.#attempt(() => true);
  }

  #attempt(isDue: () => boolean): void {
    try {
      if (!isDue()) return;
      const before = this.#tokens;
      this.#tokens = this.#load();
      for (const [line, event] of tokenChanges(before.entries, this.#tokens.entries)) this.log(line, event);
      this.changed();
    } catch (error) {
      this.log(`keeping the last valid tokens: ${messageOf(error)}`, "tokens-not-read");
    }
  }

  close(): void {
    clearInterval(this.#timer);
  }

  #load(): ParsedTokens {
    const advice = `make it with \`isoline token node --file ${this.path}\``;
    const tokens = parseTokens(readOptionFile("--tokens", this.path, advice));
    for (const line of [...tokens.errors, ...tokens.warnings])
      this.log(`${this.path}: ${line}`, "tokens-problem");
    if (tokens.entries.length === 0)
      this.log(
        `${this.path}: contains no token, so every request is refused with 503: ${advice}`,
        "tokens-problem",
      );
    return tokens;
  }
}
