import type {
  Route as EnvoyRoute,
  VirtualHost as EnvoyVirtualHost,
  RouteAction,
  WeightedCluster,
} from "../gen/envoy.js";
import type { Cluster } from "../graph/backends/cluster.js";
import type { Action, Backend, Mirror, Route } from "../graph/core/nodes.js";
import type { HostPolicies } from "../graph/policies/index.js";
import type { Ref } from "../schema/meta.js";
import { writeMatch } from "./match.js";
import { noAuthorization } from "./policies/authorization.js";
import { writeBackendPolicies, writeHostPolicies, writeRoutePolicies } from "./policies/index.js";
import { writeRewrite } from "./policies/path-rewrite.js";
import { fitWeights } from "./weights.js";

/** Values shared by the routes of one virtual host in one route table. */
export interface TableContext {
  readonly host: string;
  /** True for the HTTPS table. */
  readonly secure: boolean;
  /** Requests of this listener are authorized unless a route disables it. */
  readonly authorized: boolean;
  /** Routes have the object that they come from in their metadata. */
  readonly sourced: boolean;
  /** The header `alt-svc` of responses. */
  readonly altSvc?: string | undefined;
  /** Returns the Envoy cluster name of a node. */
  nameOf(cluster: Cluster): string;
}

/** One virtual host of a route table. */
export const writeVirtualHost = (
  context: TableContext,
  policies: HostPolicies,
  routes: readonly Route[],
): EnvoyVirtualHost => {
  // Envoy identifies the routes that a request already used by their names.
  const named = routes.some((route) => route.policies.internalRedirect?.denyRepeated);
  const written = routes.map((route, i): EnvoyRoute => {
    const plain = writeRoute(route, context);
    if (!named && !context.sourced) return plain;
    return {
      ...(named ? { name: `${context.host}/${i}` } : {}),
      ...plain,
      ...(context.sourced ? { metadata: writeSource(route.from) } : {}),
    };
  });
  const host = writeHostPolicies(policies, context.host);
  const { response_headers_to_add: added = [] } = host;
  return {
    name: context.host,
    domains: [context.host],
    routes: written,
    ...host,
    ...(context.altSvc ? { response_headers_to_add: [...added, altSvcHeader(context.altSvc)] } : {}),
  };
};

/** A backend's own header has its own port. */
const altSvcHeader = (value: string) => ({
  header: { key: "alt-svc", value },
  append_action: "OVERWRITE_IF_EXISTS_OR_ADD" as const,
});

/** The metadata for Contour's access log fields `contour_config_…`. */
function writeSource(from: Ref): NonNullable<EnvoyRoute["metadata"]> {
  const [kind = "", namespace = "", name = ""] = from.split("/");
  const source = {
    "io.projectcontour.kind": kind,
    "io.projectcontour.namespace": namespace,
    "io.projectcontour.name": name,
  };
  return { filter_metadata: { "envoy.access_loggers.file": source } };
}

function writeRoute(route: Route, context: TableContext): EnvoyRoute {
  const match = writeMatch(route.match);
  if (!context.secure && route.insecure === "redirect") {
    return {
      match,
      redirect: { https_redirect: true },
      ...(context.authorized ? { typed_per_filter_config: noAuthorization } : {}),
    };
  }
  const { action } = route;
  const policies = writeRoutePolicies(route.policies, context);
  if (action.kind === "redirect") return { match, redirect: writeRedirect(action), ...policies.route };
  if (action.kind === "respond") {
    const body = action.body === undefined ? {} : { body: { inline_string: action.body } };
    return { match, direct_response: { status: action.status, ...body }, ...policies.route };
  }
  return {
    match,
    route: Object.assign(
      writeForward(action, context, route.policies.hash !== undefined),
      action.mirrors && {
        request_mirror_policies: action.mirrors.map((mirror) => writeMirror(mirror, context)),
      },
      policies.action,
    ),
    ...policies.route,
  };
}

const writeMirror = (
  { cluster, percent }: Mirror,
  { nameOf }: TableContext,
): NonNullable<RouteAction["request_mirror_policies"]>[number] => ({
  cluster: nameOf(cluster),
  runtime_fraction: {
    default_value: Number.isInteger(percent)
      ? { numerator: percent, denominator: "HUNDRED" }
      : { numerator: Math.round(percent * 10_000), denominator: "MILLION" },
  },
});

const codes = {
  301: "MOVED_PERMANENTLY",
  302: "FOUND",
  303: "SEE_OTHER",
  307: "TEMPORARY_REDIRECT",
  308: "PERMANENT_REDIRECT",
} as const;

const writeRedirect = (action: Extract<Action, { kind: "redirect" }>): EnvoyRoute["redirect"] => ({
  ...(action.scheme ? { scheme_redirect: action.scheme } : {}),
  ...(action.host ? { host_redirect: action.host } : {}),
  ...(action.port ? { port_redirect: action.port } : {}),
  ...(action.path ? { path_redirect: action.path } : {}),
  ...(action.rewrite ? writeRewrite(action.rewrite) : {}),
  ...(action.stripQuery ? { strip_query: true } : {}),
  response_code: codes[action.status as keyof typeof codes] ?? "FOUND",
});

/** `hashed`: the hash that selects the endpoint also selects among weighted clusters, so that affinity covers both. */
function writeForward(
  { backends, lost = 0 }: Extract<Action, { kind: "forward" }>,
  context: TableContext,
  hashed: boolean,
): RouteAction {
  if (lost > 0) return writeLossy(backends, lost, context);
  const only = backends.length === 1 ? backends[0] : undefined;
  if (only && Object.keys(only.policies).length === 0) return { cluster: context.nameOf(only.cluster) };
  const weights = fitWeights(backends.map(({ weight }) => weight));
  const clusters = backends
    .map((backend, i) => writeWeighted(backend, weights[i] ?? 0, context))
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.weight - b.weight));
  return { weighted_clusters: { clusters, ...(hashed && !only ? { use_hash_policy: true } : {}) } };
}

/** The name of no cluster. */
export const lostCluster = "isoline.lost";

/** Weighted clusters of which one is missing: Envoy answers its share of requests itself. */
function writeLossy(backends: readonly Backend[], lost: number, context: TableContext): RouteAction {
  const weights = fitWeights([...backends.map(({ weight }) => weight), lost]);
  const clusters = backends.map((backend, i) => writeWeighted(backend, weights[i] ?? 0, context));
  clusters.push({ name: lostCluster, weight: weights.at(-1) ?? 0 });
  return {
    weighted_clusters: {
      clusters: clusters.sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.weight - b.weight)),
    },
    cluster_not_found_response_code: "INTERNAL_SERVER_ERROR",
  };
}

type Weighted = NonNullable<WeightedCluster["clusters"]>[number] & { name: string; weight: number };

function writeWeighted({ cluster, policies }: Backend, weight: number, { nameOf }: TableContext): Weighted {
  return { name: nameOf(cluster), weight, ...writeBackendPolicies(policies) };
}
