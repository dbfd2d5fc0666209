import type {
  FilterChain,
  HttpConnectionManager,
  Listener,
  Route,
  RouteConfiguration,
} from "../gen/envoy.js";
import type { RouteOrigin } from "../graph/core/route-origins.js";
import { isWithin } from "../schema/field-path.js";
import type { Finding } from "../schema/meta.js";
import { closedCluster } from "../xds/closed-cluster.js";
import { datagramCluster } from "../xds/datagram-cluster.js";
import { checksSni } from "../xds/http-filters.js";
import { appliedBy, appliedToConnection } from "./applied.js";
import { chainFacts, tcpBackends, tlsOf } from "./chain.js";
import { endpointsOf, managerOf, type RequestConfig } from "./config.js";
import type { BackendSeen, Explanation, RouteSeen, RouteTried } from "./explanation.js";
import { backendsOf, redirectStatus, routeFacts } from "./facts.js";
import { describeFinding, findingHints, hostHints } from "./hints.js";
import { findConnection, findListener } from "./listen.js";
import { addressesIn, gatewayOf, type MainGateway, parseListenerName, reachOf } from "./listener-names.js";
import { describeMatch, matchesPath, mismatch, type Values } from "./match.js";
import { serviceOf } from "./names.js";
import { normalizationOf } from "./normalization.js";
import type { Claims, Origins } from "./origins.js";
import { locationOf } from "./redirect.js";
import {
  type ClientConnection,
  type ClientRequest,
  hostName,
  type SeenRequest,
  seenRequest,
} from "./request.js";
import { rewritten } from "./rewrite.js";
import { type SelectedHost, selectChain, selectVirtualHost } from "./select.js";

/** Facts in addition to the configuration. */
export interface Knowledge {
  readonly origins?: Origins;
  /** Objects that claim a host, including invalid ones. */
  claimsOn?(host: string): Claims;
  /** Why valid objects for a host, or with possible routes for it, are not served. */
  unservedFor?(host: string): readonly Finding[];
  /** Whether to show the values that headers and query parameters are compared with; default: shown. */
  readonly values?: Values;
}

interface Around extends Knowledge {
  readonly config: RequestConfig;
  readonly main: MainGateway | undefined;
}

interface Context extends Around {
  readonly request: ClientRequest;
}

/** The part of an explanation before the selection of a route. */
type PartialExplanation = Pick<Explanation, "chain" | "tls" | "virtualHost"> & {
  readonly listener: ListenerSeen;
};
type ListenerSeen = NonNullable<Explanation["listener"]>;

const nothing = { backends: [], facts: [], tried: [], hints: [] } as const;

/**
 * Explains the result of a request or a connection, by the rules of Envoy's own matching.
 *
 * @throws AmbiguousRequestError if listeners of several Gateways serve it, and it chooses none of them.
 * @throws RequestSyntaxError if it chooses a Gateway or an address that no listener has.
 */
export function explain(
  config: RequestConfig,
  asked: ClientRequest | ClientConnection,
  knowledge: Knowledge = {},
): Explanation {
  const around = { ...knowledge, config, main: knowledge.origins?.mainGateway() };
  if (isConnection(asked)) return explainConnection(around, asked);
  const found = explainRequest({ ...around, request: asked });
  const claimants = knowledge.claimsOn?.(found.virtualHost?.name ?? hostName(asked.authority)).claimants;
  return claimants?.length ? { ...found, claimants } : found;
}

const isConnection = (asked: ClientRequest | ClientConnection): asked is ClientConnection =>
  asked.scheme !== "http" && asked.scheme !== "https";

