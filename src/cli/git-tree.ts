import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, realpathSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { basename, dirname, extname, join, relative, resolve, sep } from "node:path";
import { messageOf } from "../schema/words.js";
import { manifestNames } from "../sources/files/load.js";

/** Files of a commit, written to a temporary folder. */
export interface GitTree {
  /** The path in the folder for a path of the repository. */
  at(path: string): string;
  /** Replaces paths of the folder in a text by those of the commit, such as `git:main:manifests/a.yaml`. */
  named(text: string): string;
  /** The given paths that the commit does not have. */
  readonly missing: readonly string[];
  /** Files that could not be written, with the reason. */
  readonly problems: readonly Problem[];
  remove(): void;
}

interface Problem {
  readonly file: string;
  readonly severity: "error" | "warning";
  readonly message: string;
}

interface Entry {
  readonly mode: string;
  readonly id: string;
  readonly path: string;
}

const maxOutput = 1 << 30;
const otherNames = new Set(["Kustomization", ".isolineignore"]);

/**
 * Writes the manifests of a commit to a folder that only this user can read; the work tree and the index are not used.
 * Links are followed only inside the commit. With `whole`, all other files are written too, because a kustomization
 * may need them.
 *
 * @param paths relative to the current folder, as given on the command line.
 * @throws Error when git can't be run or there is no such commit.
 */
export function exportTree(ref: string, paths: readonly string[], { whole = false } = {}): GitTree {
  const root = git(["-C", nearestFolder(paths[0] ?? "."), "rev-parse", "--show-toplevel"])
    .toString()
    .trim();
  const commit = commitOf(root, ref);
  const inner = paths.map((path) => pathIn(root, path));
  const entries = entriesOf(root, commit, whole ? ["."] : inner);
  const missing = paths.filter((_, i) => {
    const path = inner[i] ?? ".";
    return path !== "." && !entries.some((entry) => isUnder(entry.path, path));
  });
  const folder = mkdtempSync(join(tmpdir(), "isoline-git-"));
  const remove = (): void => rmSync(folder, { recursive: true, force: true });
  try {
    const named = new Set(inner);
    const chosen = entries.filter(({ path }) => whole || named.has(path) || isRead(path));
    const problems = write(root, commit, folder, chosen);
    return {
      at: (path) => join(folder, pathIn(root, path)),
      named: (text) => text.replaceAll(`${folder}${sep}`, `git:${ref}:`).replaceAll(folder, `git:${ref}`),
      problems: problems.map((problem) => ({ ...problem, file: `git:${ref}:${problem.file}` })),
      missing,
      remove,
    };
  } catch (error) {
    remove();
    throw error;
  }
}

const isRead = (path: string): boolean => manifestNames.has(extname(path)) || otherNames.has(basename(path));

