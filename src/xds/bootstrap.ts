import ipaddr from "ipaddr.js";
import type {
  Address,
  Bootstrap,
  CircuitBreakers,
  Cluster,
  ConfigSource,
  Duration,
  Http2ProtocolOptions,
  HttpFilter,
  LayeredRuntime,
  TransportSocket,
  Typed,
} from "../gen/envoy.js";
import { pollTimes } from "../schema/polls.js";
import type { SettingsSpec } from "../schema/settings.js";
import { BootstrapError } from "./bootstrap-error.js";
import { duration } from "./duration.js";
import {
  type EnvoyVersion,
  formatEnvoyVersion,
  isAtLeast,
  newestEnvoy,
  oldestEnvoy,
} from "./envoy-version.js";
import { type OverloadLimits, writeOverload } from "./overload.js";
import { runtimeValues } from "./runtime.js";
import { adminCluster } from "./stats-listener.js";

type HttpProtocolOptions =
  Typed<"type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions">;

/**
 * The address of Envoy's admin interface, which requires no password: a TCP address, or the absolute path of a unix
 * socket, which only processes of Envoy's own user can open.
 */
export type AdminPlace = { readonly address: string; readonly port: number } | { readonly socket: string };

export interface BootstrapOptions extends OverloadLimits {
  /** Origin of the control plane: `https://host[:port]`, or `http://` to a loopback address. */
  readonly xdsUrl: string;
  readonly nodeId: string;
  readonly nodeCluster: string;
  readonly admin: AdminPlace;
  /** An Envoy SDS file with the generic secret `xds-token`; see {@link tokenFileFor}. Absolute path. */
  readonly tokenFile?: string;
  /** PEM file, on Envoy's machine, of the authorities that validate the control plane's certificate. */
  readonly caFile?: string;
  /** A protobuf duration such as `0.1s` (the default). The pause between two polls is 1 to 2 times as long. */
  readonly refreshDelay?: Duration;
  /** Name of the xds cluster, which Envoy sends as the Host header. Defaults to {@link xdsClusterOf}. */
  readonly xdsCluster?: string;
  /** The version of the Envoy; undefined: any from {@link oldestEnvoy} on. */
  readonly envoy?: EnvoyVersion;
  /** Allows `http://` to an address that is not loopback. */
  readonly insecure?: boolean;
  /** Uses HTTP/1.1 over `http://`, for proxies without HTTP/2. Each held poll then takes its own connection. */
  readonly http1?: boolean;
  /** The source of the timeout of polls and of the runtime values, which xDS can't serve. */
  readonly settings?: SettingsSpec;
}

/** The system's authorities in Debian, Ubuntu, Alpine and Envoy's own images; Envoy itself has no default. */
const SYSTEM_CA_FILE = "/etc/ssl/certs/ca-certificates.crt";

/** Name of the secret in the token file. */
export const TOKEN_SECRET = "xds-token";

/** With Envoy's default of 1,024, an Envoy with more than 1,024 held polls never becomes ready. */
const CIRCUIT_BREAKER_LIMIT = 100_000;

/**
 * Writes the static part of an Envoy's configuration: the address of the control plane and the subscriptions.
 *
 * `initial_fetch_timeout` is always 0s. An Envoy that restarts while the control plane is unavailable then stays not
 * ready (the load balancer skips it), in place of becoming ready without routes.
 *
 * @throws BootstrapError when an option is wrong or would send configuration, keys or tokens unencrypted.
 */
export function writeBootstrap(options: BootstrapOptions): Bootstrap {
  const origin = parseOrigin(options.xdsUrl, options.insecure ?? false);
  const xdsCluster = options.xdsCluster ?? xdsClusterOf(options.xdsUrl);
  const { envoy = oldestEnvoy } = options;
  if (!isAtLeast(envoy, oldestEnvoy))
    throw new BootstrapError(
      `Envoy ${formatEnvoyVersion(envoy)} is not supported; use one from ${formatEnvoyVersion(oldestEnvoy)} to ${formatEnvoyVersion(newestEnvoy)}`,
    );
  const source: ConfigSource = {
    resource_api_version: "V3",
    initial_fetch_timeout: "0s",
    api_config_source: {
      api_type: "REST",
      transport_api_version: "V3",
      cluster_names: [xdsCluster],
      refresh_delay: options.refreshDelay ?? "0.1s",
      request_timeout: duration(pollTimes(options.settings?.polls).timeoutMs),
    },
  };
  return {
    node: {
      id: options.nodeId,
      cluster: options.nodeCluster,
      metadata: { isoline: { xds_cluster: xdsCluster } },
    },
    admin: { address: adminAddress(options.admin) },
    static_resources: {
      clusters: [
        writeXdsCluster(xdsCluster, origin, { ...options, envoy }),
        writeAdminCluster(options.admin),
      ],
    },
    dynamic_resources: { lds_config: source, cds_config: source },
    layered_runtime: writeRuntime(options.settings),
    ...writeOverload(options),
  };
}

