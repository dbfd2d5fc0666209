import type { RouteObject } from "./gateway.js";

/** What a route may take of all route tables together; Envoy can't be sent a table of twice this. */
export const maxRouteBytes = 16 * 1024 * 1024;

/** What a route of Envoy has beside what a user wrote. */
const frameBytes = 256;

const sizes = new WeakMap<RouteObject, number>();

/**
 * About the bytes that a route takes for one host of one listener: as filters and backends of a rule are written for each of its
 * matches, many times those of the object.
 */
export function routeBytes(route: RouteObject): number {
  const known = sizes.get(route);
  if (known !== undefined) return known;
  let bytes = 0;
  for (const { backendRefs, ...rule } of route.spec.rules) {
    const { filters = [], matches = [] }: { filters?: readonly unknown[]; matches?: readonly unknown[] } =
      rule;
    const shared = JSON.stringify([backendRefs, filters]).length + frameBytes;
    bytes += JSON.stringify(matches).length + Math.max(1, matches.length) * shared;
  }
  sizes.set(route, bytes);
  return bytes;
}
