import { kindOf } from "../../schema/meta.js";
import type { Route } from "../core/nodes.js";
import { withBarePaths } from "./bare-paths.js";
import type { Match } from "./match-types.js";
import { trimSlashes } from "./normalize-path.js";
import { compareMatches, compareRoutes } from "./order.js";

/** Among equal matches, a route of an earlier kind takes precedence. */
const kinds = ["GRPCRoute", "HTTPRoute", "HTTPProxy", "IngressRoute", "Ingress"];
const rankOf = ({ from }: Route): number => kinds.indexOf(kindOf(from));

interface OrderOptions {
  /** Whether the host is a wildcard: then it matters whether a route matches names with more labels. */
  readonly wildcard: boolean;
  /** Called for each route with the same match as another one that takes precedence. */
  onSame(later: Route, first: Route): void;
}

/**
 * The routes of one host in the order in which Envoy tries them (`compareRoutes`), each match once. Among equal
 * matches, a route of an earlier kind takes precedence, and within one kind the last one.
 */
export function orderRoutes(routes: readonly Route[], options: OrderOptions): Route[] {
  const groups = new Map<string, Route[]>();
  for (const route of routes) {
    const key = keyOf(route.match);
    const group = groups.get(key);
    if (group) add(group, route, options);
    else groups.set(key, [route]);
  }
  const all = withBarePaths([...groups.values()].flat());
  const compare = all.some(({ priority, rank }) => priority || rank) ? compareRoutes : compareByMatch;
  return all.sort((a, b) => compare(a, b) || spans(a) - spans(b));
}

const compareByMatch = (a: Route, b: Route): number => compareMatches(a.match, b.match);
const spans = ({ spansLabels }: Route): number => Number(spansLabels === true);

/**
 * The same key for matches that can match the same requests: a prefix of text, a prefix of segments, and one with a
 * final slash. Most matches are a path alone.
 */
function keyOf({ path: { kind, value }, headers, queries }: Match): string {
  const isPrefix = kind === "prefix" || kind === "segment";
  const path = isPrefix ? trimSlashes(value) : value;
  const name = isPrefix ? "prefix" : kind;
  return headers.length + queries.length === 0
    ? `${name} ${path}`
    : JSON.stringify([name, path, headers, queries]);
}

/** Adds a route to those of its key, without the routes that can't match any request any more. */
function add(group: Route[], route: Route, { wildcard, onSame }: OrderOptions): void {
  for (const other of [...group]) {
    const sameKind = rankOf(other) === rankOf(route);
    if (sameKind && compareByMatch(other, route) !== 0) continue;
    const [first, later] = rankOf(other) < rankOf(route) ? [other, route] : [route, other];
    const taken = isPathTaken(first.match, later.match) && (!wildcard || spans(first) >= spans(later));
    if (taken || !sameKind) onSame(later, first);
    if (!taken) continue;
    if (later === route) return;
    group.splice(group.indexOf(other), 1);
  }
  group.push(route);
}

/** Whether the first match matches all paths of a later one with the same key. */
function isPathTaken({ path: first }: Match, { path: later }: Match): boolean {
  if (first.kind === "prefix") return later.value.length >= first.value.length;
  // The segment prefix of `/x/` matches no path that `/x` does not match; the text prefix `/x` also matches `/xy`.
  return first.kind !== "segment" || later.kind === "segment" || later.value.length > first.value.length;
}
