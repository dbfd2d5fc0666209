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
import type { SettingsSpec } from "../schema/settings.js";
import { BootstrapError } from "./bootstrap-error.js";
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
 * Where Envoy's admin interface is, which asks for no password: a TCP address, or the absolute path of a unix socket,
 * which only processes of Envoy's own user can open.
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
  /** PEM file of the authorities that the control plane's certificate is checked against, on Envoy's machine. */
  readonly caFile?: string;
  /** A protobuf duration such as `0.1s` (the default): the pause between two polls is 1 to 2 times this. */
  readonly refreshDelay?: Duration;
  /** Name of the xds cluster, which Envoy sends as the Host header. Defaults to {@link xdsClusterOf}. */
  readonly xdsCluster?: string;
  /** The Envoy that the bootstrap is for; absent: any from {@link oldestEnvoy} on. */
  readonly envoy?: EnvoyVersion;
  /** Allows `http://` to an address that is not loopback. */
  readonly insecure?: boolean;
  /** Over `http://`, for what does not speak HTTP/2 there: each held poll takes a connection of its own. */
  readonly http1?: boolean;
  /** Where the runtime values come from: those can't be served. */
  readonly settings?: SettingsSpec;
}

/** Where Debian, Ubuntu, Alpine and Envoy's own images keep the system's authorities; Envoy has no default of its own. */
const SYSTEM_CA_FILE = "/etc/ssl/certs/ca-certificates.crt";

/** Name of the secret that Envoy looks for in the token file. */
export const TOKEN_SECRET = "xds-token";

/** Envoy's default of 1,024 keeps an Envoy with more than 1,024 held polls from ever becoming ready. */
const CIRCUIT_BREAKER_LIMIT = 100_000;

/**
 * Writes the static part of an Envoy's configuration: where the control plane is and how to ask it.
 *
 * `initial_fetch_timeout` is 0s throughout, so that an Envoy restarted while the control plane is away stays
 * not ready (the load balancer skips it) in place of going live with no routes.
 *
 * @throws BootstrapError when an option is wrong or would send configuration, keys or tokens in the clear.
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
      request_timeout: "30s",
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
 * The name of the xds cluster when none is given. Envoy's REST client sends it as the Host header, which can't be
 * overridden, so off loopback it is the host name of the URL; on loopback it is `isoline`.
 *
 * @throws BootstrapError when the URL is not one.
 */
export function xdsClusterOf(xdsUrl: string): string {
  const { hostname, protocol } = parseUrl(xdsUrl);
  return protocol === "http:" && isLoopback(hostname) ? "isoline" : hostname;
}

/** Content of a token file: Envoy reads it again when it is replaced by a rename in its folder. */
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
      "--xds: expected scheme, host and port alone (Envoy asks for /v3/discovery:… at the root); tokens go in --token-file",
    );
  }
  const tls = protocol === "https:";
  if (!tls && !insecure && !isLoopback(hostname)) {
    throw new BootstrapError(
      `--xds ${text}: http:// would carry configuration and tokens in the clear to ${hostname}; ` +
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

/** Of `sockaddr_un` in Linux, with its final zero; macOS has 104. */
const maxSocketPath = 108;

function adminAddress(admin: AdminPlace): Address {
  if (!("socket" in admin)) {
    if (ipaddr.IPv4.isValidFourPartDecimal(admin.address) || ipaddr.IPv6.isValid(admin.address))
      return socketAddress(admin.address, admin.port);
    throw new BootstrapError(
      `--admin-address ${admin.address}: Envoy takes an IP address alone; its port goes into --admin-port`,
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

/** Whether other machines can reach an admin interface. */
export const isAdminOpen = (admin: AdminPlace): boolean => "address" in admin && !isLoopback(admin.address);

/** The listeners for probes and scrapes name this cluster: wherever the interface is, the control plane need not know. */
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
 * A name may have several addresses, such as those of replicas, or `localhost` of both families where the server listens on one: a
 * connection is made to the first that answers, and polls are not spread over them.
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

/** The last filter of an upstream chain. A message without fields, which is not among those that `Any` holds. */
const UPSTREAM_CODEC = {
  name: "envoy.filters.http.upstream_codec",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.filters.http.upstream_codec.v3.UpstreamCodec",
  },
} as object as HttpFilter;

/** Before it, an upstream filter chain that names a compressor ends Envoy at its start. */
const upstreamCompressor: EnvoyVersion = { major: 1, minor: 40 };

/**
 * All polls of an Envoy in one connection, and so at one replica, which sees what the Envoy has. A replica that is stopped sends no
 * reset: Envoy gives its connection up within 10 s, as its pings are not answered.
 */
const ONE_CONNECTION: Http2ProtocolOptions = {
  max_concurrent_streams: 2_147_483_647,
  connection_keepalive: { interval: "3s", timeout: "5s" },
};

function writeProtocolOptions(origin: Origin, { tokenFile, envoy, http1 }: Chosen): HttpProtocolOptions {
  if (http1 && origin.tls)
    throw new BootstrapError("--http1 is for http://; over https:// HTTP/2 is agreed on in the handshake");
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

/** A poll is 77 KB, nearly all of it Envoy's list of extensions; compressed it is 10 KB. */
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
