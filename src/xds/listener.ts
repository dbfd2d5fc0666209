import type {
  NetworkFilter as Filter,
  HttpConnectionManager,
  Listener,
  ListenerFilter,
  RouteConfiguration,
} from "../gen/envoy.js";
import type { GlobalServices, Tracing } from "../graph/global-services.js";
import type { ClientValidation } from "../graph/types.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Resource } from "../store/store.js";
import { writeAccessLog } from "./access-log.js";
import { configSource } from "./config-source.js";
import { type FilterOptions, httpFilters } from "./http-filters.js";
import { connectionTimeouts, httpVersions, listenerBase } from "./listener-settings.js";
import { authorizationFilter, rateLimitFilter, writeTracing } from "./protection-filters.js";
import { wholeRoutes } from "./route-shards.js";
import { writeStatsListeners, writeStatsSecrets } from "./stats-listener.js";

export const ingressHttp = "ingress_http";
export const ingressHttps = "ingress_https";
export const fallbackTable = "ingress_fallbackcert";

const transformations = {
  overwrite: "OVERWRITE",
  append_if_absent: "APPEND_IF_ABSENT",
  pass_through: "PASS_THROUGH",
} as const;

/** The listeners and the route tables of their names, and the one for clients without SNI. */
export type RouteTable = typeof ingressHttp | typeof ingressHttps | typeof fallbackTable;

/** What sets the HTTP connection manager of one filter chain apart. */
export interface ManagerOptions extends FilterOptions {
  readonly table: RouteTable;
  readonly tracing?: Tracing;
  readonly forwardCertificate?: ClientValidation["forward"];
}

/** The HTTP connection manager of a filter chain; all that name one route table share a subscription. */
export function writeHttpConnectionManager(
  { table, tracing, forwardCertificate, ...filters }: ManagerOptions,
  settings: SettingsSpec,
): Filter {
  const { h1, h2 } = httpVersions(settings);
  const name = table === ingressHttp ? ingressHttp : ingressHttps;
  const codec: HttpConnectionManager["codec_type"] = h1 && h2 ? "AUTO" : h2 ? "HTTP2" : "HTTP1";
  const { accessLog: path } = name === ingressHttps ? settings.https : settings.http;
  const log = writeAccessLog(path, settings.accessLog);
  const streams = settings.listener.httpMaxConcurrentStreams;
  const manager: HttpConnectionManager = {
    codec_type: codec,
    stat_prefix: name,
    ...wholeRoutes(table, configSource(settings.xdsCluster)),
    http_filters: httpFilters(settings, filters),
    use_remote_address: true,
    ...(settings.xffNumTrustedHops ? { xff_num_trusted_hops: settings.xffNumTrustedHops } : {}),
    normalize_path: true,
    merge_slashes: !settings.disableMergeSlashes,
    preserve_external_request_id: true,
    http_protocol_options: {
      accept_http_10: true,
      allow_chunked_length: !settings.disableAllowChunkedLength,
    },
    ...(streams ? { http2_protocol_options: { max_concurrent_streams: streams } } : {}),
    server_header_transformation: transformations[settings.serverHeaderTransformation],
    ...(settings.stripTrailingHostDot ? { strip_trailing_host_dot: true } : {}),
    ...connectionTimeouts(settings),
    ...(log.length > 0 ? { access_log: log } : {}),
    ...(tracing ? { tracing: writeTracing(tracing) } : {}),
    ...(forwardCertificate
      ? {
          forward_client_cert_details: "SANITIZE_SET",
          set_current_client_cert_details: forwardCertificate,
        }
      : {}),
  };
  return {
    name: "envoy.filters.network.http_connection_manager",
    typed_config: {
      "@type":
        "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
      ...manager,
    },
  };
}

const proxyProtocol: ListenerFilter = {
  name: "envoy.filters.listener.proxy_protocol",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.listener.proxy_protocol.v3.ProxyProtocol",
  },
};

const tlsInspector = ({ ja3, ja4 }: SettingsSpec["tls"]["fingerprint"]): ListenerFilter => ({
  name: "envoy.filters.listener.tls_inspector",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.listener.tls_inspector.v3.TlsInspector",
    ...(ja3 ? { enable_ja3_fingerprinting: true } : {}),
    ...(ja4 ? { enable_ja4_fingerprinting: true } : {}),
  },
});

/** Route tables without their virtual hosts: these come from the units of the hosts. */
export const routeTable = (name: RouteTable): Resource => {
  const table: RouteConfiguration = {
    name,
    request_headers_to_add: [
      {
        header: { key: "x-request-start", value: "t=%START_TIME(%s.%3f)%" },
        append_action: "APPEND_IF_EXISTS_OR_ADD",
      },
    ],
    ignore_port_in_host_matching: true,
  };
  return { type: "route-configuration", group: "", name, json: JSON.stringify(table) };
};

/** The listeners and route tables that the settings define, whatever hosts there are. */
export function writeListeners(settings: SettingsSpec, services: GlobalServices): readonly Resource[] {
  const { authorization, rateLimits, tracing } = services;
  const manager: ManagerOptions = {
    table: ingressHttp,
    cookies: true,
    ...(authorization ? { authorization: authorizationFilter(authorization) } : {}),
    ...(rateLimits ? { rateLimits: rateLimitFilter(rateLimits) } : {}),
    ...(tracing ? { tracing } : {}),
  };
  const front = settings.useProxyProtocol ? [proxyProtocol] : [];
  const { http, https } = settings;
  const listeners: Listener[] = [
    {
      ...listenerBase(ingressHttp, http.address, http.port, settings),
      ...(front.length > 0 ? { listener_filters: front } : {}),
      filter_chains: [{ filters: [writeHttpConnectionManager(manager, settings)] }],
    },
    {
      ...listenerBase(ingressHttps, https.address, https.port, settings),
      listener_filters: [...front, tlsInspector(settings.tls.fingerprint)],
    },
    ...writeStatsListeners(settings),
  ];
  return [
    routeTable(ingressHttp),
    routeTable(ingressHttps),
    ...writeStatsSecrets(settings),
    ...listeners.map((listener): Resource => {
      return { type: "listener", group: "", name: listener.name ?? "", json: JSON.stringify(listener) };
    }),
  ];
}
