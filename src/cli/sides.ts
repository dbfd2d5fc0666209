import type { KubeOptions } from "../kubernetes/node/config.js";
import type { Ref } from "../schema/meta.js";
import type { Settings } from "../schema/settings.js";
import type { ManifestPlace } from "../sources/files/load.js";
import type { Located } from "../sources/files/objects.js";
import { type ForeignConfig, parseConfig, readConfigFile } from "./config-file.js";
import { exportTree } from "./git-tree.js";
import { type Input, readInput } from "./kube-manifests.js";
import { type RepositoryManifests, readRepository } from "./repository-objects.js";
import { askServer, type ServerAccess } from "./server-url.js";
import type { SideWord } from "./side-words.js";

/** Options for reading the parts of a side. */
export interface SideOptions extends KubeOptions, ServerAccess {
  readonly build?: boolean;
}

/** A side of objects, to be compiled. */
export interface ObjectSide {
  readonly label: string;
  readonly input: Input;
  /** Whether a Kubernetes cluster is a part of it, so that all objects are known. */
  readonly isLive: boolean;
}

/** A side that is compiled already. */
export interface ForeignSide extends ForeignConfig {
  readonly label: string;
}

/**
 * Reads one side. If several parts have an object of one name, the one of the last part counts.
 *
 * @param others the words of the other side: a commit without a path is read at its paths.
 * @throws Error when a part can't be reached or read.
 */
export async function readSide(
  words: readonly SideWord[],
  others: readonly SideWord[],
  settings: Settings,
  options: SideOptions,
): Promise<ObjectSide | ForeignSide> {
  const label = words.map(labelOf).join(" + ");
  const [only] = words;
  if (only?.kind === "xds")
    return {
      label,
      ...parseConfig(await askServer("xds:", only.url, "config", options), `xds:${only.url}`),
    };
  if (only?.kind === "snapshot") return { label, ...readConfigFile(only.file) };
  const inputs: Input[] = [];
  for (const word of words) inputs.push(await readPart(word, others, settings, options));
  return { label, input: inputs.reduce(appliedOver), isLive: words.some(({ kind }) => kind === "kube") };
}

function labelOf(word: SideWord): string {
  switch (word.kind) {
    case "path":
      return word.path;
    case "git":
      return `git:${word.ref}${word.path === undefined ? "" : `:${word.path}`}`;
    case "kube":
      return word.context === undefined ? "the cluster" : `the cluster ${word.context}`;
    case "xds":
      return word.url;
    case "snapshot":
      return word.file;
  }
}

async function readPart(
  word: SideWord,
  others: readonly SideWord[],
  settings: Settings,
  { build = false, kubeconfig, context }: SideOptions,
): Promise<Input> {
  const { watchNamespaces } = settings.spec;
  switch (word.kind) {
    case "path":
      return { ...readRepository([word.path], watchNamespaces, { build }), settings };
    case "git":
      return { ...readCommit(word, pathsOf(word, others), watchNamespaces, build), settings };
    case "kube": {
      const chosen = word.context ?? context;
      return readInput(
        {
          file: [],
          kube: [""],
          ...(kubeconfig === undefined ? {} : { kubeconfig }),
          ...(chosen === undefined ? {} : { context: chosen }),
        },
        settings,
      );
    }
    default:
      throw new Error(`${labelOf(word)} is compiled already`);
  }
}

const pathsOf = ({ path }: { readonly path?: string }, others: readonly SideWord[]): readonly string[] => {
  if (path !== undefined) return [path];
  const found = others.flatMap((word) => {
    if (word.kind === "path") return word.path === "-" ? [] : [word.path];
    return word.kind === "git" && word.path !== undefined ? [word.path] : [];
  });
  return found.length > 0 ? found : ["."];
};

/**
 * The manifests of a commit, with their paths in it. A path that comes from the other side may be missing.
 *
 * @throws Error when the path of the word itself is missing.
 */
function readCommit(
  { ref, path }: { readonly ref: string; readonly path?: string },
  paths: readonly string[],
  namespaces: readonly string[],
  build: boolean,
): RepositoryManifests {
  const tree = exportTree(ref, paths, { whole: build });
  try {
    for (const one of tree.missing) {
      if (one === path)
        throw new Error(`git:${ref}: has no ${one}; name an existing file or folder, as git:${ref}:PATH`);
      console.error(`git:${ref} has no ${one}, which counts as empty`);
    }
    const there = paths.filter((one) => !tree.missing.includes(one));
    const read = readRepository(there.map(tree.at), namespaces, { build });
    const located = ({ finding, file, line }: Located): Located => ({
      finding: { ...finding, message: tree.named(finding.message) },
      file: tree.named(file),
      line,
    });
    const problems = tree.problems.map(
      ({ file, severity, message }): Located => ({
        finding: { about: "File//", severity, type: "FileError", reason: "NotReadable", message },
        file,
        line: 0,
      }),
    );
    const place = (one: ManifestPlace): ManifestPlace => ({ ...one, file: tree.named(one.file) });
    return {
      ...read,
      located: [...problems, ...read.located.map(located)],
      configurations: read.configurations.map((one) => ({ ...one, place: place(one.place) })),
      documents: new Map([...read.documents].map(([about, one]) => [about, place(one)])),
      broken: new Set([
        ...[...read.broken].map(tree.named),
        ...tree.problems.flatMap(({ file, severity }) => (severity === "error" ? [file] : [])),
      ]),
      unnamed: new Set([...read.unnamed].map(tree.named)),
    };
  } finally {
    tree.remove();
  }
}

/** Applies one input over another. */
function appliedOver(below: Input, above: Input): Input {
  const objects = new Map([...below.objects, ...above.objects].map((object) => [object.ref, object]));
  const replaced = (ref: Ref): boolean => above.documents.has(ref);
  const counts = (a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): Map<string, number> => {
    const sum = new Map(a);
    for (const [what, count] of b) sum.set(what, (sum.get(what) ?? 0) + count);
    return sum;
  };
  return {
    objects: [...objects.values()],
    located: [...below.located.filter(({ finding }) => !replaced(finding.about)), ...above.located],
    documents: new Map([...below.documents, ...above.documents]),
    invalid: new Set([...[...below.invalid].filter((ref) => !replaced(ref)), ...above.invalid]),
    broken: new Set([...below.broken, ...above.broken]),
    unnamed: new Set([...below.unnamed, ...above.unnamed]),
    ignored: counts(below.ignored, above.ignored),
    owned: new Set([...below.owned, ...above.owned]),
    leftOut: counts(below.leftOut, above.leftOut),
    nameless: below.nameless + above.nameless,
    // The first of several settings is used.
    configurations: [...above.configurations, ...below.configurations],
    foreign: [...below.foreign, ...above.foreign],
    settings: above.settings,
  };
}
