import type { FilterChain, Route, VirtualHost } from "../gen/envoy.js";
import { fallbackTable, ingressHttps } from "../graph/core/listener-names.js";
import type { RouteOrigin } from "../graph/core/route-origins.js";
import type { Snapshot } from "../link/snapshot.js";
import type { RequestText } from "../schema/route-tests.js";
import { datagramCluster } from "../xds/datagram-cluster.js";
import type { Fact } from "../xds/policies/policy.js";
import { chainFacts, tcpBackends } from "./chain.js";
import { endpointsOf, managerOf, type RequestConfig } from "./config.js";
import { backendsOf, routeFacts } from "./facts.js";
import type { GatewaySeat } from "./gateway-seat.js";
import {
  addressesIn,
  gatewayOf,
  listenerOfTable,
  type MainGateway,
  parseListenerName,
} from "./listener-names.js";
import { describeMatch, type Values } from "./match.js";
import { serviceOf } from "./names.js";
import type { Origins } from "./origins.js";
import type { ListenerChoice } from "./request.js";
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
  /** The route of a TCP or UDP listener. */
  readonly origin?: RouteOrigin;
  /** A request over such a connection, if it is passed through; none for UDP. */
  readonly request?: RequestText;
}

/** Where clients reach a listener or route table of a Gateway. */
export interface ReachedAt extends GatewaySeat {
  /** IP addresses that Envoy listens on. */
  readonly addresses: readonly string[];
}

export interface HostNode {
  readonly host: string;
  /** `namespace/name` of the Gateway of a class that serves the host; a host of several Gateways has a node for each. */
  readonly gateway?: string;
  /** The listeners of Gateways, by the names of route tables and Envoy listeners in this node. */
  readonly listeners?: Readonly<Record<string, ReachedAt>>;
  /** The configuration of HTTPS connections; absent without TLS. */
  readonly tls?: ConnectionNode;
  /**
   * Connections on other listeners, which a Gateway has for TLS, TCP and UDP, by listener name. TCP and UDP belong to the
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

/** The graphs of some served hosts, one for each Gateway of a host. `choice` keeps those of one Gateway or address. */
export function hostNodes(
  hosts: readonly string[],
  snapshot: Pick<Snapshot, "sets" | "tables">,
  origins: Origins,
  { choice = {}, ...shown }: NodeOptions & { readonly choice?: ListenerChoice },
): HostNode[] {
  const tables = wholeTables(snapshot.tables);
  const config = configFor(snapshot, "");
  const isChosen = chosenIn(config, choice, origins.mainGateway());
  return hosts.flatMap((host) =>
    byGateway(hostNode(host, tables, config, origins, shown), isChosen).map((node) =>
      withListeners(node, config, origins),
    ),
  );
}

/** Whether a listener or route table is that of a Gateway and bound to an address. */
export function chosenIn(
  { listeners }: Pick<RequestConfig, "listeners">,
  { gateway, address }: ListenerChoice,
  main: MainGateway | undefined,
): (place: string) => boolean {
  return (place) => {
    const name = listenerOfTable(place);
    const own = gatewayOf(name) ?? main?.name;
    return (
      (gateway === undefined || own === gateway) &&
      (address === undefined || addressesIn(listeners.get(name)).includes(address))
    );
  };
}

/** Splits the graph of a host by Gateway; the listeners of the settings and of `gatewayRef` are together. */
function byGateway(node: HostNode, isChosen: (place: string) => boolean): HostNode[] {
  const { host, tls, elsewhere = {}, tables } = node;
  const connections = { ...(tls ? { [ingressHttps]: tls } : {}), ...elsewhere };
  const places = [...Object.keys(tables), ...Object.keys(connections)].filter(isChosen);
  const gateways = [...new Set(places.map((place) => gatewayOf(place) ?? ""))].sort();
  return gateways.map((gateway) => {
    const isOwn = ([place]: readonly [string, unknown]): boolean =>
      (gatewayOf(place) ?? "") === gateway && isChosen(place);
    const { [ingressHttps]: own, ...others } = Object.fromEntries(Object.entries(connections).filter(isOwn));
    return {
      host,
      ...(gateway ? { gateway } : {}),
      ...(own ? { tls: own } : {}),
      ...(Object.keys(others).length > 0 ? { elsewhere: others } : {}),
      tables: Object.fromEntries(Object.entries(tables).filter(isOwn)),
    };
  });
}

function withListeners(node: HostNode, { listeners }: RequestConfig, origins: Origins): HostNode {
  const { host, tls, elsewhere = {}, tables } = node;
  const places = [...Object.keys(tables), ...(tls ? [ingressHttps] : []), ...Object.keys(elsewhere)];
  const found = places.flatMap((place) => {
    const seat = origins.seat(place, host);
    const addresses = addressesIn(listeners.get(listenerOfTable(place)));
    return seat ? [[place, { ...seat, addresses }] as const] : [];
  });
  return found.length > 0 ? { ...node, listeners: Object.fromEntries(found) } : node;
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
    const reach = requests ? reachOfTable(table, hosts, host, ways(config, origins)) : undefined;
    found[table] = routeNodes(
      parseShown<VirtualHost>(json),
      { chain, config, values, reach },
      origins.routes(table, host),
    );
  }
  const { [ingressHttps]: tls, ...elsewhere } = connections(
    config,
    host,
    origins,
    requests ? ways(config, origins) : undefined,
  );
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
  origins: Origins,
  ways: ((name: string) => Way) | undefined,
): Record<string, ConnectionNode> {
  const found: Record<string, ConnectionNode> = {};
  for (const name of config.listeners.keys()) {
    const family = parseListenerName(name)?.family;
    if (family === "udp" && host === "*") {
      const clusters = clusterNodes(config, [{ cluster: datagramCluster(name), weight: 1 }]);
      found[name] = { facts: [], clusters, ...streamOf(name, origins) };
    }
    const chain = family === "http" ? undefined : chainOf(config, name, host);
    if (!chain) continue;
    const isPassedOn = !managerOf(chain);
    found[name] = {
      facts: chainFacts(chain),
      clusters: isPassedOn ? clusterNodes(config, tcpBackends(chain)) : [],
      ...(family === "tcp" ? streamOf(name, origins) : {}),
      ...(isPassedOn && ways ? { request: plainRequest(host, ways(name)) } : {}),
    };
  }
  return found;
}

