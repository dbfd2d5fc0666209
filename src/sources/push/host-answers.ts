import type { VirtualHost } from "../../gen/envoy.js";
import type { UnitKey } from "../../graph/core/keys.js";
import type { Resource, Store } from "../../store/store.js";
import { closedCluster } from "../../xds/filter-chain.js";
import { contentHash } from "../../xds/hash.js";

/** Routes that answer with this status or above are the compiler's answer to an error, or equivalent to one. */
const serverError = 500;

/**
 * The answers of some hosts and TCP listeners: a digest for each route (by table and match) and each filter chain,
 * without routes that answer with a server error and without closed chains.
 */
export function answersOf(store: Pick<Store, "unit">, units: readonly UnitKey[]): Set<string> {
  const found = new Set<string>();
  for (const unit of units)
    for (const resource of store.unit(unit)?.resources ?? [])
      for (const answer of answersIn(resource)) found.add(contentHash(`${unit}\n${answer}`).slice(0, 16));
  return found;
}

function* answersIn({ type, group, name, json }: Resource): Iterable<string> {
  if (type === "filter-chain" && !json.includes(`"${closedCluster}"`)) yield `chain\n${group}\n${name}`;
  if (type !== "virtual-host") return;
  const { routes = [] } = JSON.parse(json) as VirtualHost;
  for (const { match, direct_response: response } of routes)
    if (!response || Number(response.status) < serverError) yield `route\n${group}\n${JSON.stringify(match)}`;
}
