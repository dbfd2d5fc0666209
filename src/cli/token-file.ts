import { readFileSync, statSync } from "node:fs";
import { type ParsedTokens, parseTokens } from "../server/tokens.js";

/** A file of tokens, read anew when it has changed; one that can't be read leaves those that were there. */
export class TokenFile {
  #stamp = "";
  #tokens: ParsedTokens = { entries: [], errors: [], warnings: [] };
  #checkedAt = 0;

  /** @throws Error when the file can't be read at the start. */
  constructor(
    private readonly path: string,
    private readonly log: (line: string) => void,
  ) {
    this.#load(statOf(path));
  }

  /** Looks at the file at most once a second. */
  read(): ParsedTokens {
    const now = Date.now();
    if (now - this.#checkedAt < 1000) return this.#tokens;
    this.#checkedAt = now;
    try {
      const stamp = statOf(this.path);
      if (stamp !== this.#stamp) this.#load(stamp);
    } catch (error) {
      this.log(
        `keeping the tokens that were there: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
    return this.#tokens;
  }

  #load(stamp: string): void {
    this.#tokens = parseTokens(readFileSync(this.path, "utf8"));
    this.#stamp = stamp;
    const { errors, warnings } = this.#tokens;
    for (const line of [...errors, ...warnings]) this.log(`${this.path}: ${line}`);
  }
}

function statOf(path: string): string {
  const { mtimeMs, size, ino } = statSync(path);
  return `${mtimeMs} ${size} ${ino}`;
}
