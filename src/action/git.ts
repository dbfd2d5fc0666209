import { execFileSync } from "node:child_process";
import { messageOf } from "../schema/words.js";
import type { Env } from "./inputs.js";

const isCommit = (text: string): boolean => /^[0-9a-f]{40,64}$/.test(text);

/** The repository of a workflow. `env` is the environment of git. */
export class Git {
  constructor(private readonly env: Env) {}

  /**
   * The commit to compare a pull request with; fetched when a shallow checkout lacks it. If the checked out commit is the
   * merge of `head`, it is the other parent of the merge, otherwise `base`, the newest commit of the target branch. The
   * parents of `head` itself are not used, because its author controls them.
   *
   * @throws Error when the commit can't be fetched.
   */
  baseOf({ base, head }: { readonly base: string; readonly head: string }): string {
    const merge = this.#run("cat-file", "commit", "HEAD").split("\n\n", 1)[0] ?? "";
    const parents = [...merge.matchAll(/^parent ([0-9a-f]+)$/gm)].map(([, parent = ""]) => parent);
    const commit = parents.length === 2 && parents[0] && parents[1] === head ? parents[0] : base;
    if (!isCommit(commit)) throw new Error(`${JSON.stringify(commit)} is not a commit`);
    if (!this.#has(commit)) this.#fetch(commit);
    return commit;
  }

  /** Whether a commit has a file or folder. */
  hasPath(commit: string, path: string): boolean {
    return this.#run("ls-tree", "--name-only", commit, "--", path).trim() !== "";
  }

  /** The text of a file in a commit; the path is relative to the current folder. */
  read(commit: string, path: string): string {
    return this.#run("show", `${commit}:./${path}`);
  }

  #has(commit: string): boolean {
    try {
      this.#run("cat-file", "-e", `${commit}^{commit}`);
      return true;
    } catch {
      return false;
    }
  }

  #fetch(commit: string): void {
    try {
      this.#run("fetch", "--no-tags", "--depth=1", "origin", commit);
    } catch (error) {
      throw new Error(
        `commit ${commit} is missing and can't be fetched; set fetch-depth: 0 for actions/checkout (${messageOf(error)})`,
      );
    }
  }

  #run(...args: readonly string[]): string {
    const workspace = this.env.GITHUB_WORKSPACE;
    // In a container, another user owns the folder, which git refuses by default.
    const safe = workspace ? ["-c", `safe.directory=${workspace}`] : [];
    return execFileSync("git", [...safe, ...args], { encoding: "utf8", stdio: ["ignore", "pipe", "pipe"] });
  }
}
