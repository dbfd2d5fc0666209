import { contentHash } from "../xds/hash.js";

/**
 * What an answer was made of, in the version that an Envoy reports with its next polls: a server that has lost its store sees by it
 * how much is missing. Versions of a server for pushes are `<sequence>-<hash>+<origin>.<count>.<tag>.<tag>…`.
 */
export interface Mark {
  /** The store; one that is begun anew has another. */
  readonly origin: string;
  /** How many sources it had. */
  readonly count: number;
  /** Hashes of their names, of the first `maxTags` in their order. */
  readonly tags: readonly string[];
}

const maxTags = 32;

const tagOf = (source: string): string => contentHash(source).slice(0, 6);

export function markOf(origin: string, sources: readonly string[]): Mark {
  const tags = sources.map(tagOf).sort().slice(0, maxTags);
  return { origin, count: sources.length, tags };
}

export const formatMark = ({ origin, count, tags }: Mark): string =>
  ["", origin, count, ...tags].join(".").replace(".", "+");

/** Parts a version from its mark; text that is none of ours stays whole. */
export function partVersion(text: string): { readonly version: string; readonly mark?: Mark } {
  const found = /^([^+]{1,64})\+([0-9a-f]{8})\.(\d{1,5})((?:\.[0-9a-f]{6}){0,32})$/.exec(text);
  if (!found) return { version: text };
  const [, version = "", origin = "", count, tags = ""] = found;
  return {
    version,
    mark: { origin, count: Number(count), tags: tags.split(".").filter((tag) => tag !== "") },
  };
}

/** How many of the sources of a mark are not among these. */
export function missingOf({ count, tags }: Mark, sources: readonly string[]): number {
  const here = new Set(sources.map(tagOf));
  const missing = tags.filter((tag) => !here.has(tag)).length;
  return Math.max(missing, count - sources.length);
}
