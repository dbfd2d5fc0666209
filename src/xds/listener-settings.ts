import type { AccessLog, HttpConnectionManager, Listener } from "../gen/envoy.js";
import { readTimeout } from "../graph/policy/timeout.js";
import type { SettingsSpec } from "../schema/settings.js";
import { duration } from "./duration.js";

/** A timeout of the settings in milliseconds: 0 is none, undefined Envoy's default. */
export const settingMs = (text: string | undefined): number | undefined => readTimeout(text).ms;

const timeout = (text: string | undefined): ReturnType<typeof duration> | undefined => {
  const ms = settingMs(text);
  return ms === undefined ? undefined : duration(ms);
};

/** The timeouts of the HTTP connection manager that the settings give. */
export function connectionTimeouts({ timeouts, listener }: SettingsSpec): Partial<HttpConnectionManager> {
  const idle = timeout(timeouts.connectionIdleTimeout);
  // Here an explicit zero would mean "at once", not "never".
  const maximum = settingMs(timeouts.maxConnectionDuration)
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

/** Whether the settings ask for HTTP/1.1 and HTTP/2. */
export const httpVersions = (settings: SettingsSpec): { h1: boolean; h2: boolean } => {
  const asked = settings.httpVersions;
  const h1 = asked.includes("HTTP/1.1");
  const h2 = asked.includes("HTTP/2");
  return h1 || h2 ? { h1, h2 } : { h1: true, h2: true };
};

/** Access log lines in Envoy's default format, appended to a file. */
export const fileAccessLog = (path: string): readonly AccessLog[] =>
  path === ""
    ? []
    : [
        {
          name: "envoy.access_loggers.file",
          typed_config: {
            "@type": "type.googleapis.com/envoy.extensions.access_loggers.file.v3.FileAccessLog",
            path,
          },
        },
      ];

// SOL_SOCKET SO_KEEPALIVE, then IPPROTO_TCP TCP_KEEPIDLE, TCP_KEEPINTVL and TCP_KEEPCNT of Linux.
const keepalive: Listener["socket_options"] = [
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

/** What the HTTP and HTTPS listeners share. */
export function listenerBase(
  name: string,
  address: string,
  port: number,
  settings: SettingsSpec,
): Pick<
  Listener,
  "name" | "address" | "socket_options" | "per_connection_buffer_limit_bytes" | "connection_balance_config"
> {
  const { perConnectionBufferLimitBytes: limit, connectionBalancer } = settings.listener;
  return {
    name,
    address: {
      socket_address: { address, port_value: port, ...(address === "::" ? { ipv4_compat: true } : {}) },
    },
    socket_options: keepalive,
    ...(limit ? { per_connection_buffer_limit_bytes: limit } : {}),
    ...(connectionBalancer === "exact" ? { connection_balance_config: { exact_balance: {} } } : {}),
  };
}
