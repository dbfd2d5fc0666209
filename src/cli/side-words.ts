import { UsageError } from "./usage.js";

/** One part of a side of a comparison. */
export type SideWord =
  | { readonly kind: "path"; readonly path: string }
  /** Without a path: the paths of the other side. */
  | { readonly kind: "git"; readonly ref: string; readonly path?: string }
  | { readonly kind: "kube"; readonly context?: string }
  | { readonly kind: "xds"; readonly url: string }
  | { readonly kind: "snapshot"; readonly file: string };

/** The expected text after each prefix. */
const expected = {
  git: "a branch, tag or commit, optionally followed by a colon and a path",
  xds: "the URL of a server",
  snapshot: "a file that isoline compile -o has written",
  kube: "a context of the kubeconfig",
} as const;

/**
 * Parses `manifests/`, `git:main`, `git:main:manifests/`, `kube`, `kube:CONTEXT`, `xds:URL` or `snapshot:FILE`. A path
 * that begins like one of these needs `./` before it.
 *
 * @throws UsageError
 */
export function readSideWord(word: string): SideWord {
  if (word === "kube") return { kind: "kube" };
  const [, kind, rest = ""] = /^(git|xds|snapshot|kube):(.*)$/s.exec(word) ?? [];
  if (kind === undefined) return { kind: "path", path: word };
  if (rest === "" || rest.startsWith(":"))
    throw new UsageError(`${word}: expected ${expected[kind as keyof typeof expected]}`);
  switch (kind) {
    case "xds":
      return { kind, url: rest };
    case "snapshot":
      return { kind, file: rest };
    case "kube":
      return { kind, context: rest };
    default: {
      const colon = rest.indexOf(":");
      if (colon < 0) return { kind: "git", ref: rest };
      return { kind: "git", ref: rest.slice(0, colon), path: rest.slice(colon + 1) || "." };
    }
  }
}

/** The sides of a comparison: `BEFORE AFTER`, or `--from` and `--to`, repeated for each part of a side. */
export interface SideArguments {
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/**
 * The words of both sides. A side of `xds:` or `snapshot:` has no other parts, because it is compiled already.
 *
 * @throws UsageError when a side is missing, or given twice.
 */
export function readSides({ before, after, from, to }: SideArguments): readonly [SideWord[], SideWord[]] {
  const [old, now] = namedSides({ before, after, from, to });
  const sides = [old, now].map((words) => words.map(readSideWord));
  for (const words of sides) {
    const compiled = words.find(({ kind }) => kind === "xds" || kind === "snapshot");
    if (compiled && words.length > 1)
      throw new UsageError(
        `a side of ${compiled.kind}: is compiled already and must be the only part of its side`,
      );
  }
  const stdin = sides.flat().filter((word) => word.kind === "path" && word.path === "-");
  if (stdin.length > 1) throw new UsageError("only one side can be standard input");
  return sides as unknown as readonly [SideWord[], SideWord[]];
}

function namedSides({
  before,
  after,
  from,
  to,
}: SideArguments): readonly [readonly string[], readonly string[]] {
  const flags = Number(from.length > 0) + Number(to.length > 0);
  if (before !== undefined && after !== undefined && flags === 0) return [[before], [after]];
  if (before !== undefined && after === undefined && flags === 1)
    return from.length > 0 ? [from, [before]] : [[before], to];
  if (before === undefined && flags === 2) return [from, to];
  throw new UsageError("give each side once: isoline diff BEFORE AFTER, or --from SIDE and --to SIDE");
}
