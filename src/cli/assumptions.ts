import { readFileSync } from "node:fs";
import { type Assumable, type Assumed, type Assumption, assumable } from "../assume/assume.js";
import { kindOf, namespaceOf, type Ref } from "../schema/meta.js";
import { messageOf, plural } from "../schema/words.js";
import type { Manifests } from "../sources/files/objects.js";
import { refPattern } from "./ref-pattern.js";
import { UsageError } from "./usage.js";

/** The options of commands that compile files which may be only a part of a Kubernetes cluster. */
export interface AssumptionOptions {
  /** `auto`, `none`, `all`, or kinds separated by commas, such as `services,secrets`. */
  readonly assumeMissing?: string;
  /** Files that list existing objects that are not among the manifests. */
  readonly known?: readonly string[];
}

const kindsByWord = new Map<string, Assumable>(
  assumable.flatMap((kind) => [
    [kind.toLowerCase(), kind],
    [`${kind.toLowerCase()}s`, kind],
  ]),
);

/**
 * The objects that may be assumed in addition to the manifests.
 *
 * @throws UsageError when an option or a file of `--known` can't be read.
 */
export function assumptionOf(
  { assumeMissing = "auto", known = [] }: AssumptionOptions,
  { owned }: Manifests,
): Assumption {
  const patterns = known.flatMap(readKnown);
  return {
    mode: modeOf(assumeMissing),
    owned,
    isKnown: (ref) => patterns.some((pattern) => pattern.test(ref)),
  };
}

/** A Kubernetes cluster is completely known. */
export const nothingAssumed: Assumption = { mode: "none", owned: new Set(), isKnown: () => false };

function modeOf(text: string): Assumption["mode"] {
  if (text === "auto" || text === "none" || text === "all") return text;
  return text.split(",").map((word) => {
    const kind = kindsByWord.get(word.trim().toLowerCase());
    if (kind) return kind;
    const kinds = assumable.map((one) => `${one.toLowerCase()}s`).join(", ");
    throw new UsageError(
      `--assume-missing: ${JSON.stringify(word)} is not auto, none, all or one of ${kinds}`,
    );
  });
}

/** Reads lines of `Kind/namespace/name` with `*` for any text; `#` begins a comment. */
function readKnown(file: string): RegExp[] {
  let text: string;
  try {
    text = readFileSync(file, "utf8");
  } catch (error) {
    throw new UsageError(`--known: ${messageOf(error)}`);
  }
  return text.split("\n").flatMap((line, i) => {
    const pattern = line.replace(/#.*/, "").trim();
    if (pattern === "") return [];
    const compiled = refPattern(pattern);
    if (compiled) return [compiled];
    throw new UsageError(
      `--known: ${file}:${i + 1}: ${JSON.stringify(pattern.slice(0, 80))} is not KIND/NAMESPACE/NAME (* matches any text)`,
    );
  });
}

const maxNames = 5;

/** `assumed to exist: 2 Services (shop/web, shop/api), 1 Secret (shop/cert)`; no line when nothing is assumed. */
export function formatAssumed({ refs, restricting }: Assumed): readonly string[] {
  const listed = assumable.flatMap((kind) => {
    const names = refs.filter((ref) => kindOf(ref) === kind).map(nameOf);
    return names.length > 0 ? [`${plural(names.length, kind)} (${shorten(names)})`] : [];
  });
  if (listed.length === 0) return [];
  const lines = [`assumed to exist: ${listed.join(", ")}`];
  if (restricting.length > 0)
    lines.push(
      `assumed objects that restrict access: ${shorten(restricting.map((ref) => `${kindOf(ref)} ${nameOf(ref)}`))}`,
    );
  return lines;
}

const nameOf = (ref: Ref): string => `${namespaceOf(ref)}/${ref.split("/")[2]}`;

const shorten = (names: readonly string[]): string =>
  names.length <= maxNames
    ? names.join(", ")
    : `${names.slice(0, maxNames).join(", ")} and ${names.length - maxNames} more`;
