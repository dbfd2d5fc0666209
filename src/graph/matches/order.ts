import type { HeaderMatch, Match, PathKind, QueryMatch } from "./match-types.js";

type Order<T> = (a: T, b: T) => number;

const text: Order<string> = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
const by =
  <T>(...orders: Order<T>[]): Order<T> =>
  (a, b) => {
    for (const order of orders) {
      const result = order(a, b);
      if (result !== 0) return result;
    }
    return 0;
  };
const rank =
  <K extends string>(...kinds: K[]): Order<K> =>
  (a, b) =>
    kinds.indexOf(a) - kinds.indexOf(b);
const flag = (a: boolean, b: boolean): number => Number(a) - Number(b);

const headerKind = rank<HeaderMatch["kind"]>("exact", "regex", "contains", "present");
const queryKind = rank<QueryMatch["kind"]>("exact", "regex", "prefix", "suffix", "contains", "present");

/** Name, then exact < regex < contains < present, value, plain before inverted. */
export const compareHeaders: Order<HeaderMatch> = by(
  (a, b) => text(a.name, b.name),
  (a, b) => headerKind(a.kind, b.kind),
  (a, b) => text(a.value, b.value),
  (a, b) => flag(a.invert, b.invert),
  (a, b) => flag(a.ignoreCase, b.ignoreCase),
  (a, b) => flag(a.treatMissingAsEmpty, b.treatMissingAsEmpty),
);

/** Name, then exact < regex < prefix < suffix < contains < present, value, case-sensitive first. */
export const compareQueries: Order<QueryMatch> = by(
  (a, b) => text(a.name, b.name),
  (a, b) => queryKind(a.kind, b.kind),
  (a, b) => text(a.value, b.value),
  (a, b) => flag(a.ignoreCase, b.ignoreCase),
);

/** The first difference decides. Unlike Contour's comparison this is a total order. */
function lexicographic<T>(order: Order<T>): Order<readonly T[]> {
  return (a, b) => {
    for (let i = 0; i < Math.min(a.length, b.length); i++) {
      const result = order(a[i] as T, b[i] as T);
      if (result !== 0) return result;
    }
    return a.length - b.length;
  };
}

const pathClass = rank<"exact" | "regex" | "prefix">("exact", "regex", "prefix");
const classOf = (kind: PathKind): "exact" | "regex" | "prefix" =>
  kind === "exact" || kind === "regex" ? kind : "prefix";

/**
 * Prefixes of segments and of text are in the same class: of two for one path, the one with more conditions comes
 * first.
 */
const comparePaths: Order<Match["path"]> = by(
  (a, b) => pathClass(classOf(a.kind), classOf(b.kind)),
  (a, b) => (a.kind === "exact" ? 0 : b.value.length - a.value.length),
  (a, b) => text(b.value, a.value),
  (a, b) => flag(a.kind === "bare", b.kind === "bare"),
);

/** How specific a match is, most specific first. */
const compareCloseness: Order<Match> = by(
  (a, b) => comparePaths(a.path, b.path),
  (a, b) => flag(hasMethod(b), hasMethod(a)),
  (a, b) => b.headers.length - a.headers.length,
  (a, b) => b.queries.length - a.queries.length,
  (a, b) => prefixKind(a.path.kind, b.path.kind),
);

const prefixKind = rank<PathKind>("segment", "prefix", "bare", "exact", "regex");
const hasMethod = (match: Match): boolean => match.headers.some((h) => h.name === ":method");
const compareHeaderLists = lexicographic(compareHeaders);
const compareQueryLists = lexicographic(compareQueries);

/**
 * The order in which Envoy tries the routes of a virtual host (Contour's precedence, made a total order): exact,
 * regex, prefix; longer paths first; matches with a method first; more headers, then more query parameters first.
 */
export const compareMatches: Order<Match> = by(
  compareCloseness,
  (a, b) => compareHeaderLists(a.headers, b.headers),
  (a, b) => compareQueryLists(a.queries, b.queries),
);

/** The same for routes: among equally specific matches, a lower priority comes first. */
export const compareRoutes: Order<{ readonly match: Match; readonly priority?: number }> = by(
  (a, b) => compareCloseness(a.match, b.match),
  (a, b) => (a.priority ?? 0) - (b.priority ?? 0),
  (a, b) => compareMatches(a.match, b.match),
);

/** Escapes text so that RE2 matches it literally. */
export const quoteRegex = (literal: string): string => literal.replace(/[\\.+*?()|[\]{}^$]/g, "\\$&");
