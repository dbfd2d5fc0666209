import type { FilterChain, Route, VirtualHost } from "../gen/envoy.js";
import { ingressHttp, ingressHttps } from "../graph/listener-names.js";
import { chainFacts, tcpBackends } from "./chain.js";
import { endpointsOf, managerOf, type RequestConfig } from "./config.js";
import { backendsOf, routeFacts } from "./facts.js";
import { describeMatch } from "./match.js";
import { serviceOf } from "./names.js";
import type { Origin, Origins } from "./origins.js";
import type { Fact } from "./protections.js";
import { selectChain } from "./select.js";
import { parseShown } from "./served-config.js";

export interface ClusterNode {
  readonly cluster: string;
  readonly weight: number;
  /** `address:port`, at most 32 of them. */
  readonly endpoints: readonly string[];
  /** How many there are. */
  readonly endpointCount: number;
}

export interface RouteNode {
  /** In words. */
  readonly match: string;
  readonly origin?: Origin;
  readonly clusters: readonly ClusterNode[];
  readonly facts: readonly Fact[];
}

export interface HostNode {
  readonly host: string;
  /** What a TLS connection meets; absent without TLS. */
  readonly tls?: { readonly facts: readonly Fact[]; readonly clusters: readonly ClusterNode[] };
  /** Routes in the order in which they are tried, by route table. */
  readonly tables: Readonly<Record<string, readonly RouteNode[]>>;
}

const maxEndpoints = 32;

/** One host as a graph: its routes, where they come from, their clusters and endpoints. Holds no keys. */
export function hostNode(
  host: string,
  tables: ReadonlyMap<string, ReadonlyMap<string, string>>,
  config: RequestConfig,
  origins: Origins,
): HostNode {
  const chain = tlsChain(config, host);
  const found: Record<string, readonly RouteNode[]> = {};
  for (const [table, hosts] of tables) {
    const json = hosts.get(host);
    if (json === undefined) continue;
    const own = table === ingressHttp ? config.listeners.get(ingressHttp)?.filter_chains?.[0] : chain;
    found[table] = routeNodes(parseShown<VirtualHost>(json), own, config, origins(table, host));
  }
  const tls = chain && {
    facts: chainFacts(chain),
    clusters: managerOf(chain) ? [] : clusterNodes(config, tcpBackends(chain)),
  };
  return { host, ...(tls ? { tls } : {}), tables: found };
}

/** The filter chain of a host itself, not one that would take its connections for want of it. */
function tlsChain({ listeners }: RequestConfig, host: string): FilterChain | undefined {
  const listener = listeners.get(ingressHttps);
  const chain = listener && selectChain(listener, host);
  const names = chain?.filter_chain_match?.server_names;
  return host === "*" || names?.includes(host) ? chain : undefined;
}

function routeNodes(
  virtualHost: VirtualHost,
  chain: FilterChain | undefined,
  config: RequestConfig,
  origins: readonly Origin[],
): RouteNode[] {
  const manager = chain && managerOf(chain);
  return (virtualHost.routes ?? []).map((route: Route, i): RouteNode => {
    const origin = origins[i];
    return {
      match: describeMatch(route.match ?? {}),
      ...(origin ? { origin } : {}),
      clusters: clusterNodes(config, route.route ? backendsOf(route.route) : []),
      facts: routeFacts(route, { manager, virtualHost, nameOf: serviceOf }),
    };
  });
}

const clusterNodes = (
  config: RequestConfig,
  backends: readonly { readonly cluster: string; readonly weight: number }[],
): ClusterNode[] =>
  backends.map(({ cluster, weight }) => {
    const addresses = (endpointsOf(config, cluster)?.endpoints ?? []).flatMap(({ lb_endpoints = [] }) =>
      lb_endpoints.map(({ endpoint }) => {
        const { address = "", port_value = 0 } = endpoint?.address?.socket_address ?? {};
        return address.includes(":") ? `[${address}]:${port_value}` : `${address}:${port_value}`;
      }),
    );
    return {
      cluster,
      weight,
      endpoints: addresses.slice(0, maxEndpoints),
      endpointCount: addresses.length,
    };
  });
