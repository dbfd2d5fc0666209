import type { FilterChain, Listener, Typed } from "../gen/envoy.js";
import type { Tls } from "../graph/core/nodes.js";
import { altSvc } from "../schema/http3.js";
import type { SettingsSpec } from "../schema/settings.js";
import { writeAccessLog } from "./access-log.js";

/** The name of the listener for HTTP/3 beside a listener for TLS. */
export const quicListener = (listener: string): string => `${listener}_quic`;

export const isQuicListener = (name: string): boolean => name.endsWith("_quic");

/** Why a host with TLS has no HTTP/3; undefined if it has. */
export function quicProblem({ clientValidation, maximum }: Tls): string | undefined {
  if (clientValidation) return "Envoy asks no client for a certificate over QUIC";
  return maximum === "1.3"
    ? undefined
    : "QUIC requires TLS 1.3, and the maximum version of this host is lower";
}

/** The header that tells clients of HTTP/3; undefined where it is off. `listener` is that of TLS. */
export function altSvcOf(listener: string, { http3 }: SettingsSpec): string | undefined {
  if (!http3.enabled) return undefined;
  const [, port] = /(?:^|\/)https-(\d+)/.exec(listener) ?? [];
  return altSvc(http3, port === undefined ? http3.advertisedPort : Number(port));
}

/** The listener for HTTP/3 at the address of a listener for TLS. */
export function writeQuicListener(
  { name = "", address, additional_addresses: more, socket_options: options }: Listener,
  { listener: { httpMaxConcurrentStreams: streams, perConnectionBufferLimitBytes: limit } }: SettingsSpec,
): Listener {
  return {
    name: quicListener(name),
    ...(address ? { address: overUdp(address) } : {}),
    ...(more
      ? { additional_addresses: more.map((one) => (one.address ? { address: overUdp(one.address) } : one)) }
      : {}),
    // Those of TCP's keep-alive have no meaning for datagrams.
    ...packetOptionsOf(options),
    ...(limit ? { per_connection_buffer_limit_bytes: limit } : {}),
    udp_listener_config: {
      downstream_socket_config: { prefer_gro: true },
      quic_options: streams ? { quic_protocol_options: { max_concurrent_streams: streams } } : {},
    },
  };
}

const overUdp = (address: NonNullable<Listener["address"]>): NonNullable<Listener["address"]> =>
  address.socket_address ? { socket_address: { ...address.socket_address, protocol: "UDP" } } : address;

const ipLevels: readonly unknown[] = [0, 41];

function packetOptionsOf(options: Listener["socket_options"]): Pick<Listener, "socket_options"> {
  const kept = (options ?? []).filter(({ level }) => ipLevels.includes(level));
  return kept.length > 0 ? { socket_options: kept } : {};
}

export type TlsContext =
  Typed<"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext">;

/**
 * The transport of a chain for HTTP/3, from that for TLS. Without early data: a client's request in it could be sent
 * again by others.
 */
export function quicTransport({ common_tls_context: common }: TlsContext): FilterChain["transport_socket"] {
  const { validation_context: _, ...rest } = common ?? {};
  const { cipher_suites: __, ...params } = rest.tls_params ?? {};
  return {
    name: "envoy.transport_sockets.quic",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.quic.v3.QuicDownstreamTransport",
      enable_early_data: false,
      downstream_tls_context: {
        common_tls_context: {
          ...rest,
          tls_params: { ...params, tls_minimum_protocol_version: "TLSv1_3" },
          alpn_protocols: ["h3"],
        },
      },
    },
  };
}

/**
 * Answers 421 to all requests: clients then use TLS over TCP. It keeps a host without HTTP/3 from being served by a
 * wildcard's chain. The transport is a host's own, or is taken from the chain of the wildcard when chains are linked.
 */
export function quicRefusal(listener: string, settings: SettingsSpec): FilterChain["filters"] {
  const log = writeAccessLog(settings.https.accessLog, settings.accessLog);
  return [
    {
      name: "envoy.filters.network.http_connection_manager",
      typed_config: {
        "@type":
          "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
        codec_type: "HTTP3",
        stat_prefix: listener,
        ...(log.length > 0 ? { access_log: log } : {}),
        route_config: {
          virtual_hosts: [
            {
              name: "*",
              domains: ["*"],
              routes: [
                {
                  match: { prefix: "/" },
                  direct_response: { status: 421, body: { inline_string: "misdirected request" } },
                },
              ],
            },
          ],
        },
        http_filters: [
          {
            name: "router",
            typed_config: { "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router" },
          },
        ],
      },
    },
  ];
}
