import type { Resources } from "./fragment.js";

/** The number of parts of a route table; `auto` is 16 for tables with many hosts. */
export type RouteShards = "auto" | 1 | 16;

/** `auto` splits a table with more than `splitLimit` hosts, and joins it again below `joinLimit`. */
const splitLimit = 400;
const joinLimit = 300;
/**
 * The limit of filter chains for a split table. Every chain contains the lookup of the parts, so with many chains a
 * split costs more than it saves.
 */
const maxChains = 64;

/** Settings for output that is written once: parts only save work for updates. */
export const withWholeTables = <T extends { readonly routeShards: RouteShards }>(settings: T): T =>
  settings.routeShards === "auto" ? { ...settings, routeShards: 1 } : settings;

/** Whether a route table is served in parts. */
export function isSplit(
  store: Resources,
  routeShards: RouteShards,
  table: string,
  hosts: number,
  before: boolean,
): boolean {
  if (routeShards !== "auto") return routeShards > 1;
  if (before ? hosts < joinLimit : hosts <= splitLimit) return false;
  return table !== "ingress_https" || chainsOf(store) <= maxChains;
}

/** The number of distinct filter chains, counted up to `maxChains` + 1. */
function chainsOf(store: Resources): number {
  const chains = new Set<string>();
  for (const { json } of store.resources("filter-chain", "ingress_https")) {
    chains.add(json);
    if (chains.size > maxChains) break;
  }
  return chains.size;
}
