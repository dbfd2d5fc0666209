import type { Route } from "../core/nodes.js";

/**
 * Adds a route for each route with a rewritten prefix that ends in a slash: it matches the path without the slash. An
 * added route comes after all other routes for its path, whose order stays the same.
 */
export function withBarePaths(routes: readonly Route[]): Route[] {
  const bare = routes.flatMap((route) => bareRoute(route) ?? []);
  if (bare.length === 0) return [...routes];
  const key = ({ match: { path, headers, queries } }: Route): string =>
    JSON.stringify([path.value, headers, queries]);
  const exact = new Set(routes.filter(({ match }) => match.path.kind === "exact").map(key));
  return [...routes, ...bare.filter((route) => !exact.has(key(route)))];
}

/** The route for a prefix without its final slash, with the same other conditions and policies. */
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
