import { contentHash } from "../xds/hash.js";

/**
 * The sources of an answer, as a part of its version. Envoy reports the version in its next polls, so that a server that
 * lost its store can see how many sources are missing. Versions of a server for pushes are
 * `<sequence>-<hash>+<origin>.<count>.<tag>.<tag>…`.
 */
export interface Mark {
  /** The id of the store; a new store has a new id. */
  readonly origin: string;
  /** The number of sources. */
  readonly count: number;
  /** The hashes of the source names: the first `maxTags` of them, sorted. */
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

/** Separates a version from its mark. Text of another form is returned as the version. */
export function partVersion(text: string): { readonly version: string; readonly mark?: Mark } {
  const found = /^([^+]{1,64})\+([0-9a-f]{8})\.(\d{1,5})((?:\.[0-9a-f]{6}){0,32})$/.exec(text);
  if (!found) return { version: text };
  const [, version = "", origin = "", count, tags = ""] = found;
  return {
    version,
    mark: { origin, count: Number(count), tags: tags.split(".").filter((tag) => tag !== "") },
  };
}

/** The number of sources of a mark that are not in `sources`. */
export function missingOf({ count, tags }: Mark, sources: readonly string[]): number {
  const here = new Set(sources.map(tagOf));
  const missing = tags.filter((tag) => !here.has(tag)).length;
  return Math.max(missing, count - sources.length);
}
