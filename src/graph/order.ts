import type { ObjectMeta } from "../schema/meta.js";
import { compareMatches, compareRoutes } from "./match.js";
import type { Route } from "./types.js";

/**
 * Sorts the routes of a host; of routes with the same match the last one given stays. To those with a rewritten prefix
 * that ends in a slash the same path without the slash is added.
 */
export function orderRoutes(routes: readonly Route[]): Route[] {
  const sorted = [...routes].sort((a, b) => compareMatches(a.match, b.match));
  const unique = sorted.filter((route, i) => {
    const next = sorted[i + 1];
    return !next || compareMatches(route.match, next.match) !== 0;
  });
  const all = withBarePaths(unique);
  return all.some(({ priority }) => priority) ? all.sort(compareRoutes) : all;
}

/** Each added route has its own place, after all that are written for its path: the order of those stays. */
function withBarePaths(routes: Route[]): Route[] {
  const bare = routes.flatMap((route) => bareRoute(route) ?? []);
  if (bare.length === 0) return routes;
  const key = ({ match: { path, headers, queries } }: Route): string =>
    JSON.stringify([path.value, headers, queries]);
  const exact = new Set(routes.filter(({ match }) => match.path.kind === "exact").map(key));
  return [...routes, ...bare.filter((route) => !exact.has(key(route)))].sort((a, b) =>
    compareMatches(a.match, b.match),
  );
}

/** The route for the path without the final slash of its prefix, which has all other conditions and policies. */
function bareRoute(route: Route): Route | undefined {
  const { match, action, policies } = route;
  const bare = (action.kind === "redirect" ? action.rewrite : policies.pathRewrite)?.bare;
  if (bare === undefined) return undefined;
  const rewrite = { prefix: bare };
  return {
    ...route,
    match: { ...match, path: { kind: "bare", value: match.path.value.slice(0, -1) } },
    ...(action.kind === "redirect"
      ? { action: { ...action, rewrite } }
      : { policies: { ...policies, pathRewrite: rewrite } }),
  };
}

interface Aged {
  readonly meta: Pick<ObjectMeta, "created" | "namespace" | "name">;
}

/** The oldest first, then by name: the order in which objects of one kind have a say. */
export function byAge(a: Aged, b: Aged): number {
  const age = ({ meta }: Aged): string => `${meta.created}\n${meta.namespace}/${meta.name}`;
  return age(a) < age(b) ? -1 : 1;
}
