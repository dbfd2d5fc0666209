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

/** Files that only their owner may read and write: keys and tokens are in them, whatever was at their place before. */
const mode = 0o600;
const { O_APPEND, O_CREAT, O_EXCL, O_NOFOLLOW = 0, O_WRONLY } = constants;

function statOf(path: string): Stats | undefined {
  const found = lstatSync(path, { throwIfNoEntry: false });
  // The target may be of somebody else, or be read by others.
  if (found?.isSymbolicLink()) throw new Error(`${path} is a symbolic link; give the file that it leads to`);
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
 * Puts a new file of mode 0600 in the place of what is at a path, in one step: who has the old one open reads nothing of
 * the new one. Devices and pipes are written to.
 *
 * @throws Error when the path is a symbolic link, and the system's errors.
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
 * Adds text at the end of a file, which is made where it is missing and has mode 0600 afterwards.
 *
 * @throws Error when the path is a symbolic link, and the system's errors.
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
