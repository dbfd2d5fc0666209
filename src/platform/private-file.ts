import { randomBytes } from "node:crypto";
import {
  closeSync,
  constants,
  fchmodSync,
  fstatSync,
  lstatSync,
  openSync,
  renameSync,
  rmSync,
  type Stats,
  writeFileSync,
} from "node:fs";

/** Only the owner may read and write these files, because they contain keys and tokens. */
const mode = 0o600;
const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_WRONLY } = constants;

function statOf(path: string): Stats | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  // Another user may own the target or read it.
  if (found?.isSymbolicLink()) throw new Error(`${path} is a symbolic link; use the path of its target`);
  return found;
}

function writeAll(path: string, flags: number, chunks: Iterable<string | Uint8Array>): void {
  const file = openSync(path, flags, mode);
  try {
    for (const chunk of chunks) writeFileSync(file, chunk);
  } finally {
    closeSync(file);
  }
}

/**
 * Replaces the file at a path by a new one of mode 0600 in one step, so that a process with the old file open can't read
 * the new content. Writes directly to devices and pipes.
 *
 * @throws Error when the path is a symbolic link, and errors of the file system.
 */
export function replacePrivateFile(path: string, chunks: Iterable<string | Uint8Array>): void {
  const before = statOf(path);
  if (before && !before.isFile() && !before.isDirectory()) writeAll(path, O_WRONLY | O_NOFOLLOW, chunks);
  else replaceFile(path, chunks);
}

function replaceFile(path: string, chunks: Iterable<string | Uint8Array>): void {
  const fresh = `${path}.${randomBytes(6).toString("hex")}.new`;
  try {
    writeAll(fresh, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, chunks);
    renameSync(fresh, path);
  } catch (error) {
    rmSync(fresh, { force: true });
    throw error;
  }
}

/**
 * Appends text to a file and sets its mode to 0600. Creates a missing file.
 *
 * @throws Error when the path is a symbolic link, and errors of the file system.
 */
export function appendPrivateFile(path: string, text = ""): void {
  statOf(path);
  const file = openSync(path, O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW, mode);
  try {
    const found = fstatSync(file);
    if (found.isFile() && (found.mode & 0o777) !== mode) fchmodSync(file, mode);
    if (text !== "") writeFileSync(file, text);
  } finally {
    closeSync(file);
  }
}
