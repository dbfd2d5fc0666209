import type { Backend } from "../core/nodes.js";
import type { HeadersPolicy } from "../policies/header-values.js";
import type { BackendPolicies } from "../policies/index.js";
import { isIP } from "./address.js";
import type { Cluster } from "./cluster.js";

/** A DNS name whose last label is no number, as that of an address is; `_` is in names of Services of some platforms. */
const dnsName =
  /^(?=.{1,253}$)(?:[a-z0-9_](?:[-a-z0-9_]*[a-z0-9_])?\.)*(?!\d+$|0x)[a-z0-9_](?:[-a-z0-9_]*[a-z0-9_])?$/i;

/**
 * The server name (SNI) for TLS to what a `Host` header or an ExternalName Service names: the host without its port, and nothing for an
 * address or text that is no DNS name (RFC 6066 §3).
 */
export function serverName(host: string): string | undefined {
  const name = host.replace(/:\d*$/, "").replace(/\.$/, "");
  return dnsName.test(name) && !isIP(name) ? name : undefined;
}

/**
 * A weighted choice of a cluster, with the server name of its TLS (`withServerName`). `route` is the route's policy for headers of
 * requests, `policies` are the backend's own.
 */
export const backendOf = (
  cluster: Cluster,
  weight: number,
  policies: BackendPolicies,
  route?: HeadersPolicy,
): Backend => ({ cluster: withServerName(cluster, route, policies.requestHeaders), weight, policies });

/**
 * A cluster whose TLS names the host of the `Host` header that it gets. Of two policies that set one, Envoy follows the route's
 * (RouteAction.host_rewrite_literal). A name that a BackendTLSPolicy gives stays. A host that is taken from the request gives no name:
 * clients could have Envoy keep connections for any number of names.
 */
export function withServerName(cluster: Cluster, route?: HeadersPolicy, own?: HeadersPolicy): Cluster {
  const host = route?.hostFromHeader ? undefined : route?.host || own?.host;
  if (!host || cluster.sni !== undefined) return cluster;
  return { ...cluster, sni: host };
}
