import type { GrpcService, HttpConnectionManager, HttpFilter, StringMatcher } from "../gen/envoy.js";
import type { AllowedHeader, Authorization, JwksServer, JwtProvider } from "../graph/core/nodes.js";
import type { RateLimitService, Tracing, TracingTag } from "../graph/policies/global-services.js";
import { duration } from "./duration.js";
import { filterNames } from "./filter-names.js";

const types = "type.googleapis.com/envoy.extensions.filters.http" as const;

interface Server {
  readonly cluster: string;
  readonly authority: string;
  readonly timeoutMs?: number;
}

const grpcService = ({ cluster, authority, timeoutMs }: Server): GrpcService => ({
  envoy_grpc: { cluster_name: cluster, authority },
  ...(timeoutMs === undefined ? {} : { timeout: duration(timeoutMs) }),
});

const writeAllowed = ({ kind, value, ignoreCase }: AllowedHeader): StringMatcher => ({
  [kind]: value,
  ...(ignoreCase ? { ignore_case: true } : {}),
});

/** Asks an authorization service; requests are refused with 403 when it does not answer. */
export function authorizationFilter(authorization: Authorization): HttpFilter {
  const { cluster, timeoutMs, http, failOpen, body } = authorization;
  const service = http
    ? {
        http_service: {
          // Required by Envoy, which takes only the path prefix and the cluster to heart.
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
    name: filterNames.authorization,
    typed_config: {
      "@type": `${types}.ext_authz.v3.ExtAuthz`,
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
    },
  };
}

/** Verifies tokens; routes name the provider. `clusterOf` gives the cluster where remote keys are fetched. */
export function jwtFilter(
  providers: readonly JwtProvider[],
  clusterOf: (server: JwksServer) => string,
): HttpFilter {
  const written = providers.map((provider) => {
    const { name, issuer, audiences, forward, keys } = provider;
    const source =
      keys.kind === "local"
        ? { local_jwks: { inline_bytes: btoa(keys.jwks) } }
        : {
            remote_jwks: {
              http_uri: {
                uri: keys.uri,
                cluster: clusterOf(keys.server),
                timeout: duration(keys.timeoutMs),
              },
              ...(keys.cacheMs === undefined ? {} : { cache_duration: duration(keys.cacheMs) }),
            },
          };
    return [
      name,
      {
        ...(issuer ? { issuer } : {}),
        ...(audiences.length > 0 ? { audiences } : {}),
        ...(forward ? { forward } : {}),
        ...source,
      },
    ] as const;
  });
  return {
    name: filterNames.jwt,
    typed_config: {
      "@type": `${types}.jwt_authn.v3.JwtAuthentication`,
      providers: Object.fromEntries(written),
      requirement_map: Object.fromEntries(providers.map(({ name }) => [name, { provider_name: name }])),
    },
  };
}

/** Asks the rate limit service about requests that a route or host has descriptors for. */
export const rateLimitFilter = (service: RateLimitService): HttpFilter => ({
  name: filterNames.rateLimit,
  typed_config: {
    "@type": `${types}.ratelimit.v3.RateLimit`,
    domain: service.domain,
    ...(service.timeoutMs === undefined ? {} : { timeout: duration(service.timeoutMs) }),
    ...(service.failOpen ? {} : { failure_mode_deny: true }),
    ...(service.limitHeaders ? { enable_x_ratelimit_headers: "DRAFT_VERSION_03" } : {}),
    ...(service.resourceExhausted ? { rate_limited_as_resource_exhausted: true } : {}),
    rate_limit_service: {
      grpc_service: grpcService({ cluster: service.cluster, authority: service.authority }),
      transport_api_version: "V3",
    },
  },
});

type WrittenTracing = NonNullable<HttpConnectionManager["tracing"]>;

function writeTag({ tag, kind, value }: TracingTag): NonNullable<WrittenTracing["custom_tags"]>[number] {
  if (kind === "literal") return { tag, literal: { value } };
  return kind === "environment"
    ? { tag, environment: { name: value } }
    : { tag, request_header: { name: value } };
}

/** Spans for an OpenTelemetry collector. */
export const writeTracing = (tracing: Tracing): WrittenTracing => ({
  client_sampling: { value: tracing.client },
  random_sampling: { value: tracing.random },
  overall_sampling: { value: tracing.overall },
  max_path_tag_length: tracing.maxPathTagLength,
  ...(tracing.tags.length > 0 ? { custom_tags: tracing.tags.map(writeTag) } : {}),
  provider: {
    name: "envoy.tracers.opentelemetry",
    typed_config: {
      "@type": "type.googleapis.com/envoy.config.trace.v3.OpenTelemetryConfig",
      grpc_service: grpcService(tracing),
      service_name: tracing.serviceName,
    },
  },
  spawn_upstream_span: true,
});
