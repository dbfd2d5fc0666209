import type { Backend } from "../core/nodes.js";
import type { HeadersPolicy } from "../policies/header-values.js";
import type { BackendPolicies } from "../policies/index.js";
import { isIP } from "./address.js";
import type { Cluster } from "./cluster.js";

/**
 * A DNS name whose last label is not a number, unlike that of an address. Some platforms have `_` in names of
 * Services.
 */
const dnsName =
  /^(?=.{1,253}$)(?:[a-z0-9_](?:[-a-z0-9_]*[a-z0-9_])?\.)*(?!\d+$|0x)[a-z0-9_](?:[-a-z0-9_]*[a-z0-9_])?$/i;

/**
 * The server name (SNI) of TLS for the host of a `Host` header or an ExternalName Service: the host without its port,
 * and undefined for an address or text that is not a DNS name (RFC 6066 §3).
 */
export function serverName(host: string): string | undefined {
  const name = host.replace(/:\d*$/, "").replace(/\.$/, "");
  return dnsName.test(name) && !isIP(name) ? name : undefined;
}

/**
 * A weighted backend whose cluster has the server name of its TLS (`withServerName`). `route` is the request header
 * policy of the route; `policies` are the backend's own.
 */
export const backendOf = (
  cluster: Cluster,
  weight: number,
  policies: BackendPolicies,
  route?: HeadersPolicy,
): Backend => ({ cluster: withServerName(cluster, route, policies.requestHeaders), weight, policies });

/**
 * A cluster whose TLS server name is the `Host` header that it receives. If two policies set one, Envoy uses the
 * route's (RouteAction.host_rewrite_literal). The name of a BackendTLSPolicy stays. A host that is copied from the
 * request sets no name: clients could make Envoy keep connections for any number of names.
 */
export function withServerName(cluster: Cluster, route?: HeadersPolicy, own?: HeadersPolicy): Cluster {
  const host = route?.hostFromHeader ? undefined : route?.host || own?.host;
  if (!host || cluster.sni !== undefined) return cluster;
  return { ...cluster, sni: host };
}