function explainConnection(around: Around, asked: ClientConnection): Explanation {
  const { config, main, origins } = around;
  const met = findConnection(config, asked, main);
  if ("refusal" in met) return { ...nothing, outcome: "closed", summary: met.refusal };
  const { name, listener } = met;
  const host = asked.serverName || "*";
  const way = { listener: describeListener(met, host, around) };
  const origin = origins?.stream(name);
  const own = origin ? { origin: { ref: origin.ref, field: origin.field } } : {};
  if (parseListenerName(name)?.family === "udp") {
    const backends = datagramBackends(config, name, origin?.services);
    const summary = `datagrams are passed through to ${backendNames(backends)}`;
    return { ...nothing, ...way, ...own, outcome: "udp", summary, backends };
  }
  const chain = selectChain(listener, asked.serverName);
  if (!chain) return { ...nothing, ...way, outcome: "closed", summary: noChain(asked.serverName) };
  const manager = managerOf(chain);
  if (!manager) return { ...passedOn(around, way, chain, host), ...own };
  const facts = chainFacts(chain);
  const tls = tlsOf(chain);
  const named = { ...way, chain: { name: chain.name ?? "", facts }, ...(tls ? { tls } : {}) };
  const summary = `the connection gets to the HTTP routes of ${reachOf(name, main?.ports)}: ask for a URL with ${tls ? "https" : "http"}://`;
  return { ...nothing, ...named, outcome: "forward", summary };
}

/** The cluster of a UDP listener, or its Services where they are known. The endpoints of all of them are in one cluster. */
function datagramBackends(
  config: RequestConfig,
  listener: string,
  services: readonly { readonly service: string; readonly weight: number }[] = [],
): BackendSeen[] {
  const cluster = datagramCluster(listener);
  if (services.length === 0) return describeBackends(config, [{ cluster, weight: 1 }]);
  const total = services.reduce((sum, { weight }) => sum + weight, 0);
  return services.map(({ service, weight }) => ({
    cluster: service,
    weight,
    percent: Math.round((weight / total) * 1000) / 10,
    endpoints: countEndpoints(config, cluster),
  }));
}

function explainRequest(context: Context): Explanation {
  const { config, request, main } = context;
  const met = findListener(config, request, main);
  if ("refusal" in met) return { ...nothing, outcome: "closed", summary: met.refusal, hints: hints(context) };
  const { name, listener } = met;
  const way = { listener: describeListener(met, hostName(request.authority), context) };
  const chain = selectChain(listener, request.serverName);
  if (!chain) {
    const summary = noChain(request.serverName);
    return { ...nothing, ...way, outcome: "closed", summary, hints: hints(context, name) };
  }
  return explainChain(context, way, chain);
}

const noChain = (serverName: string): string =>
  `the TLS connection is closed: no filter chain matches ${serverName ? `the server name ${serverName}` : "clients without a server name"}`;

/** Hints for a request that has no host or route: the hosts that exist. */
function hints({ config, request, claimsOn, unservedFor, main }: Context, asked?: string): string[] {
  const host = hostName(request.authority);
  return hostHints(config, request, {
    asked,
    claims: claimsOn?.(host),
    unserved: unservedFor?.(host),
    ports: main?.ports,
  });
}

function describeListener(
  { name, listener }: { readonly name: string; readonly listener: Listener },
  host: string,
  { main, origins }: Around,
): ListenerSeen {
  const [address = "", ...moreAddresses] = addressesIn(listener);
  const port = listener.address?.socket_address?.port_value ?? 0;
  const gatewayPort = main?.ports.get(name);
  const seat = origins?.seat(name, host);
  return {
    name,
    address,
    port,
    ...(moreAddresses.length > 0 ? { moreAddresses } : {}),
    ...(gatewayPort === undefined ? {} : { gatewayPort }),
    ...(seat ? { seat } : {}),
  };
}

