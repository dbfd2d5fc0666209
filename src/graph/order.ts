import type { ObjectMeta } from "../schema/meta.js";
import { compareMatches, compareRoutes } from "./match.js";
import type { Route } from "./types.js";

/** Sorts the routes of a host; of routes with the same match the last one given stays. */
export function orderRoutes(routes: readonly Route[]): Route[] {
  const sorted = [...routes].sort((a, b) => compareMatches(a.match, b.match));
  const unique = sorted.filter((route, i) => {
    const next = sorted[i + 1];
    return !next || compareMatches(route.match, next.match) !== 0;
  });
  return unique.some(({ priority }) => priority) ? unique.sort(compareRoutes) : unique;
}

interface Aged {
  readonly meta: Pick<ObjectMeta, "created" | "namespace" | "name">;
}

/** The oldest first, then by name: the order in which objects of one kind have a say. */
export function byAge(a: Aged, b: Aged): number {
  const age = ({ meta }: Aged): string => `${meta.created}\n${meta.namespace}/${meta.name}`;
  return age(a) < age(b) ? -1 : 1;
}
