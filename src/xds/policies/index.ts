import type {
  Cluster as EnvoyCluster,
  HttpProtocolOptions,
  Route,
  RouteAction,
  VirtualHost,
} from "../../gen/envoy.js";
import type { BackendPolicies, HostPolicies, PolicyName, RoutePolicies } from "../../graph/policies/index.js";
import { byStage } from "../filter-stages.js";
import { authorization } from "./authorization.js";
import { basicAuth } from "./basic-auth.js";
import { circuitBreakers } from "./circuit-breakers.js";
import { compression } from "./compression.js";
import { connectTimeoutMs } from "./connect-timeout.js";
import { cookieRewrites } from "./cookie.js";
import { cors } from "./cors.js";
import { externalAuth } from "./external-auth.js";
import { requestHeaders, responseHeaders } from "./headers.js";
import { healthCheck } from "./health-check.js";
import { internalRedirect } from "./internal-redirect.js";
import { ipFilter } from "./ip-filter.js";
import { jwt } from "./jwt.js";
import { hash, loadBalancing } from "./load-balancing.js";
import { nginxPhases } from "./nginx-phases.js";
import { pathRewrite } from "./path-rewrite.js";
import type {
  ChainFilter,
  DescribeHeader,
  Fact,
  FilterConfigs,
  PolicyCluster,
  Protections,
  RouteWriting,
  ShownRoute,
  WeightedBackend,
  WrittenCluster,
  WrittenHost,
  WrittenPolicy,
  WrittenRoute,
} from "./policy.js";
import { globalRateLimit, localRateLimit } from "./rate-limit.js";
import { retry } from "./retry.js";
import { session } from "./session.js";
import { slowStart } from "./slow-start.js";
import { idleConnectionMs, timeout } from "./timeout.js";
import { websocket } from "./websocket.js";

/**
 * One entry for each policy of the graph; a missing entry or member is a compile error. The order is that of members in
 * the output; `filterStages` has the order of HTTP filters.
 */
const policies: { readonly [N in PolicyName]: WrittenPolicy<N> } = {
  timeout,
  retry,
  pathRewrite,
  requestHeaders,
  responseHeaders,
  cookieRewrites,
  hash,
  websocket,
  internalRedirect,
  compression,
  cors,
  localRateLimit,
  globalRateLimit,
  ipFilter,
  basicAuth,
  authorization,
  externalAuth,
  jwt,
  nginxPhases,
  session,
  loadBalancing,
  healthCheck,
  circuitBreakers,
  slowStart,
  idleConnectionMs,
  connectTimeoutMs,
};

/** A policy of the table, with values of unknown type. */
interface AnyPolicy {
  readonly write: {
    host?(policy: unknown, host: string): WrittenHost;
    route?(policy: unknown, context: RouteWriting): WrittenRoute;
    service?(policy: unknown): Partial<WeightedBackend>;
    cluster?(policy: unknown, cluster: PolicyCluster): WrittenCluster;
  };
  readonly filter?: ChainFilter;
  describe?(shown: ShownRoute, describeHeader: DescribeHeader): readonly Fact[];
  describeService?(backend: WeightedBackend, name: string): readonly Fact[];
  protections?(shown: ShownRoute): Protections;
}

const table = Object.entries<AnyPolicy>(policies);
type Write = AnyPolicy["write"];

/** The writers of one scope with the names of their policies. */
const writersOf = <S extends keyof Write>(scope: S): readonly (readonly [string, NonNullable<Write[S]>])[] =>
  table.flatMap(([name, { write }]) => {
    const writer = write[scope];
    return writer ? [[name, writer] as const] : [];
  });

const writers = {
  host: writersOf("host"),
  route: writersOf("route"),
  service: writersOf("service"),
  cluster: writersOf("cluster"),
};

const lookup = (values: object, name: string): unknown => (values as Readonly<Record<string, unknown>>)[name];

/**
 * The members that the policies of a host add to its virtual host. Filter configurations of a route replace those of
 * the same filter.
 */
export function writeHostPolicies(values: HostPolicies, name: string): Partial<VirtualHost> {
  let filters: FilterConfigs | undefined;
  const host: Partial<VirtualHost> = {};
  for (const [policy, write] of writers.host) {
    const value = lookup(values, policy);
    if (value === undefined) continue;
    const written = write(value, name);
    if (written.filters) filters = { ...filters, ...written.filters };
    Object.assign(host, written.host);
  }
  return filters ? { typed_per_filter_config: filters, ...host } : host;
}

/** Writes all policies of a route of a host. */
export function writeRoutePolicies(
  values: RoutePolicies,
  context: RouteWriting,
): { route: Partial<Route>; action: Partial<RouteAction> } {
  const route: Partial<Route> = {};
  const action: Partial<RouteAction> = {};
  let filters: FilterConfigs | undefined;
  for (const [policy, write] of writers.route) {
    const value = lookup(values, policy);
    if (value === undefined) continue;
    const written = write(value, context);
    Object.assign(route, written.route);
    Object.assign(action, written.action);
    if (written.filters) filters = { ...filters, ...written.filters };
  }
  return { route: filters ? { ...route, typed_per_filter_config: filters } : route, action };
}

/** Writes all policies of one backend of a route. */
export function writeBackendPolicies(values: BackendPolicies): Partial<WeightedBackend> {
  const backend: Partial<WeightedBackend> = {};
  for (const [policy, write] of writers.service) {
    const value = lookup(values, policy);
    if (value !== undefined) Object.assign(backend, write(value));
  }
  return backend;
}

/** Writes all policies of a cluster. */
export function writeClusterPolicies(cluster: PolicyCluster): Required<WrittenCluster> {
  const members: Partial<EnvoyCluster> = {};
  const http: HttpProtocolOptions = {};
  for (const [policy, write] of writers.cluster) {
    const value = lookup(cluster, policy);
    if (value === undefined) continue;
    const written = write(value, cluster);
    Object.assign(members, written.cluster);
    Object.assign(http, written.http);
  }
  return { cluster: members, http };
}

/** The policies with an HTTP filter, in the order in which requests pass them. */
const filtering = table
  .flatMap(([, { filter, ...policy }]) => (filter ? [{ ...policy, filter }] : []))
  .sort((a, b) => byStage(a.filter, b.filter));

/** The HTTP filters of policies. */
export const policyFilters: readonly ChainFilter[] = filtering.map(({ filter }) => filter);

/** The names of the filters that may refuse requests. */
export const protectionFilters: ReadonlySet<string> = new Set(
  filtering.flatMap(({ filter, protections }) => (protections ? filter.name : [])),
);

/** The effects of policy filters on requests of a route, in filter order. */
export const filterFacts = (shown: ShownRoute, describeHeader: DescribeHeader): readonly Fact[] =>
  filtering.flatMap(({ describe }) => describe?.(shown, describeHeader) ?? []);

/** The effects of policies without a filter on requests of a route. */
export const routePolicyFacts = (shown: ShownRoute, describeHeader: DescribeHeader): readonly Fact[] =>
  table.flatMap(([, { filter, describe }]) => (!filter && describe?.(shown, describeHeader)) || []);

/** The effects of the policies of one backend of a route; `name` is its name in facts. */
export const backendFacts = (backend: WeightedBackend, name: string): readonly Fact[] =>
  table.flatMap(([, { describeService }]) => describeService?.(backend, name) ?? []);

/** The protections of a route, as values. */
export const routeProtections = (shown: ShownRoute): Protections =>
  Object.assign({}, ...table.map(([, { protections }]) => protections?.(shown)));
