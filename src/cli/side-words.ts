import { UsageError } from "./usage.js";

/** One thing that a side of a comparison is read from. */
export type SideWord =
  | { readonly kind: "path"; readonly path: string }
  /** Without a path: those of the other side. */
  | { readonly kind: "git"; readonly ref: string; readonly path?: string }
  | { readonly kind: "kube"; readonly context?: string }
  | { readonly kind: "xds"; readonly url: string }
  | { readonly kind: "snapshot"; readonly file: string };

/** What each prefix expects behind it. */
const expected = {
  git: "a branch, tag or commit, and after a further colon a path",
  xds: "the URL of a server",
  snapshot: "a file that isoline compile -o has written",
  kube: "a context of the kubeconfig",
} as const;

/**
 * `manifests/`, `git:main`, `git:main:manifests/`, `kube`, `kube:CONTEXT`, `xds:URL` or `snapshot:FILE`. A path that begins like one of
 * these is written with `./` before it.
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

/** What a comparison is between: `BEFORE AFTER`, or `--from` and `--to` as often as a side has parts. */
export interface SideArguments {
  readonly before?: string | undefined;
  readonly after?: string | undefined;
  readonly from: readonly string[];
  readonly to: readonly string[];
}

/**
 * The words of both sides. A side of `xds:` or `snapshot:` has no other parts, as it is compiled already.
 *
 * @throws UsageError when a side is not named, or is named twice.
 */
export function readSides({ before, after, from, to }: SideArguments): readonly [SideWord[], SideWord[]] {
  const [old, now] = namedSides({ before, after, from, to });
  const sides = [old, now].map((words) => words.map(readSideWord));
  for (const words of sides) {
    const compiled = words.find(({ kind }) => kind === "xds" || kind === "snapshot");
    if (compiled && words.length > 1)
      throw new UsageError(`a side of ${compiled.kind}: is compiled already, and has no other parts`);
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
  throw new UsageError("name each side once: isoline diff BEFORE AFTER, or --from SIDE and --to SIDE");
}
