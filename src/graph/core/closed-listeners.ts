import { servesGateways } from "../../schema/gateway-settings.js";
import { kindOf, namespaceOf, type Ref } from "../../schema/meta.js";
import { routingKinds } from "../../schema/routing-kinds.js";
import { widerThan } from "../api/gateway/hostnames.js";
import { hostUnit, routesKey, tcpUnit } from "./keys.js";
import type { Site, Sites, VirtualHost } from "./nodes.js";
import type { Reader } from "./reader.js";
import { claimantsOf } from "./sharing.js";

interface Kept {
  readonly host: string;
  /** The host's own sites. */
  readonly sites: Sites;
  /** Whether objects of a namespace may use the host. */
  readonly isKeeper: (namespace: string) => boolean;
}

/**
 * The listeners to close for a host that is reserved for some namespaces: the host has no routes there, and a wider
 * host (`*.example.com`, any host) of other namespaces would receive its requests. `sitesOf` returns the sites of a
 * host.
 */
export function closedListeners(
  { host, sites, isKeeper }: Kept,
  sitesOf: (host: string) => Sites,
  reader: Reader,
): VirtualHost["closed"] {
  const closed = new Map<string, "http" | "tcp">();
  const decided = new Set([...sites].flatMap(([listener, site]) => (isServing(site) ? listener : [])));
  for (const wider of widerThan(host)) {
    if (!mayHaveOthers(wider, isKeeper, reader)) continue;
    for (const [listener, site] of sitesOf(wider)) {
      if (decided.has(listener) || !isServing(site)) continue;
      // Envoy uses the most specific wildcard of a listener.
      decided.add(listener);
      if ([...claimantsOf(site)].every((ref) => isKeeper(namespaceOf(ref)))) continue;
      closed.set(listener, site.terms.kind === "tcp" ? "tcp" : "http");
    }
  }
  return closed;
}

const isServing = ({ terms, routes }: Site): boolean => terms.kind === "tcp" || routes.length > 0;

const claimKinds: readonly string[] = routingKinds;

/**
 * Whether an object of another namespace may claim a wildcard. Compares names only, which is cheap: most wildcards
 * have claims of keepers alone.
 */
function mayHaveOthers(host: string, isKeeper: Kept["isKeeper"], reader: Reader): boolean {
  const isOther = (ref: Ref): boolean => claimKinds.includes(kindOf(ref)) && !isKeeper(namespaceOf(ref));
  if (reader.claimants(hostUnit(host)).some(isOther)) return true;
  if (!servesGateways(reader.settings)) return false;
  const keys = [...[host, ...widerThan(host)].map(routesKey), tcpUnit];
  return keys.some((key) => reader.claimants(key).some(isOther));
}