function explainChain(context: Context, before: PartialExplanation, chain: FilterChain): Explanation {
  const { config, request } = context;
  const facts = chainFacts(chain);
  const tls = tlsOf(chain);
  const way = {
    ...before,
    ...(chain.name ? { chain: { name: chain.name, facts } } : {}),
    ...(tls ? { tls } : {}),
  };
  const manager = managerOf(chain);
  if (!manager) return passedOn(context, before, chain, hostName(request.authority));
  const seen = seenRequest(request, normalizationOf(manager));
  if (!seen) {
    const summary = `400: Envoy rejects the path ${request.path}`;
    return { ...nothing, ...way, outcome: "refused", status: 400, summary };
  }
  if (isMisdirected(manager, request)) {
    const opened = request.serverName || "no server name";
    const summary = `421: the Host header is ${request.authority}, and the connection was opened for ${opened}`;
    return { ...nothing, ...way, outcome: "misdirected", status: 421, summary };
  }
  const table = config.tables.get(manager.rds?.route_config_name ?? manager.scoped_routes?.name ?? "");
  const host = table && selectVirtualHost(table, seen.host);
  if (!table || !host) {
    const { name } = way.listener;
    const summary = `404: no host ${seen.host} is served over ${reachOf(name, context.main?.ports)}`;
    return { ...nothing, ...way, outcome: "not-found", status: 404, summary, hints: hints(context, name) };
  }
  return explainHost(context, way, { manager, seen, table, host });
}

/** A connection that a TCP proxy handles. */
function passedOn(around: Around, before: PartialExplanation, chain: FilterChain, host: string): Explanation {
  const { config } = around;
  const facts = chainFacts(chain);
  const tls = tlsOf(chain);
  const way = {
    ...before,
    ...(chain.name ? { chain: { name: chain.name, facts } } : {}),
    ...(tls ? { tls } : {}),
  };
  const backends = describeBackends(config, tcpBackends(chain));
  if (backends.some(({ cluster }) => cluster === closedCluster)) {
    return {
      ...nothing,
      ...way,
      outcome: "closed",
      summary: `the connection is closed: ${chain.name ?? before.listener.name} ${whyEmpty(before.listener)}`,
    };
  }
  const summary = `the connection is passed through to ${backendNames(backends)}`;
  const hints = endpointHints(around, host, backends);
  return {
    ...nothing,
    ...way,
    outcome: "tcp",
    summary,
    backends,
    applied: appliedToConnection(chain),
    hints,
  };
}

/** Like the filter: without a port and one final dot. */
const isMisdirected = (manager: HttpConnectionManager, { authority, serverName }: ClientRequest): boolean =>
  checksSni(manager) && hostName(authority).replace(/\.$/, "") !== serverName;

interface Found {
  readonly manager: HttpConnectionManager;
  readonly seen: SeenRequest;
  readonly table: RouteConfiguration;
  readonly host: SelectedHost;
}

function explainHost(context: Context, before: PartialExplanation, found: Found): Explanation {
  const { virtualHost, domain } = found.host;
  const { name = "" } = virtualHost;
  const table = found.table.name ?? "";
  const way = { ...before, virtualHost: { name, domain, table } };
  const origins = context.origins?.routes(table, name) ?? [];
  const tried: RouteTried[] = [];
  for (const [index, route] of (virtualHost.routes ?? []).entries()) {
    const match = route.match ?? {};
    const origin = origins[index];
    const seen: RouteSeen = {
      index,
      match: describeMatch(match, context.values),
      ...(origin ? { origin } : {}),
    };
    const why = mismatch(match, found.seen, context.values);
    if (why === undefined) {
      const effect = explainRoute(context, found, route);
      const hints = [...fieldHints(context, name, origin), ...endpointHints(context, name, effect.backends)];
      return { ...nothing, ...way, route: seen, tried, hints, ...effect };
    }
    tried.push({ ...seen, why, near: matchesPath(match, found.seen) });
  }
  const why = virtualHost.routes?.length
    ? `has no route for ${found.seen.method} ${found.seen.path}`
    : whyEmpty(before.listener);
  const summary = `404: host ${name} ${why}`;
  return {
    ...nothing,
    ...way,
    outcome: "not-found",
    status: 404,
    summary,
    tried,
    hints: [...labelHints(domain, tried), ...findingHints(context.unservedFor?.(name))],
  };
}

