import type { ExtAuthz, StringMatcher } from "../../gen/envoy.js";
import type { Cluster } from "../../graph/backends/cluster.js";
import type { AllowedHeader, AskedService, Authorization } from "../../graph/policies/authorization.js";
import { closedCluster } from "../closed-cluster.js";
import { duration } from "../duration.js";
import { grpcService } from "../grpc-service.js";
import { httpFilter } from "../typed.js";
import {
  type ChainFilter,
  configOf,
  type FilterConfigs,
  facts,
  type ShownRoute,
  type WrittenPolicy,
} from "./policy.js";

const types = "type.googleapis.com/envoy.extensions.filters.http.ext_authz.v3" as const;

const writeAllowed = ({ kind, value, ignoreCase }: AllowedHeader): StringMatcher => ({
  [kind]: value,
  ...(ignoreCase ? { ignore_case: true } : {}),
});

/** Calls an authorization service. Requests get status 403 if it does not respond. */
function writeFilter(authorization: Authorization): ExtAuthz {
  const { cluster, timeoutMs, http, failOpen, body } = authorization;
  const service = http
    ? {
        http_service: {
          // Required by Envoy, which uses only the path prefix and the cluster.
          server_uri: { uri: "http://dummy/", cluster, timeout: duration(timeoutMs ?? 0) },
          ...(http.pathPrefix ? { path_prefix: http.pathPrefix.replace(/^(?!\/)/, "/") } : {}),
          ...(http.upstreamHeaders.length > 0
            ? {
                authorization_response: {
                  allowed_upstream_headers: { patterns: http.upstreamHeaders.map(writeAllowed) },
                },
              }
            : {}),
        },
        ...(http.requestHeaders.length > 0
          ? { allowed_headers: { patterns: http.requestHeaders.map(writeAllowed) } }
          : {}),
      }
    : { grpc_service: grpcService(authorization) };
  return {
    ...service,
    transport_api_version: "V3",
    clear_route_cache: true,
    include_peer_certificate: true,
    status_on_error: { code: "Forbidden" },
    ...(failOpen ? { failure_mode_allow: true } : {}),
    ...(body
      ? {
          with_request_body: {
            max_request_bytes: body.maxBytes,
            ...(body.allowPartial ? { allow_partial_message: true } : {}),
            ...(body.asBytes ? { pack_as_bytes: true } : {}),
          },
        }
      : {}),
  };
}

/**
 * The filter of routes that name their own service. If the service does not respond, clients get status 500, as with
 * nginx.
 */
const forRoutes = {
  "@type": `${types}.ExtAuthz`,
  http_service: { server_uri: { uri: "http://dummy/", cluster: closedCluster, timeout: "60s" } },
  transport_api_version: "V3",
  status_on_error: { code: "InternalServerError" },
  allowed_headers: { patterns: [{ safe_regex: { regex: ".*" } }] },
} as const;

/**
 * The service that a route uses for authorization. `path_override` requires Envoy 1.40; for older versions
 * xds/dialect.ts refuses the requests.
 */
const writeAsk = (
  { cluster, path, upstreamHeaders }: AskedService,
  nameOf: (cluster: Cluster) => string,
): FilterConfigs => ({
  [filter.name]: {
    "@type": `${types}.ExtAuthzPerRoute`,
    check_settings: {
      http_service: {
        server_uri: { uri: "http://dummy/", cluster: nameOf(cluster), timeout: "60s" },
        path_override: path,
        ...(upstreamHeaders.length > 0
          ? {
              authorization_response: {
                allowed_upstream_headers: {
                  patterns: upstreamHeaders.map((exact) => ({ exact, ignore_case: true })),
                },
              },
            }
          : {}),
      },
    },
  },
});

const filter: ChainFilter = {
  name: "envoy.filters.http.ext_authz",
  stage: "authorization",
  write({ host, services, settings }) {
    const asked = host?.policies.authorization ?? services.authorization;
    if (asked) return { "@type": `${types}.ExtAuthz`, ...writeFilter(asked) };
    return settings.ingressNginx ? forRoutes : undefined;
  },
  disabled: ({ host, services, settings }) =>
    settings.ingressNginx !== undefined && !(host?.policies.authorization ?? services.authorization),
};

/** Disables authorization for requests to a route. */
export const noAuthorization: FilterConfigs = {
  [filter.name]: { "@type": `${types}.ExtAuthzPerRoute`, disabled: true },
};

/**
 * The filter of a route's chain, the cluster of its service, and the configuration of the route. Undefined without
 * authorization: the chain has no such filter, or enables it only for other routes.
 */
function find(shown: ShownRoute) {
  const found = httpFilter(shown.manager, filter.name, `${types}.ExtAuthz`);
  const own = configOf(shown, filter.name, `${types}.ExtAuthzPerRoute`);
  const isForRoutes = shown.manager?.http_filters?.some(
    ({ name, disabled }) => name === filter.name && disabled,
  );
  if (!found || (isForRoutes && !own)) return undefined;
  const cluster =
    own?.check_settings?.http_service?.server_uri?.cluster ??
    found.grpc_service?.envoy_grpc?.cluster_name ??
    found.http_service?.server_uri?.cluster;
  return { filter: found, cluster, isOff: own?.disabled ?? false, own };
}

export const authorization: WrittenPolicy<"authorization"> = {
  filter,
  write: {
    host: () => ({}),
    route: (policy, { nameOf }) => ({
      filters:
        "ask" in policy
          ? writeAsk(policy.ask, nameOf)
          : "disabled" in policy
            ? noAuthorization
            : {
                [filter.name]: {
                  "@type": `${types}.ExtAuthzPerRoute`,
                  check_settings: { context_extensions: policy.context },
                },
              },
    }),
  },
  describe(shown) {
    const found = find(shown);
    if (!found) return [];
    if (found.isOff) return facts({ authorization: `off (other routes of this host use ${found.cluster})` });
    const context = Object.entries(found.own?.check_settings?.context_extensions ?? {});
    const sent =
      context.length > 0
        ? `, with context ${context.map(([key, value]) => `${key}=${value}`).join(", ")}`
        : "";
    const passes = found.filter.failure_mode_allow ? ", allows requests when it does not respond" : "";
    return facts({ authorization: `${found.cluster}${passes}${sent}` });
  },
  protections(shown) {
    const found = find(shown);
    return found && !found.isOff ? { authorization: extensionOf(found.cluster) } : {};
  },
};

/** The ExtensionService of a cluster, as `namespace/name`. */
export const extensionOf = (cluster = ""): string => cluster.replace(/^extension\//, "");
