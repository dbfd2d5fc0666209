import { RE2JS } from "re2js";
import type { HeaderMatch, Match, PathMatch, QueryMatch } from "../graph/matches/match-types.js";
import { literalHead } from "./matches.js";

/** Whether a request can match both; true if this cannot be determined. */
export const overlaps = (a: Match, b: Match): boolean =>
  pathsOverlap(a.path, b.path) &&
  !a.headers.some((one) => b.headers.some((other) => headersExclude(one, other))) &&
  !a.queries.some((one) => b.queries.some((other) => queriesExclude(one, other)));

/** Whether each request that matches `inner` also matches `outer`; false if this cannot be determined. */
export const covers = (outer: Match, inner: Match): boolean =>
  pathCovers(outer.path, inner.path) &&
  outer.headers.every((one) => inner.headers.some((other) => same(one, other))) &&
  outer.queries.every((one) => inner.queries.some((other) => same(one, other)));

const same = (a: object, b: object): boolean => JSON.stringify(a) === JSON.stringify(b);

function pathsOverlap(a: PathMatch, b: PathMatch): boolean {
  if (a.kind === "exact") return takes(b, a.value);
  if (b.kind === "exact") return takes(a, b.value);
  const [first, second] = [headOf(a), headOf(b)];
  return first.startsWith(second) || second.startsWith(first);
}

const headOf = ({ kind, value }: PathMatch): string => (kind === "regex" ? literalHead(value) : value);

/** Whether a path matches. */
export function takes({ kind, value }: PathMatch, path: string): boolean {
  switch (kind) {
    case "prefix":
      return path.startsWith(value);
    case "segment":
      return path === value || path.startsWith(`${value}/`);
    case "regex":
      return wholeMatch(value, path);
    default:
      return path === value;
  }
}

function wholeMatch(expression: string, path: string): boolean {
  try {
    return RE2JS.compile(expression).matcher(path).matches();
  } catch {
    return true;
  }
}

function pathCovers(outer: PathMatch, inner: PathMatch): boolean {
  if (inner.kind === "exact") return isSure(outer) && takes(outer, inner.value);
  if (outer.kind === "prefix") return headOf(inner).startsWith(outer.value);
  if (outer.kind === "segment")
    return inner.kind === "segment" ? takes(outer, inner.value) : headOf(inner).startsWith(`${outer.value}/`);
  return outer.kind === "regex" && inner.kind === "regex" && outer.value === inner.value;
}

/** Whether the result of `takes` is reliable. A regular expression that RE2 cannot parse counts there as a match. */
function isSure({ kind, value }: PathMatch): boolean {
  if (kind !== "regex") return true;
  try {
    RE2JS.compile(value);
    return true;
  } catch {
    return false;
  }
}

function headersExclude(a: HeaderMatch, b: HeaderMatch): boolean {
  if (a.name !== b.name) return false;
  if (a.kind === "exact" && b.kind === "exact" && !a.ignoreCase && !b.ignoreCase) {
    if (!a.invert && !b.invert) return a.value !== b.value;
    return a.invert !== b.invert && a.value === b.value;
  }
  if (a.kind === "present" || b.kind === "present") {
    const [present, other] = a.kind === "present" ? [a, b] : [b, a];
    if (present.invert) return !other.invert;
    return other.kind === "present" && other.invert;
  }
  return false;
}

const queriesExclude = (a: QueryMatch, b: QueryMatch): boolean =>
  a.name === b.name &&
  a.kind === "exact" &&
  b.kind === "exact" &&
  !a.ignoreCase &&
  !b.ignoreCase &&
  a.value !== b.value;
