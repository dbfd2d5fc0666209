import { kindOf } from "../../schema/meta.js";
import type { Route } from "../core/nodes.js";
import { withBarePaths } from "./bare-paths.js";
import type { Match } from "./match-types.js";
import { trimSlashes } from "./normalize-path.js";
import { compareMatches, compareRoutes } from "./order.js";

/** Of the same match a route of an earlier kind counts. */
const kinds = ["GRPCRoute", "HTTPRoute", "HTTPProxy", "IngressRoute", "Ingress"];
const rankOf = ({ from }: Route): number => kinds.indexOf(kindOf(from));

interface OrderOptions {
  /** The host is a wildcard, so that it matters whether a route holds for names with more labels. */
  readonly wildcard: boolean;
  /** Told of each route that has the match of another one, which comes first. */
  onSame(later: Route, first: Route): void;
}

/**
 * The routes of one host in the order in which Envoy tries them (`compareRoutes`), each match once. Of the same match a route of
 * an earlier kind counts, and among one kind the last one given.
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

/** The same for matches that can take each other's requests: a prefix of text, one of segments, and one with a final slash. */
function keyOf({ path: { kind, value }, headers, queries }: Match): string {
  const path = kind === "prefix" || kind === "segment" ? ["prefix", trimSlashes(value)] : [kind, value];
  return JSON.stringify([path, headers, queries]);
}

/** Adds a route to those of its key, without the ones that are left no requests. */
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

/** Whether a match leaves a later one of its key no path. */
function isPathTaken({ path: first }: Match, { path: later }: Match): boolean {
  if (first.kind === "prefix") return later.value.length >= first.value.length;
  // `/x/` as a prefix has no path beyond the segments of `/x`; `/x` as a prefix of text has `/xy`.
  return first.kind !== "segment" || later.kind === "segment" || later.value.length > first.value.length;
}
