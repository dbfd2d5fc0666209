import type { VirtualHost } from "../../gen/envoy.js";
import type { UnitKey } from "../../graph/core/keys.js";
import type { Resource, Store } from "../../store/store.js";
import { closedCluster } from "../../xds/closed-cluster.js";
import { contentHash } from "../../xds/hash.js";

/** Routes that answer this or more are the compiler's answer to what is wrong, or as bad. */
const serverError = 500;

/**
 * What some hosts and TCP listeners answer, a digest for each route (by table and match) and each filter chain: without routes that answer an
 * error of the server's, and chains that are closed.
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
