import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { basename, extname, isAbsolute, join, normalize, relative } from "node:path";
import ignore, { type Ignore } from "ignore";
import type { Ref } from "../schema/meta.js";
import { messageOf } from "../schema/words.js";
import { isSpecial, manifestNames, specialFile } from "../sources/files/load.js";
import { repositoryOf } from "./base-dir.js";
import { type FolderFinding, kustomizationNames, readKustomizations } from "./kustomization.js";

/** The readable content of a command's paths. */
export interface Repository {
  /** Files sorted by name; `-` is standard input. */
  readonly files: readonly string[];
  /** Kustomizations that were built, with their output. */
  readonly built: readonly { readonly file: string; readonly text: string }[];
  readonly findings: readonly FolderFinding[];
  /** Secrets and ConfigMaps that generators of kustomizations create. */
  readonly generated: readonly Ref[];
  /** Number of files that were left out, by description. */
  readonly leftOut: ReadonlyMap<string, number>;
}

interface Walk {
  readonly root: string;
  /** Links may only lead to files in this folder: the repository, or the root if there is none. */
  readonly bounds: string;
  readonly ignored: Ignore;
  readonly files: string[];
  readonly charts: Map<string, number>;
  readonly kustomizations: string[];
  readonly leftOut: Map<string, number>;
}

const ignoreFile = ".isolineignore";

/**
 * The manifests of paths: files as given; in folders all YAML and JSON files, except those that `.isolineignore` (in
 * the format of .gitignore) lists, the files of Helm charts, and kustomizations with their patches. With `build`, each
 * kustomization that no other one refers to is built by `kustomize` or `kubectl kustomize`, and its folder is not
 * read. Reads no other files; never throws.
 */
export function findManifests(
  paths: readonly string[],
  { build = false }: { readonly build?: boolean } = {},
): Repository {
  const files: string[] = [];
  const findings: FolderFinding[] = [];
  const built: { file: string; text: string }[] = [];
  const generated: Ref[] = [];
  const leftOut = new Map<string, number>();
  for (const path of paths) {
    if (!isFolder(path)) {
      files.push(path);
      continue;
    }
    const walk: Walk = {
      root: path,
      bounds: realpathSync(repositoryOf(realpathSync(path)) ?? path),
      ignored: readIgnore(path),
      files: [],
      charts: new Map(),
      kustomizations: [],
      leftOut,
    };
    walkFolder(path, walk, findings, undefined);
    for (const [chart, count] of walk.charts) findings.push(chartFinding(chart, count));
    const read = readKustomizations(walk.kustomizations, build);
    const { patches, covered } = read;
    findings.push(...read.findings);
    built.push(...read.built);
    generated.push(...read.generated);
    for (const file of walk.files) {
      if (covered.some((folder) => isUnder(file, folder))) count(leftOut, "file of a built kustomization");
      else if (patches.has(normalize(file))) count(leftOut, "file that is a patch of a kustomization");
      else files.push(file);
    }
  }
  return { files, built, findings, generated, leftOut };
}

const count = (counts: Map<string, number>, what: string): void =>
  void counts.set(what, (counts.get(what) ?? 0) + 1);

function isFolder(path: string): boolean {
  try {
    return path !== "-" && statSync(path).isDirectory();
  } catch {
    return false;
  }
}

function readIgnore(root: string): Ignore {
  const file = join(root, ignoreFile);
  return existsSync(file) && !isSpecial(file) ? ignore().add(readFileSync(file, "utf8")) : ignore();
}

function walkFolder(folder: string, walk: Walk, findings: FolderFinding[], chart: string | undefined): void {
  let entries: Entry[];
  try {
    entries = readEntries(folder);
  } catch (error) {
    const message = messageOf(error);
    findings.push({ file: folder, severity: "error", reason: "NotReadable", message });
    return;
  }
  const own = entries.some(({ name, isFile }) => isFile && name === "Chart.yaml") ? (chart ?? folder) : chart;
  if (own === folder) walk.charts.set(folder, 0);
  for (const entry of entries) {
    const path = join(folder, entry.name);
    if (entry.isLink && isFolder(path)) count(walk.leftOut, "link to a folder");
    else if (walk.ignored.ignores(relative(walk.root, path) + (entry.isFile ? "" : "/")))
      count(walk.leftOut, `path of ${ignoreFile}`);
    else if (!entry.isFile) walkFolder(path, walk, findings, own);
    else if (own !== undefined) walk.charts.set(own, (walk.charts.get(own) ?? 0) + 1);
    else takeFile(path, entry, walk, findings);
  }
}

function takeFile(path: string, { name, isLink }: Entry, walk: Walk, findings: FolderFinding[]): void {
  const isKustomization = kustomizationNames.includes(name);
  if (!isKustomization && !manifestNames.has(extname(name))) return;
  const fault = faultOf(path, isLink, walk.bounds);
  if (fault !== undefined)
    findings.push({ file: path, severity: "error", reason: "NotReadable", message: fault });
  else (isKustomization ? walk.kustomizations : walk.files).push(path);
}

/** Why a file of a folder must not be read: the author of a repository must not select other files of this machine. */
function faultOf(path: string, isLink: boolean, bounds: string): string | undefined {
  if (isSpecial(path)) return specialFile;
  if (!isLink || !existsSync(path) || isUnder(realpathSync(path), bounds)) return undefined;
  return "is a link to a path outside of the repository, which is not followed; name the file itself with -f";
}

interface Entry {
  readonly name: string;
  readonly isFile: boolean;
  readonly isLink: boolean;
}

/** Entries by name. A link to a folder is skipped: it may form a circle. */
const readEntries = (folder: string): Entry[] =>
  readdirSync(folder, { withFileTypes: true })
    .map((entry) => ({
      name: entry.name,
      isFile: !entry.isDirectory(),
      isLink: entry.isSymbolicLink(),
    }))
    .sort((a, b) => (a.name < b.name ? -1 : 1));

const chartFinding = (chart: string, files: number): FolderFinding => ({
  file: join(chart, "Chart.yaml"),
  severity: "warning",
  reason: "NotRendered",
  message: `is a Helm chart whose ${files} files are not read; render it first: helm template ${basename(chart)} ${chart} | isoline check -f -`,
});

const isUnder = (path: string, folder: string): boolean => {
  const inner = relative(folder, path);
  return inner === "" || !(inner.startsWith("..") || isAbsolute(inner));
};