/**
 * The name of the xds cluster if none is given. Envoy's REST client sends it as the Host header, which can't be
 * overridden. So it is the host name of the URL, except on loopback, where it is `isoline`.
 *
 * @throws BootstrapError when the URL is not valid.
 */
export function xdsClusterOf(xdsUrl: string): string {
  const { hostname, protocol } = parseUrl(xdsUrl);
  return protocol === "http:" && isLoopback(hostname) ? "isoline" : hostname;
}

/** Content of a token file. Envoy reads it again when a rename in its folder replaces it. */
export function tokenFileFor(token: string): string {
  const secret = {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret",
    name: TOKEN_SECRET,
    generic_secret: { secret: { inline_string: `Bearer ${token}` } },
  };
  return JSON.stringify({ resources: [secret] });
}

interface Origin {
  readonly hostname: string;
  readonly port: number;
  readonly tls: boolean;
}

function parseUrl(text: string): { protocol: string; hostname: string; port: string; rest: boolean } {
  if (!URL.canParse(text)) throw new BootstrapError(`--xds ${text}: not a URL; expected https://host[:port]`);
  const url = new URL(text);
  const rest = url.username + url.password + url.search + url.hash !== "" || url.pathname.length > 1;
  return { protocol: url.protocol, hostname: url.hostname.replace(/^\[|\]$/g, ""), port: url.port, rest };
}

function parseOrigin(text: string, insecure: boolean): Origin {
  const { protocol, hostname, port, rest } = parseUrl(text);
  if (protocol !== "https:" && protocol !== "http:") {
    throw new BootstrapError(`--xds ${text}: expected https:// or, on loopback, http://`);
  }
  if (rest) {
    throw new BootstrapError(
      "--xds: expected only scheme, host and port (Envoy requests /v3/discovery:… at the root); use --token-file for tokens",
    );
  }
  const tls = protocol === "https:";
  if (!tls && !insecure && !isLoopback(hostname)) {
    throw new BootstrapError(
      `--xds ${text}: http:// would send configuration and tokens unencrypted to ${hostname}; ` +
        "use https://, or --insecure if the network between is trusted",
    );
  }
  return { hostname, port: port === "" ? (tls ? 443 : 80) : Number(port), tls };
}

const isIp = (hostname: string): boolean => hostname.includes(":") || /^\d+\.\d+\.\d+\.\d+$/.test(hostname);

const isLoopback = (hostname: string): boolean =>
  hostname === "localhost" || hostname === "::1" || /^127\.\d+\.\d+\.\d+$/.test(hostname);

const socketAddress = (address: string, port: number): Address => ({
  socket_address: { address, port_value: port },
});

type Chosen = BootstrapOptions & { readonly envoy: EnvoyVersion };

function writeXdsCluster(name: string, origin: Origin, options: Chosen): Cluster {
  return {
    name,
    ...writeTarget(name, origin.hostname, origin.port),
    connect_timeout: "5s",
    circuit_breakers: writeCircuitBreakers(),
    upstream_connection_options: {
      tcp_keepalive: { keepalive_probes: 3, keepalive_time: 30, keepalive_interval: 5 },
    },
    ...(origin.tls ? { transport_socket: writeTls(origin.hostname, options.caFile ?? SYSTEM_CA_FILE) } : {}),
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": writeProtocolOptions(origin, options),
    },
  };
}

/** The limit of `sockaddr_un` in Linux, with its final zero; macOS has 104. */
const maxSocketPath = 108;

function adminAddress(admin: AdminPlace): Address {
  if (!("socket" in admin)) {
    if (ipaddr.IPv4.isValidFourPartDecimal(admin.address) || ipaddr.IPv6.isValid(admin.address))
      return socketAddress(admin.address, admin.port);
    throw new BootstrapError(
      `--admin-address ${admin.address}: Envoy requires an IP address without a port; use --admin-port for the port`,
    );
  }
  const { socket } = admin;
  if (!socket.startsWith("/") || socket.includes("\0") || encoder.encode(socket).length >= maxSocketPath)
    throw new BootstrapError(
      `--admin-socket ${socket}: expected an absolute path of less than ${maxSocketPath} bytes`,
    );
  return { pipe: { path: socket, mode: 0o600 } };
}

const encoder = new TextEncoder();

/** Whether other machines can reach the admin interface. */
export const isAdminOpen = (admin: AdminPlace): boolean => "address" in admin && !isLoopback(admin.address);

/**
 * The listeners for probes and scrapes name this cluster, so that the control plane does not need the address of the
 * interface.
 */
function writeAdminCluster(admin: AdminPlace): Cluster {
  if ("socket" in admin)
    return { name: adminCluster, ...targetAt(adminCluster, { pipe: { path: admin.socket } }) };
  const anyAddress = new Map([
    ["0.0.0.0", "127.0.0.1"],
    ["::", "::1"],
  ]);
  const address = anyAddress.get(admin.address) ?? admin.address;
  return { name: adminCluster, ...writeTarget(adminCluster, address, admin.port) };
}

