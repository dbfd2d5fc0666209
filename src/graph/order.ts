import { compareMatches } from "./match.js";
import type { Route } from "./types.js";

/** Sorts the routes of a host; of routes with the same match the last one given stays. */
export function orderRoutes(routes: readonly Route[]): Route[] {
  if (routes.length < 2) return [...routes];
  const byMatch = new Map<string, Route>();
  for (const route of routes) byMatch.set(JSON.stringify(route.match), route);
  return [...byMatch.values()].sort((a, b) => compareMatches(a.match, b.match));
}
