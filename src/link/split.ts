import type { Resources } from "./fragment.js";

/** Parts that route tables are served in; `auto` is 16 for tables of many hosts. */
export type RouteShards = "auto" | 1 | 16;

/** `auto` splits a table of more hosts than `splitLimit`, and joins it again only under `joinLimit`. */
const splitLimit = 400;
const joinLimit = 300;
/** Every filter chain says how to find the parts: of a table that many chains lead to, that would cost more than it saves. */
const maxChains = 64;

/** Settings of what is written once and not kept up to date: there parts would save nothing. */
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

/** Distinct filter chains, as far as that matters. */
function chainsOf(store: Resources): number {
  const chains = new Set<string>();
  for (const { json } of store.resources("filter-chain", "ingress_https")) {
    chains.add(json);
    if (chains.size > maxChains) break;
  }
  return chains.size;
}