function streamOf(listener: string, origins: Origins): Pick<ConnectionNode, "origin"> {
  const { ref, field } = origins.stream(listener) ?? {};
  return ref === undefined || field === undefined ? {} : { origin: { ref, field } };
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
function ways({ listeners }: RequestConfig, origins: Origins): (name: string) => Way {
  const main = origins.mainGateway();
  const hasClasses = [...listeners.keys()].some((name) => gatewayOf(name) !== undefined);
  return (name) => {
    const isFallback = name === fallbackTable;
    const front = parseListenerName(isFallback ? ingressHttps : name);
    const port = front?.port === undefined ? undefined : (main?.ports.get(name) ?? front.port);
    const [address] = addressesIn(listeners.get(listenerOfTable(name)));
    const gateway = gatewayOf(name) ?? main?.name;
    const choice = gateway === undefined ? (address === undefined ? {} : { address }) : { gateway };
    return {
      scheme: front?.family === "https" || isFallback ? "https" : "http",
      port,
      namesServer: !isFallback,
      ...(hasClasses ? { choice } : {}),
    };
  };
}

function reachOfTable(
  table: string,
  hosts: ReadonlyMap<string, string>,
  host: string,
  wayTo: (name: string) => Way,
): Omit<Reach, "manager"> {
  const isCovered = (asked: string): boolean => {
    const virtual_hosts = [...hosts.keys()].map((name) => ({ name, domains: [name] }));
    return selectVirtualHost({ virtual_hosts }, asked)?.virtualHost.name === host;
  };
  return {
    ...wayTo(table),
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
