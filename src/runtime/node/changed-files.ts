import { statSync } from "node:fs";

/** Tells whether files were replaced or written since it last looked; their content is read by the caller. */
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

/** A replaced file has another inode, also where its time and size are the same. */
const stampOf = (paths: readonly string[]): string =>
  paths
    .map((path) => {
      const { mtimeMs, size, ino } = statSync(path);
      return `${mtimeMs} ${size} ${ino}`;
    })
    .join("\n");
