import type { FilterChain, Route, VirtualHost } from "../gen/envoy.js";
import { fallbackTable, ingressHttps } from "../graph/core/listener-names.js";
import type { RouteOrigin } from "../graph/core/route-origins.js";
import type { Snapshot } from "../link/snapshot.js";
import type { RequestText } from "../schema/route-tests.js";
import type { Fact } from "../xds/policies/policy.js";
import { chainFacts, tcpBackends } from "./chain.js";
import { endpointsOf, managerOf, type RequestConfig } from "./config.js";
import { backendsOf, routeFacts } from "./facts.js";
import { type GatewayPorts, listenerOfTable, parseListenerName } from "./listener-names.js";
import { describeMatch, type Values } from "./match.js";
import { serviceOf } from "./names.js";
import type { Origins } from "./origins.js";
import { plainRequest, type Reach, sampleRequest } from "./sample.js";
import { selectChain, selectVirtualHost } from "./select.js";
import { configFor, parseShown, wholeTables } from "./served-config.js";

export interface ClusterNode {
  readonly cluster: string;
  readonly weight: number;
  /** The first 32 endpoints as `address:port`. */
  readonly endpoints: readonly string[];
  /** The number of all endpoints. */
  readonly endpointCount: number;
}

export interface RouteNode {
  /** The match of the route, as text. */
  readonly match: string;
  readonly origin?: RouteOrigin;
  readonly clusters: readonly ClusterNode[];
  readonly facts: readonly Fact[];
  /** A request that this route takes; absent if none is known or the request has hidden values. */
  readonly request?: RequestText;
}

/** The configuration of a connection: TLS, and the clusters if the connection is passed through. */
export interface ConnectionNode {
  readonly facts: readonly Fact[];
  readonly clusters: readonly ClusterNode[];
  /** A request over such a connection, if it is passed through. */
  readonly request?: RequestText;
}

export interface HostNode {
  readonly host: string;
  /** The configuration of HTTPS connections; absent without TLS. */
  readonly tls?: ConnectionNode;
  /**
   * Connections on other listeners, which a Gateway has for TLS and TCP, by listener name. Plain TCP belongs to the
   * host `*`.
   */
  readonly elsewhere?: Readonly<Record<string, ConnectionNode>>;
  /** The routes by route table, in the order in which Envoy tries them. */
  readonly tables: Readonly<Record<string, readonly RouteNode[]>>;
}

const maxEndpoints = 32;

export interface NodeOptions {
  readonly values?: Values;
  /** Whether each route has a request that it takes, if one is known. */
  readonly requests?: boolean;
}

/** The graphs of some served hosts. */
export function hostNodes(
  hosts: readonly string[],
  snapshot: Pick<Snapshot, "sets" | "tables">,
  origins: Origins,
  shown: NodeOptions,
): HostNode[] {
  const tables = wholeTables(snapshot.tables);
  const config = configFor(snapshot, "");
  return hosts.map((host) => hostNode(host, tables, config, origins, shown));
}

/** One host as a graph: its routes, their origins, clusters and endpoints. It contains no keys. */
export function hostNode(
  host: string,
  tables: ReadonlyMap<string, ReadonlyMap<string, string>>,
  config: RequestConfig,
  origins: Origins,
  { values = "shown", requests = false }: NodeOptions = {},
): HostNode {
  const found: Record<string, readonly RouteNode[]> = {};
  for (const [table, hosts] of tables) {
    const json = hosts.get(host);
    if (json === undefined) continue;
    const chain = chainOf(config, listenerOfTable(table), host);
    const reach = requests ? reachOfTable(table, hosts, host, origins.gatewayPorts()) : undefined;
    found[table] = routeNodes(
      parseShown<VirtualHost>(json),
      { chain, config, values, reach },
      origins.routes(table, host),
    );
  }
  const ways = requests ? (name: string) => wayTo(name, origins.gatewayPorts()) : undefined;
  const { [ingressHttps]: tls, ...elsewhere } = connections(config, host, ways);
  return {
    host,
    ...(tls ? { tls } : {}),
    ...(Object.keys(elsewhere).length > 0 ? { elsewhere } : {}),
    tables: found,
  };
}

