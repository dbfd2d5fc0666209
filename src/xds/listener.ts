import type {
  NetworkFilter as Filter,
  HttpConnectionManager,
  Listener,
  ListenerFilter,
  RouteConfiguration,
} from "../gen/envoy.js";
import { ingressHttp, ingressHttps } from "../graph/core/listener-names.js";
import type { ClientValidation } from "../graph/policies/client-validation.js";
import type { GlobalServices } from "../graph/policies/global-services.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Resource } from "../store/store.js";
import { writeAccessLog } from "./access-log.js";
import { httpFilters } from "./http-filters.js";
import { connectionTimeouts, httpVersions, listenAddress, listenerBase } from "./listener-settings.js";
import type { Chain } from "./policies/policy.js";
import { quicListener, writeQuicListener } from "./quic.js";
import { routesHole } from "./routes-hole.js";
import { writeStatsListeners, writeStatsSecrets } from "./stats-listener.js";
import { writeTracing } from "./tracing.js";

const transformations = {
  overwrite: "OVERWRITE",
  append_if_absent: "APPEND_IF_ABSENT",
  pass_through: "PASS_THROUGH",
} as const;

const escapedSlashes = {
  keep: {},
  reject: { path_with_escaped_slashes_action: "REJECT_REQUEST" },
  unescape: { path_with_escaped_slashes_action: "UNESCAPE_AND_FORWARD" },
} as const;

/** Options of the HTTP connection manager of one filter chain. */
export interface ManagerOptions extends Chain {
  /** Its Envoy listener. */
  readonly listener: string;
  readonly secure: boolean;
  /** Its route table, if that does not have the listener's name. */
  readonly table?: string;
  readonly forwardCertificate?: ClientValidation["forward"];
  /** Allows all upgrades; without it each route allows its own. */
  readonly websockets?: boolean | undefined;
  /** HTTP/3. */
  readonly quic?: boolean;
}

/** The HTTP connection manager of a filter chain. All managers with the same route table share a subscription. */
export function writeHttpConnectionManager({
  listener,
  secure,
  table = listener,
  forwardCertificate,
  websockets,
  quic,
  ...chain
}: ManagerOptions): Filter {
  const {
    settings,
    services: { tracing },
  } = chain;
  const { h1, h2 } = httpVersions(settings);
  const codec: HttpConnectionManager["codec_type"] = quic
    ? "HTTP3"
    : h1 && h2
      ? "AUTO"
      : h2
        ? "HTTP2"
        : "HTTP1";
  const { accessLog: path } = secure ? settings.https : settings.http;
  const log = writeAccessLog(path, settings.accessLog);
  const streams = settings.listener.httpMaxConcurrentStreams;
  const manager: HttpConnectionManager = {
    codec_type: codec,
    stat_prefix: listener,
    ...routesHole(table),
    http_filters: httpFilters(chain),
    use_remote_address: true,
    ...(settings.xffNumTrustedHops ? { xff_num_trusted_hops: settings.xffNumTrustedHops } : {}),
    normalize_path: true,
    merge_slashes: !settings.disableMergeSlashes,
    ...escapedSlashes[settings.escapedSlashes],
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
    ...(websockets ? { upgrade_configs: [{ upgrade_type: "websocket" }] } : {}),
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

/** A route table without its virtual hosts, which the units of the hosts make, and without its name, which differs in parts. */
export const routeTable = (name: string): Resource => {
  const table: RouteConfiguration = {
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

/** A listener of Envoy before it has an address: name, kind, port. */
export interface ListenerSpec {
  /** The name of its route table and filter chains. */
  readonly name: string;
  /** Where it listens; absent: at the address of the settings. */
  readonly addresses?: readonly string[];
  /**
   * The name in Envoy if it differs: within one update, a listener can't take over the address of another one that
   * stays.
   */
  readonly listener?: string;
  readonly family: "http" | "https" | "tcp";
  readonly port: number;
  readonly websockets?: boolean;
  /** Clients send the PROXY protocol, whatever the setting says. */
  readonly proxyProtocol?: boolean;
}

/** The listeners for traffic with their route tables, and those for health and statistics. */
export function writeListeners(
  specs: readonly ListenerSpec[],
  settings: SettingsSpec,
  services: GlobalServices,
): readonly Resource[] {
  return [
    ...writeTrafficListeners(specs, settings, services),
    ...writeStatsSecrets(settings),
    ...writeStatsListeners(settings).map((listener) => listenerResource(listener, "")),
  ];
}

/** Listeners for traffic, each with its route table. */
export const writeTrafficListeners = (
  specs: readonly ListenerSpec[],
  settings: SettingsSpec,
  services: GlobalServices,
): readonly Resource[] => specs.flatMap((front) => writeListener(front, settings, services));

/** The listeners without a Gateway. */
export const defaultListeners = ({ http, https }: SettingsSpec): readonly ListenerSpec[] => [
  { name: ingressHttp, family: "http", port: http.port },
  { name: ingressHttps, family: "https", port: https.port },
];

const listenerResource = (
  listener: Listener,
  group: "" | "http" | "chains",
  name = listener.name ?? "",
): Resource => ({ type: "listener", group, name, json: JSON.stringify(listener) });

function writeListener(
  {
    name,
    listener: envoyName = name,
    family,
    port,
    websockets,
    addresses,
    proxyProtocol: decodes,
  }: ListenerSpec,
  settings: SettingsSpec,
  services: GlobalServices,
): readonly Resource[] {
  const { address: usual } = family === "https" ? settings.https : settings.http;
  const [address = usual, ...more] = addresses ?? [];
  const base = listenerBase(envoyName, address, port, settings);
  const filters = [
    ...((decodes ?? settings.useProxyProtocol) ? [proxyProtocol] : []),
    ...(family === "https" ? [tlsInspector(settings.tls.fingerprint)] : []),
  ];
  const others = more.map((one) => ({ address: listenAddress(one, port) }));
  const additional = others.length > 0 ? { additional_addresses: others } : {};
  const listener: Listener = {
    ...base,
    ...additional,
    ...(filters.length > 0 ? { listener_filters: filters } : {}),
  };
  if (family === "tcp") return [listenerResource(listener, "chains", name)];
  if (family === "https")
    return [
      routeTable(name),
      listenerResource(listener, "chains", name),
      ...(settings.http3.enabled
        ? [listenerResource(writeQuicListener(listener, settings), "chains", quicListener(name))]
        : []),
    ];
  const manager: ManagerOptions = { listener: name, secure: false, settings, services, websockets };
  const chains = [{ filters: [writeHttpConnectionManager(manager)] }];
  return [routeTable(name), listenerResource({ ...listener, filter_chains: chains }, "http", name)];
}
