import type { FilterChain, Route, VirtualHost } from "../gen/envoy.js";
import { fallbackTable, ingressHttps } from "../graph/listener-names.js";
import { chainFacts, tcpBackends } from "./chain.js";
import { endpointsOf, managerOf, type RequestConfig } from "./config.js";
import { backendsOf, routeFacts } from "./facts.js";
import { frontOf } from "./fronts.js";
import { describeMatch, type Values } from "./match.js";
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

/** What a connection meets: TLS, and clusters where it is passed on. */
export interface ConnectionNode {
  readonly facts: readonly Fact[];
  readonly clusters: readonly ClusterNode[];
}

export interface HostNode {
  readonly host: string;
  /** Absent without TLS. */
  readonly tls?: ConnectionNode;
  /** On the further listeners of a Gateway for TLS and TCP, by their names; plain TCP is of the host `*`. */
  readonly elsewhere?: Readonly<Record<string, ConnectionNode>>;
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
  values: Values = "shown",
): HostNode {
  const found: Record<string, readonly RouteNode[]> = {};
  for (const [table, hosts] of tables) {
    const json = hosts.get(host);
    if (json === undefined) continue;
    const chain = chainOf(config, table === fallbackTable ? ingressHttps : table, host);
    found[table] = routeNodes(
      parseShown<VirtualHost>(json),
      { chain, config, values },
      origins.routes(table, host),
    );
  }
  const { [ingressHttps]: tls, ...elsewhere } = connections(config, host);
  return {
    host,
    ...(tls ? { tls } : {}),
    ...(Object.keys(elsewhere).length > 0 ? { elsewhere } : {}),
    tables: found,
  };
}

/** By listener, without those for plain HTTP. */
function connections(config: RequestConfig, host: string): Record<string, ConnectionNode> {
  const found: Record<string, ConnectionNode> = {};
  for (const name of config.listeners.keys()) {
    const chain = frontOf(name)?.family === "http" ? undefined : chainOf(config, name, host);
    if (!chain) continue;
    const clusters = managerOf(chain) ? [] : clusterNodes(config, tcpBackends(chain));
    found[name] = { facts: chainFacts(chain), clusters };
  }
  return found;
}

/** The filter chain of a host itself, not one that would take its connections for want of it. */
function chainOf({ listeners }: RequestConfig, name: string, host: string): FilterChain | undefined {
  const family = frontOf(name)?.family;
  const listener = family && listeners.get(name);
  if (!listener) return undefined;
  if (family === "http") return listener.filter_chains?.[0];
  const chain = selectChain(listener, host);
  const names = chain?.filter_chain_match?.server_names;
  return host === "*" || names?.includes(host) ? chain : undefined;
}

function routeNodes(
  virtualHost: VirtualHost,
  {
    chain,
    config,
    values,
  }: {
    readonly chain: FilterChain | undefined;
    readonly config: RequestConfig;
    readonly values: Values;
  },
  origins: readonly Origin[],
): RouteNode[] {
  const manager = chain && managerOf(chain);
  return (virtualHost.routes ?? []).map((route: Route, i): RouteNode => {
    const origin = origins[i];
    return {
      match: describeMatch(route.match ?? {}, values),
      ...(origin ? { origin } : {}),
      clusters: clusterNodes(config, route.route ? backendsOf(route.route) : []),
      facts: routeFacts(route, { manager, virtualHost, values, nameOf: serviceOf }),
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
