import { readFileSync } from "node:fs";
import { type ParsedTokens, parseTokens } from "../server/tokens.js";
import { ChangedFiles } from "./changed-files.js";

/** A file of tokens, read anew when it has changed; one that can't be read leaves those that were there. */
export class TokenFile {
  readonly #changes: ChangedFiles;
  #tokens: ParsedTokens;
  #checkedAt = 0;

  /** @throws Error when the file can't be read at the start. */
  constructor(
    private readonly path: string,
    private readonly log: (line: string) => void,
  ) {
    this.#changes = new ChangedFiles([path]);
    this.#tokens = this.#load();
  }

  /** Looks at the file at most once a second. */
  read(): ParsedTokens {
    const now = Date.now();
    if (now - this.#checkedAt < 1000) return this.#tokens;
    this.#checkedAt = now;
    this.#attempt(() => this.#changes.changed());
    return this.#tokens;
  }

  /** Reads the file now. */
  reload(): void {
    this.#attempt(() => true);
  }

  #attempt(wanted: () => boolean): void {
    try {
      if (wanted()) this.#tokens = this.#load();
    } catch (error) {
      this.log(
        `keeping the tokens that were there: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  }

  #load(): ParsedTokens {
    const tokens = parseTokens(readFileSync(this.path, "utf8"));
    for (const line of [...tokens.errors, ...tokens.warnings]) this.log(`${this.path}: ${line}`);
    return tokens;
  }
}
