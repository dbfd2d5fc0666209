import { existsSync } from "node:fs";
import { dirname, join, relative, resolve, sep } from "node:path";
import type { Located } from "../sources/files/objects.js";
import type { CheckFormat } from "./check-formats.js";

/**
 * Findings with the paths that a format requires: GitHub, GitLab and code scanning expect paths from the root of the
 * repository, which is `--base-dir` or the nearest parent folder with `.git`. Text and JSON keep the given paths,
 * unless `--base-dir` is set.
 */
export function placed(
  located: readonly Located[],
  { format, baseDir }: { readonly format: CheckFormat; readonly baseDir?: string | undefined },
): readonly Located[] {
  const isForRepository = format === "github" || format === "gitlab" || format === "sarif";
  const root = baseDir ?? (isForRepository ? repositoryOf(process.cwd()) : undefined);
  if (root === undefined) return located;
  return located.map((one) => ({ ...one, file: pathFrom(resolve(root), one.file) }));
}

/** The nearest folder with `.git`: the folder itself or a parent. */
export function repositoryOf(folder: string): string | undefined {
  if (existsSync(join(folder, ".git"))) return folder;
  const parent = dirname(folder);
  return parent === folder ? undefined : repositoryOf(parent);
}

/** A file outside of the folder keeps its path. */
function pathFrom(root: string, file: string): string {
  if (file === "" || file === "-") return file;
  const path = relative(root, resolve(file));
  return path.startsWith("..") ? file : path.split(sep).join("/");
}
