import type { Address, HttpConnectionManager, Listener, SocketOption } from "../gen/envoy.js";
import { readTimeout, type Timeout } from "../schema/duration.js";
import type { SettingsSpec } from "../schema/settings.js";
import { duration } from "./duration.js";

const timeout = (text: Timeout | undefined): ReturnType<typeof duration> | undefined => {
  const { ms } = readTimeout(text);
  return ms === undefined ? undefined : duration(ms);
};

/** The timeouts of the HTTP connection manager from the settings. */
export function connectionTimeouts({ timeouts, listener }: SettingsSpec): Partial<HttpConnectionManager> {
  const idle = timeout(timeouts.connectionIdleTimeout);
  // For Envoy an explicit zero is an immediate timeout, not none.
  const maximum = readTimeout(timeouts.maxConnectionDuration).ms
    ? timeout(timeouts.maxConnectionDuration)
    : undefined;
  const requests = listener.maxRequestsPerConnection;
  const common = {
    ...(idle ? { idle_timeout: idle } : {}),
    ...(maximum ? { max_connection_duration: maximum } : {}),
    ...(requests ? { max_requests_per_connection: requests } : {}),
  };
  const request = timeout(timeouts.requestTimeout);
  const stream = timeout(timeouts.streamIdleTimeout);
  const close = timeout(timeouts.delayedCloseTimeout);
  const drain = timeout(timeouts.connectionShutdownGracePeriod);
  return {
    ...(Object.keys(common).length > 0 ? { common_http_protocol_options: common } : {}),
    ...(request ? { request_timeout: request } : {}),
    ...(stream ? { stream_idle_timeout: stream } : {}),
    ...(close ? { delayed_close_timeout: close } : {}),
    ...(drain ? { drain_timeout: drain } : {}),
  };
}

/** Whether the settings enable HTTP/1.1 and HTTP/2. */
export const httpVersions = (settings: SettingsSpec): { h1: boolean; h2: boolean } => {
  const enabled = settings.httpVersions;
  const h1 = enabled.includes("HTTP/1.1");
  const h2 = enabled.includes("HTTP/2");
  return h1 || h2 ? { h1, h2 } : { h1: true, h2: true };
};

// SOL_SOCKET SO_KEEPALIVE, then IPPROTO_TCP TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT of Linux.
export const keepalive: readonly SocketOption[] = [
  { description: "Enable TCP keep-alive", level: 1, name: 9, int_value: 1, state: "STATE_LISTENING" },
  {
    description: "TCP keep-alive initial idle time",
    level: 6,
    name: 4,
    int_value: 45,
    state: "STATE_LISTENING",
  },
  {
    description: "TCP keep-alive time between probes",
    level: 6,
    name: 5,
    int_value: 5,
    state: "STATE_LISTENING",
  },
  { description: "TCP keep-alive probe count", level: 6, name: 6, int_value: 9, state: "STATE_LISTENING" },
];

/**
 * IPPROTO_IP IP_TOS and IPPROTO_IPV6 IPV6_TCLASS of Linux. An IPv4 socket refuses the latter, and Envoy then refuses
 * the listener.
 */
const packetOptions = (
  address: string,
  { tos, trafficClass }: SettingsSpec["listener"]["socketOptions"],
): readonly SocketOption[] => [
  ...(tos ? [packetOption("Set IPv4 TOS field", 0, 1, tos)] : []),
  ...(trafficClass && address.includes(":")
    ? [packetOption("Set IPv6 Traffic Class field", 41, 67, trafficClass)]
    : []),
];

const packetOption = (description: string, level: number, name: number, value: number): SocketOption => ({
  description,
  level,
  name,
  int_value: value,
  state: "STATE_LISTENING",
});

/** `::` is every address, including IPv4. */
export const listenAddress = (address: string, port: number): Address => ({
  socket_address: { address, port_value: port, ...(address === "::" ? { ipv4_compat: true } : {}) },
});

/** The common part of the HTTP and HTTPS listeners. */
export function listenerBase(
  name: string,
  address: string,
  port: number,
  settings: SettingsSpec,
): Pick<
  Listener,
  | "name"
  | "address"
  | "socket_options"
  | "per_connection_buffer_limit_bytes"
  | "connection_balance_config"
  | "max_connections_to_accept_per_socket_event"
> {
  const {
    perConnectionBufferLimitBytes: limit,
    connectionBalancer,
    maxConnectionsToAcceptPerSocketEvent: accept,
  } = settings.listener;
  return {
    name,
    address: listenAddress(address, port),
    socket_options: [...keepalive, ...packetOptions(address, settings.listener.socketOptions)],
    ...(limit ? { per_connection_buffer_limit_bytes: limit } : {}),
    ...(connectionBalancer === "exact" ? { connection_balance_config: { exact_balance: {} } } : {}),
    ...(accept ? { max_connections_to_accept_per_socket_event: accept } : {}),
  };
}