const isUnder = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`);

/** A folder itself, or its nearest existing parent. */
export function nearestFolder(path: string): string {
  const whole = resolve(path);
  const isFolder = statSync(whole, { throwIfNoEntry: false })?.isDirectory() ?? false;
  return isFolder || dirname(whole) === whole ? whole : nearestFolder(dirname(whole));
}

/** @throws Error when the path is not in the repository. */
function pathIn(root: string, path: string): string {
  const folder = nearestFolder(path);
  const inner = relative(root, join(realpathSync(folder), relative(folder, resolve(path))))
    .split(sep)
    .join("/");
  if (inner === ".." || inner.startsWith("../"))
    throw new Error(`${path}: is not in the repository ${root}, so none of its commits has it`);
  return inner || ".";
}

function commitOf(root: string, ref: string): string {
  try {
    return git(["-C", root, "rev-parse", "--verify", "--quiet", "--end-of-options", `${ref}^{commit}`])
      .toString()
      .trim();
  } catch (error) {
    if (!(error instanceof GitError) || error.text !== "") throw error;
    throw new Error(
      `git:${ref}: the repository has no such branch, tag or commit; fetch it first (git fetch origin ${ref}; in a CI job with a shallow clone, its whole history)`,
    );
  }
}

function entriesOf(root: string, commit: string, paths: readonly string[]): Entry[] {
  const some = paths.includes(".") ? [] : paths;
  return git(["-C", root, "ls-tree", "-r", "-z", "--full-tree", commit, "--", ...some])
    .toString()
    .split("\0")
    .flatMap((line) => {
      const [head = "", ...path] = line.split("\t");
      const [mode = "", , id = ""] = head.split(" ");
      return line === "" ? [] : [{ mode, id, path: path.join("\t") }];
    });
}

/** Modes of git's trees. */
const [linkMode, moduleMode] = ["120000", "160000"];

function write(root: string, commit: string, folder: string, entries: readonly Entry[]): Problem[] {
  const problems: Problem[] = [];
  const add = (file: string, severity: Problem["severity"], message: string): void =>
    void problems.push({ file, severity, message });
  const files = entries.filter(({ mode, path }) => {
    // Git creates no tree with such a path; a crafted tree may contain one.
    const isSafe = path.split("/").every((part) => part !== ".." && part !== "." && part !== "");
    if (!isSafe) add(path, "error", "is not a valid path; the commit is damaged");
    else if (mode === moduleMode) add(path, "error", "is a submodule, which is not read");
    return isSafe && mode !== moduleMode;
  });
  const contents = readBlobs(
    root,
    files.map(({ mode, id, path }) => (mode === linkMode && !path.includes("\n") ? `${commit}:${path}` : id)),
  );
  for (const [i, { path, mode }] of files.entries()) {
    const content = contents[i];
    if (content === undefined && mode === linkMode)
      add(path, "warning", "is a link, and its target is not a file of the commit; it is not read");
    else if (content === undefined) add(path, "error", "can't be read from the repository");
    else {
      const file = join(folder, path);
      mkdirSync(dirname(file), { recursive: true });
      writeFileSync(file, content, { mode: 0o600 });
    }
  }
  return problems;
}

/** Contents by id, or by `COMMIT:PATH` with links followed inside the commit; undefined for names without a content. */
function readBlobs(root: string, names: readonly string[]): (Buffer | undefined)[] {
  if (names.length === 0) return [];
  const out = git(
    ["-C", root, "cat-file", "--batch", "--follow-symlinks"],
    names.map((name) => `${name}\n`).join(""),
  );
  const contents: (Buffer | undefined)[] = [];
  for (let at = 0; contents.length < names.length; ) {
    const end = out.indexOf(10, at);
    if (end < 0) throw new Error("git cat-file has not answered for every file");
    const head = out.subarray(at, end).toString();
    const size = Number(/^[0-9a-f]+ \w+ (\d+)$/.exec(head)?.[1]);
    const other = Number(/^(?:symlink|dangling|loop|notdir) (\d+)$/.exec(head)?.[1]);
    const isBlob = / blob \d+$/.test(head);
    at = end + 1;
    if (!Number.isNaN(size)) {
      contents.push(isBlob ? Buffer.from(out.subarray(at, at + size)) : undefined);
      at += size + 1;
    } else {
      contents.push(undefined);
      if (!Number.isNaN(other)) at += other + 1;
    }
  }
  return contents;
}

class GitError extends Error {
  constructor(readonly text: string) {
    super(`git: ${text || "failed"}`);
  }
}

/** Runs git without fetching and without writing to the repository. @throws Error */
function git(args: readonly string[], input?: string): Buffer {
  try {
    return execFileSync("git", args, {
      maxBuffer: maxOutput,
      stdio: ["pipe", "pipe", "pipe"],
      env: {
        ...process.env,
        GIT_OPTIONAL_LOCKS: "0",
        GIT_NO_LAZY_FETCH: "1",
        GIT_TERMINAL_PROMPT: "0",
        GIT_LITERAL_PATHSPECS: "1",
      },
      ...(input === undefined ? {} : { input }),
    });
  } catch (error) {
    if ((error as { readonly code?: string }).code === "ENOENT")
      throw new Error("git: the program is not installed; a side of git: requires it");
    const stderr = (error as { readonly stderr?: Buffer }).stderr?.toString().trim();
    throw stderr === undefined
      ? new Error(`git: ${messageOf(error)}`)
      : new GitError(stderr.split("\n")[0] ?? "");
  }
}