type Target = Pick<Cluster, "type" | "dns_lookup_family" | "load_assignment">;

/**
 * A name may have several addresses, such as those of replicas, or `localhost` of both families while the server
 * listens on one. LOGICAL_DNS connects to the first that responds, and polls are not spread over several.
 */
const writeTarget = (name: string, hostname: string, port: number): Target => ({
  ...targetAt(name, socketAddress(hostname, port)),
  ...(isIp(hostname) ? {} : { type: "LOGICAL_DNS", dns_lookup_family: "ALL" }),
});

const targetAt = (name: string, address: Address): Target => ({
  type: "STATIC",
  load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
});

function writeCircuitBreakers(): CircuitBreakers {
  const limits = {
    max_connections: CIRCUIT_BREAKER_LIMIT,
    max_pending_requests: CIRCUIT_BREAKER_LIMIT,
    max_requests: CIRCUIT_BREAKER_LIMIT,
  };
  return { thresholds: [{ priority: "DEFAULT", ...limits }] };
}

function writeTls(hostname: string, caFile: string): TransportSocket {
  const ip = isIp(hostname);
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
      ...(ip ? {} : { sni: hostname }),
      common_tls_context: {
        alpn_protocols: ["h2"],
        tls_params: { tls_minimum_protocol_version: "TLSv1_2" },
        validation_context: {
          trusted_ca: { filename: caFile },
          match_typed_subject_alt_names: [
            { san_type: ip ? "IP_ADDRESS" : "DNS", matcher: { exact: hostname } },
          ],
        },
      },
    },
  };
}

/**
 * The last filter of an upstream chain. The message has no fields, so that the generated type of `Any` does not
 * include it.
 */
const UPSTREAM_CODEC = {
  name: "envoy.filters.http.upstream_codec",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec",
  },
} as object as HttpFilter;

/** In older versions, an upstream filter chain that names a compressor makes Envoy exit at start-up. */
const upstreamCompressor: EnvoyVersion = { major: 1, minor: 40 };

/**
 * All polls of an Envoy use one connection, and so one replica, which sees the versions that the Envoy has. A replica
 * that stops without closing the connection sends no reset: Envoy closes the connection within 10 s because its pings
 * get no response.
 */
const ONE_CONNECTION: Http2ProtocolOptions = {
  max_concurrent_streams: 2_147_483_647,
  connection_keepalive: { interval: "3s", timeout: "5s" },
};

function writeProtocolOptions(origin: Origin, { tokenFile, envoy, http1 }: Chosen): HttpProtocolOptions {
  if (http1 && origin.tls)
    throw new BootstrapError("--http1 requires http://; over https:// the handshake negotiates HTTP/2");
  return {
    "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
    explicit_http_config: http1 ? { http_protocol_options: {} } : { http2_protocol_options: ONE_CONNECTION },
    http_filters: [
      ...(tokenFile === undefined ? [] : [writeCredentialInjector(tokenFile)]),
      ...(isAtLeast(envoy, upstreamCompressor) ? [writeRequestCompressor()] : []),
      UPSTREAM_CODEC,
    ],
  };
}

function writeCredentialInjector(tokenFile: string): HttpFilter {
  const slash = tokenFile.lastIndexOf("/");
  if (slash < 0) throw new BootstrapError(`--token-file ${tokenFile}: expected an absolute path`);
  const folder = slash === 0 ? "/" : tokenFile.slice(0, slash);
  const sds = { path_config_source: { path: tokenFile, watched_directory: { path: folder } } };
  return {
    name: "envoy.filters.http.credential_injector",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.credential_injector.v3.CredentialInjector",
      overwrite: true,
      credential: {
        name: "envoy.http.injected_credentials.generic",
        typed_config: {
          "@type": "type.googleapis.com/envoy.extensions.http.injected_credentials.generic.v3.Generic",
          credential: { name: TOKEN_SECRET, sds_config: sds },
        },
      },
    },
  };
}

/** A poll is 77 KB, mostly Envoy's list of extensions; compressed it is 10 KB. */
function writeRequestCompressor(): HttpFilter {
  return {
    name: "envoy.filters.http.compressor",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.compressor.v3.Compressor",
      request_direction_config: {
        common_config: {
          enabled: { default_value: true, runtime_key: "isoline.compress_polls" },
        },
      },
      response_direction_config: {
        common_config: { enabled: { default_value: false, runtime_key: "isoline.compress_answers" } },
      },
      compressor_library: {
        name: "gzip",
        typed_config: { "@type": "type.googleapis.com/envoy.extensions.compression.gzip.compressor.v3.Gzip" },
      },
    },
  };
}

const writeRuntime = (settings: SettingsSpec | undefined): LayeredRuntime => ({
  layers: [
    { name: "isoline", static_layer: runtimeValues(settings).values },
    { name: "admin", admin_layer: {} },
  ],
});
