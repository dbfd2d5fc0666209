import { compareMatches } from "./match.js";
import type { Route } from "./types.js";

/** Sorts the routes of a host; of routes with the same match the last one given stays. */
export function orderRoutes(routes: readonly Route[]): Route[] {
  const sorted = [...routes].sort((a, b) => compareMatches(a.match, b.match));
  return sorted.filter((route, i) => {
    const next = sorted[i + 1];
    return !next || compareMatches(route.match, next.match) !== 0;
  });
}
