import { statSync } from "node:fs";

/** Detects whether files were replaced or written since the last check; the caller reads their content. */
export class ChangedFiles {
  #stamp: string;

  /** @throws Error when one of them can't be read. */
  constructor(private readonly paths: readonly string[]) {
    this.#stamp = stampOf(paths);
  }

  /** @throws Error when one of them can't be read. */
  changed(): boolean {
    const stamp = stampOf(this.paths);
    if (stamp === this.#stamp) return false;
    this.#stamp = stamp;
    return true;
  }
}

/** A replaced file has another inode, even if its time and size are the same. */
const stampOf = (paths: readonly string[]): string =>
  paths
    .map((path) => {
      const { mtimeMs, size, ino } = statSync(path);
      return `${mtimeMs} ${size} ${ino}`;
    })
    .join("\n");