/** The connections of a host by listener, without listeners for plain HTTP. */
function connections(
  config: RequestConfig,
  host: string,
  ways: ((name: string) => Way) | undefined,
): Record<string, ConnectionNode> {
  const found: Record<string, ConnectionNode> = {};
  for (const name of config.listeners.keys()) {
    const chain = parseListenerName(name)?.family === "http" ? undefined : chainOf(config, name, host);
    if (!chain) continue;
    const isPassedOn = !managerOf(chain);
    found[name] = {
      facts: chainFacts(chain),
      clusters: isPassedOn ? clusterNodes(config, tcpBackends(chain)) : [],
      ...(isPassedOn && ways ? { request: plainRequest(host, ways(name)) } : {}),
    };
  }
  return found;
}

/**
 * The filter chain of the host itself. A chain that takes its connections only because there is no such chain does not
 * count.
 */
function chainOf({ listeners }: RequestConfig, name: string, host: string): FilterChain | undefined {
  const family = parseListenerName(name)?.family;
  const listener = family && listeners.get(name);
  if (!listener) return undefined;
  if (family === "http") return listener.filter_chains?.[0];
  const chain = selectChain(listener, host);
  const names = chain?.filter_chain_match?.server_names;
  return host === "*" || names?.includes(host) ? chain : undefined;
}

type Way = Omit<Reach, "manager" | "isFor">;

/** How clients reach a listener, or the listener of a route table. */
function wayTo(name: string, ports: GatewayPorts | undefined): Way {
  const isFallback = name === fallbackTable;
  const front = parseListenerName(isFallback ? ingressHttps : name);
  const port = front?.port === undefined ? undefined : (ports?.get(name) ?? front.port);
  return {
    scheme: front?.family === "https" || isFallback ? "https" : "http",
    port,
    namesServer: !isFallback,
  };
}

function reachOfTable(
  table: string,
  hosts: ReadonlyMap<string, string>,
  host: string,
  ports: GatewayPorts | undefined,
): Omit<Reach, "manager"> {
  const isCovered = (asked: string): boolean => {
    const virtual_hosts = [...hosts.keys()].map((name) => ({ name, domains: [name] }));
    return selectVirtualHost({ virtual_hosts }, asked)?.virtualHost.name === host;
  };
  return {
    ...wayTo(table, ports),
    isFor: (asked) => asked === host || (!hosts.has(asked) && isCovered(asked)),
  };
}

function routeNodes(
  virtualHost: VirtualHost,
  {
    chain,
    config,
    values,
    reach,
  }: {
    readonly chain: FilterChain | undefined;
    readonly config: RequestConfig;
    readonly values: Values;
    readonly reach: Omit<Reach, "manager"> | undefined;
  },
  origins: readonly RouteOrigin[],
): RouteNode[] {
  const manager = chain && managerOf(chain);
  return (virtualHost.routes ?? []).map((route: Route, i): RouteNode => {
    const origin = origins[i];
    const request = manager && reach && sampleRequest(virtualHost, i, { ...reach, manager });
    const isShown = values === "shown" || (request && reach && isOpen(request, reach));
    return {
      match: describeMatch(route.match ?? {}, values),
      ...(origin ? { origin } : {}),
      clusters: clusterNodes(config, route.route ? backendsOf(route.route) : []),
      facts: routeFacts(route, { manager, virtualHost, values, nameOf: serviceOf }),
      ...(request && isShown ? { request } : {}),
    };
  });
}

/** Whether a request contains no value that a route compares. The value of Host is not secret. */
const isOpen = ({ url, headers }: RequestText, { namesServer }: Pick<Reach, "namesServer">): boolean =>
  headers.length === (namesServer ? 0 : 1) && !url.includes("?");

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
