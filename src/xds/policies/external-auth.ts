import type { ExtAuthz } from "../../gen/envoy.js";
import type { ExternalAuth } from "../../graph/policies/external-auth.js";
import { servesGateways } from "../../schema/gateway-settings.js";
import { duration } from "../duration.js";
import { grpcService } from "../grpc-service.js";
import { typed } from "../typed.js";
import { allExcept } from "./all-except.js";
import { type ChainFilter, configOf, facts, type ShownRoute, type WrittenPolicy } from "./policy.js";

const types = "type.googleapis.com/envoy.extensions.filters.http" as const;
const matching = "type.googleapis.com/envoy.extensions.common.matching.v3" as const;

/** The time for one response of the Service; requests are refused after it. */
const timeoutMs = 10_000;

/**
 * Headers of the Service's response that are not sent to the backend: the host, and those that describe the body and
 * the connection of this response.
 */
const ownHeaders = ["connection", "content-*", "host", "keep-alive", "transfer-encoding", "upgrade"];

const exactly = (names: readonly string[]) => ({
  patterns: names.map((exact) => ({ exact, ignore_case: true })),
});

/** The time-outs and errors of the Service refuse a request with 500. */
function writeFilter(auth: ExternalAuth, cluster: string): ExtAuthz {
  const { http, requestHeaders, maxBody } = auth;
  const { service, namespace } = auth.cluster;
  const authority = auth.cluster.sni ?? `${service}.${namespace}`;
  return {
    ...(http
      ? {
          http_service: {
            // Required by Envoy, which uses only the cluster and the time.
            server_uri: { uri: "http://dummy/", cluster, timeout: duration(timeoutMs) },
            ...(http.pathPrefix ? { path_prefix: http.pathPrefix.replace(/^(?!\/)/, "/") } : {}),
            authorization_response: {
              allowed_upstream_headers:
                http.upstreamHeaders.length > 0
                  ? exactly(http.upstreamHeaders)
                  : { patterns: [{ safe_regex: { regex: allExcept(ownHeaders) } }] },
            },
          },
        }
      : { grpc_service: grpcService({ cluster, authority, timeoutMs }) }),
    transport_api_version: "V3",
    status_on_error: { code: "InternalServerError" },
    ...(requestHeaders.length > 0 ? { allowed_headers: exactly(requestHeaders) } : {}),
    ...(maxBody ? { with_request_body: { max_request_bytes: maxBody } } : {}),
  };
}

/**
 * Runs the filter that a route contains: each route has its own Service and headers, and a filter chain that lists them
 * would change with every route.
 */
const filter: ChainFilter = {
  name: "isoline.external_auth",
  stage: "authorization",
  disabled: true,
  /** Chains of a host without such routes omit it. */
  write: ({ settings, host }) =>
    servesGateways(settings) && (!host || host.routes.some(({ policies }) => policies.externalAuth))
      ? {
          "@type": `${matching}.ExtensionWithMatcher`,
          extension_config: {
            name: "composite",
            typed_config: { "@type": `${types}.composite.v3.Composite` },
          },
          xds_matcher: {},
        }
      : undefined,
};

/** The filter that a route contains. */
function find(shown: ShownRoute): ExtAuthz | undefined {
  const config = configOf(shown, filter.name, `${matching}.ExtensionWithMatcherPerRoute`);
  const action = typed(
    config?.xds_matcher?.on_no_match?.action?.typed_config,
    `${types}.composite.v3.ExecuteFilterAction`,
  );
  return typed(action?.typed_config?.typed_config, `${types}.ext_authz.v3.ExtAuthz`);
}

const clusterOf = ({ grpc_service: grpc, http_service: http }: ExtAuthz): string =>
  grpc?.envoy_grpc?.cluster_name ?? http?.server_uri?.cluster ?? "";

/** `<namespace>/<name>` of the Service of a cluster. */
const serviceOf = (cluster: string): string => cluster.split("/").slice(0, 2).join("/");

export const externalAuth: WrittenPolicy<"externalAuth"> = {
  filter,
  write: {
    route: (auth, { nameOf }) => ({
      filters: {
        [filter.name]: {
          "@type": `${matching}.ExtensionWithMatcherPerRoute`,
          xds_matcher: {
            on_no_match: {
              action: {
                name: "authorize",
                typed_config: {
                  "@type": `${types}.composite.v3.ExecuteFilterAction`,
                  typed_config: {
                    name: "envoy.filters.http.ext_authz",
                    typed_config: {
                      "@type": `${types}.ext_authz.v3.ExtAuthz`,
                      ...writeFilter(auth, nameOf(auth.cluster)),
                    },
                  },
                },
              },
            },
          },
        },
      },
    }),
  },
  describe(shown) {
    const found = find(shown);
    if (!found) return [];
    const headers = found.allowed_headers?.patterns?.map(({ exact }) => exact).join(", ");
    const body = found.with_request_body?.max_request_bytes;
    const details = [
      found.grpc_service ? "gRPC" : "HTTP",
      ...(headers ? [`headers ${headers}`] : []),
      ...(body ? [`bodies of at most ${body} bytes`] : []),
    ];
    return facts({ authorization: `${clusterOf(found)} (${details.join("; ")})` });
  },
  protections(shown) {
    const found = find(shown);
    return found ? { authorization: serviceOf(clusterOf(found)) } : {};
  },
};