/** Why a host has no routes although wider hosts have some. */
function whyEmpty({ name, seat }: ListenerSeen): string {
  if (gatewayOf(name) === undefined)
    return "is reserved for its owners (settings hostOwners and rootNamespaces), which have no routes for it";
  const listener = seat ? `the listener ${seat.listener} of Gateway ${seat.gateway}` : reachOf(name);
  return `belongs to ${listener}, which has no route with a backend for it`;
}

/** Hints about wildcards that match one label only, for requests with more labels. */
function labelHints(domain: string, tried: readonly RouteTried[]): string[] {
  const short = tried.filter(({ near, why }) => near && why.startsWith("header :authority "));
  const refs = new Set(short.flatMap(({ origin }) => origin?.ref ?? []));
  return [...refs].map(
    (ref) => `${ref}: ${domain} covers only names with one label before ${domain.slice(1)}`,
  );
}

/** Findings about the field that a route comes from. */
const fieldHints = (context: Context, host: string, origin: RouteOrigin | undefined): string[] =>
  ((origin && context.claimsOn?.(host).findingsOn(origin.ref)) ?? [])
    .filter(({ path }) => path !== undefined && isWithin(path, origin?.field ?? ""))
    .map(describeFinding);

/** Findings about the endpoints of a request's backends. */
const endpointHints = (
  { claimsOn }: Knowledge,
  host: string,
  backends: readonly BackendSeen[],
): readonly string[] => {
  const claims = claimsOn?.(host);
  return backends.flatMap(({ cluster }) => (claims?.findingsBehind(cluster) ?? []).map(describeFinding));
};

type Effect = Pick<Explanation, "outcome" | "summary" | "backends" | "facts"> & Partial<Explanation>;

function explainRoute(
  { config, request, values }: Context,
  { manager, seen, host }: Found,
  route: Route,
): Effect {
  const { virtualHost } = host;
  const facts = routeFacts(route, { manager, virtualHost, values, nameOf: serviceOf });
  const path = rewritten(route.route ?? {}, route.match, seen.path);
  const applied = appliedBy(route, { manager, virtualHost }, { request, seen, path });
  if (route.redirect) {
    const status = redirectStatus(route);
    const location = locationOf(route, request, seen);
    return {
      outcome: "redirect",
      summary: `${status} to ${location}`,
      status,
      location,
      backends: [],
      facts,
      applied,
    };
  }
  if (route.direct_response) {
    const { status = 0 } = route.direct_response;
    return {
      outcome: "respond",
      summary: `Envoy itself answers ${status}`,
      status,
      backends: [],
      facts,
      applied,
    };
  }
  const action = route.route ?? {};
  const backends = describeBackends(config, backendsOf(action));
  const summary = `goes to ${backendNames(backends)}${path === undefined ? "" : ` as ${path}`}`;
  return { outcome: "forward", summary, backends, facts, applied, ...(path === undefined ? {} : { path }) };
}

const backendNames = (backends: readonly BackendSeen[]): string =>
  backends
    .map(({ cluster, percent }) =>
      backends.length > 1 ? `${serviceOf(cluster)} (${percent} %)` : serviceOf(cluster),
    )
    .join(", ");

function describeBackends(
  config: RequestConfig,
  backends: readonly { readonly cluster: string; readonly weight: number }[],
): BackendSeen[] {
  const sum = backends.reduce((total, { weight }) => total + weight, 0);
  return backends.map(({ cluster, weight }) => ({
    cluster,
    weight,
    percent: sum === 0 ? 0 : Math.round((weight / sum) * 1000) / 10,
    endpoints: countEndpoints(config, cluster),
  }));
}

const countEndpoints = (config: RequestConfig, cluster: string): number =>
  (endpointsOf(config, cluster)?.endpoints ?? []).reduce(
    (count, { lb_endpoints }) => count + (lb_endpoints?.length ?? 0),
    0,
  );
