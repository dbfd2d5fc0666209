/** Contour's log fields whose names are not an operator in lower case. */
const named: Readonly<Record<string, string>> = {
  "@timestamp": "%START_TIME%",
  ts: "%START_TIME%",
  authority: "%REQ(:AUTHORITY)%",
  method: "%REQ(:METHOD)%",
  path: "%REQ(X-ENVOY-ORIGINAL-PATH?:PATH)%",
  request_id: "%REQ(X-REQUEST-ID)%",
  uber_trace_id: "%REQ(UBER-TRACE-ID)%",
  upstream_service_time: "%RESP(X-ENVOY-UPSTREAM-SERVICE-TIME)%",
  user_agent: "%REQ(USER-AGENT)%",
  x_forwarded_for: "%REQ(X-FORWARDED-FOR)%",
  x_trace_id: "%REQ(X-TRACE-ID)%",
  tls_ja3_fingerprint: "%TLS_JA3_FINGERPRINT%",
  tls_ja4_fingerprint: "%TLS_JA4_FINGERPRINT%",
  contour_config_kind: "%METADATA(ROUTE:envoy.access_loggers.file:io.projectcontour.kind)%",
  contour_config_namespace: "%METADATA(ROUTE:envoy.access_loggers.file:io.projectcontour.namespace)%",
  contour_config_name: "%METADATA(ROUTE:envoy.access_loggers.file:io.projectcontour.name)%",
};

/** The default fields of Contour's JSON access log. */
export const defaultJsonFields: readonly string[] = [
  "@timestamp",
  "authority",
  "bytes_received",
  "bytes_sent",
  "downstream_local_address",
  "downstream_remote_address",
  "duration",
  "method",
  "path",
  "protocol",
  "request_id",
  "requested_server_name",
  "response_code",
  "response_flags",
  "uber_trace_id",
  "upstream_cluster",
  "upstream_host",
  "upstream_local_address",
  "upstream_service_time",
  "user_agent",
  "x_forwarded_for",
  "grpc_status",
  "grpc_status_number",
];

/** Operators without arguments. */
const simple = new Set(
  `BYTES_RECEIVED BYTES_SENT CONNECTION_ID CONNECTION_TERMINATION_DETAILS DOWNSTREAM_DIRECT_REMOTE_ADDRESS
  DOWNSTREAM_DIRECT_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_DIRECT_REMOTE_PORT DOWNSTREAM_HEADER_BYTES_RECEIVED
  DOWNSTREAM_HEADER_BYTES_SENT DOWNSTREAM_LOCAL_ADDRESS DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT DOWNSTREAM_LOCAL_PORT
  DOWNSTREAM_LOCAL_SUBJECT DOWNSTREAM_LOCAL_URI_SAN DOWNSTREAM_PEER_CERT DOWNSTREAM_PEER_CERT_V_END
  DOWNSTREAM_PEER_CERT_V_START DOWNSTREAM_PEER_FINGERPRINT_1 DOWNSTREAM_PEER_FINGERPRINT_256 DOWNSTREAM_PEER_ISSUER
  DOWNSTREAM_PEER_SERIAL DOWNSTREAM_PEER_SUBJECT DOWNSTREAM_PEER_URI_SAN DOWNSTREAM_REMOTE_ADDRESS
  DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT DOWNSTREAM_REMOTE_PORT DOWNSTREAM_TLS_CIPHER DOWNSTREAM_TLS_SESSION_ID
  DOWNSTREAM_TLS_VERSION DOWNSTREAM_WIRE_BYTES_RECEIVED DOWNSTREAM_WIRE_BYTES_SENT DURATION FILTER_CHAIN_NAME
  GRPC_STATUS GRPC_STATUS_NUMBER HOSTNAME LOCAL_REPLY_BODY PROTOCOL REQUEST_HEADERS_BYTES REQUESTED_SERVER_NAME
  REQUEST_DURATION REQUEST_TX_DURATION RESPONSE_CODE RESPONSE_CODE_DETAILS RESPONSE_DURATION RESPONSE_FLAGS
  RESPONSE_HEADERS_BYTES RESPONSE_TRAILERS_BYTES RESPONSE_TX_DURATION ROUTE_NAME START_TIME TLS_JA3_FINGERPRINT
  TLS_JA4_FINGERPRINT UPSTREAM_CLUSTER UPSTREAM_HEADER_BYTES_RECEIVED UPSTREAM_HEADER_BYTES_SENT UPSTREAM_HOST
  UPSTREAM_LOCAL_ADDRESS UPSTREAM_LOCAL_ADDRESS_WITHOUT_PORT UPSTREAM_LOCAL_PORT UPSTREAM_PEER_CERT
  UPSTREAM_PEER_CERT_V_END UPSTREAM_PEER_CERT_V_START UPSTREAM_PEER_ISSUER UPSTREAM_PEER_SUBJECT UPSTREAM_PROTOCOL
  UPSTREAM_REMOTE_ADDRESS UPSTREAM_REMOTE_ADDRESS_WITHOUT_PORT UPSTREAM_REMOTE_PORT UPSTREAM_REQUEST_ATTEMPT_COUNT
  UPSTREAM_TLS_CIPHER UPSTREAM_TLS_SESSION_ID UPSTREAM_TLS_VERSION UPSTREAM_TRANSPORT_FAILURE_REASON
  UPSTREAM_WIRE_BYTES_RECEIVED UPSTREAM_WIRE_BYTES_SENT VIRTUAL_CLUSTER_NAME`.split(/\s+/),
);

const header = /^:?[A-Za-z0-9!#$&'*+.^_`|~-]*$/;
/** `NAME`, or `NAME?OTHER`, where OTHER replaces an absent NAME. */
const headers = (text: string): boolean => {
  const names = text.split("?");
  return names.length <= 2 && names.every((one) => header.test(one));
};

const anything = (): boolean => true;
const metadata =
  /^(?:DYNAMIC|CLUSTER|ROUTE|UPSTREAM_HOST|LISTENER|VIRTUAL_HOST|LISTENER_FILTER_CHAIN)(?::|$)/;

interface Arguments {
  readonly optional?: boolean;
  /** Whether `:LENGTH` may follow. */
  readonly truncate?: boolean;
  readonly allowed: (text: string) => boolean;
}

/** Operators with arguments, and the arguments that Envoy 1.40 accepts. Envoy rejects a listener with any other. */
const withArguments: Readonly<Record<string, Arguments>> = {
  ENVIRONMENT: { truncate: true, allowed: anything },
  METADATA: { truncate: true, allowed: (text) => metadata.test(text) },
  REQ: { truncate: true, allowed: headers },
  REQ_WITHOUT_QUERY: { truncate: true, allowed: headers },
  RESP: { truncate: true, allowed: headers },
  TRAILER: { truncate: true, allowed: headers },
  START_TIME: { optional: true, allowed: anything },
  UPSTREAM_FILTER_STATE: {
    truncate: true,
    allowed: (text) => /^[^:]+(?::(?:|PLAIN|TYPED|FIELD:.+))?$/.test(text),
  },
  GRPC_STATUS: { optional: true, allowed: (text) => /^(?:CAMEL_STRING|SNAKE_STRING|NUMBER)$/.test(text) },
  RESPONSE_CODE_DETAILS: { optional: true, allowed: (text) => text === "ALLOW_WHITESPACES" },
};

const operatorPattern = /%(?:([A-Z0-9_]+)(?:\(([^)]+)\)(?::([0-9]+))?)?%)?/g;

/** The problem of the operators in an access log format, by Contour's list of operators; undefined when valid. */
function formatProblem(format: string): string | undefined {
  for (const [whole, operator, args, length] of format.matchAll(operatorPattern)) {
    if (operator === undefined) return "contains a % without an operator such as %DURATION%";
    const options = Object.hasOwn(withArguments, operator) ? withArguments[operator] : undefined;
    if (!options && !simple.has(operator)) return `contains the unknown operator ${whole}`;
    if (args === undefined) {
      if (options && !options.optional) return `${whole} needs arguments, such as %${operator}(NAME)%`;
      continue;
    }
    if (!options) return `${operator} takes no arguments`;
    if (length !== undefined && !options.truncate) return `${operator} takes no length`;
    if ((length ?? "").length > 9) return `the length of ${operator} is too big`;
    if (/[\r\n\0]/.test(args) || !options.allowed(args)) return `the arguments of ${whole} are not valid`;
  }
  return undefined;
}

/** The problem of the format of a text access log; undefined when valid. An empty format is Envoy's default. */
export function formatStringProblem(format: string): string | undefined {
  if (format === "") return undefined;
  return formatProblem(format) ?? (format.endsWith("\n") ? undefined : "must end with a line break");
}

/** Reads `name` or `name=FORMAT`. A name alone has Contour's format for it, or is the operator of that name. */
export function readJsonField(entry: string): { name: string; format: string } {
  const equals = entry.indexOf("=");
  if (equals >= 0) return { name: entry.slice(0, equals), format: entry.slice(equals + 1) };
  const known = Object.hasOwn(named, entry) ? named[entry] : undefined;
  const operator = entry.toUpperCase();
  return { name: entry, format: known ?? (simple.has(operator) ? `%${operator}%` : "") };
}

/** The problem of one field of the JSON access log; undefined when valid. */
export function jsonFieldProblem(entry: string): string | undefined {
  const { format } = readJsonField(entry);
  if (format !== "") return formatProblem(format);
  return entry.includes("=") ? "has no format after =" : "is not a known field; write it as NAME=%OPERATOR%";
}

interface LogFields {
  readonly format: "envoy" | "json";
  readonly formatString: string;
  readonly level: string;
}

const forgeable =
  "Envoy does not escape values in a text access log: a client can forge fields with quotes and spaces in a header such as User-Agent; use format json";

/**
 * The settings of an access log with its effective format: a format string without a format selects text. `written` maps
 * settings to the keys of the input. The warning has the path of the key that selects text.
 */
export function readLogFormat<T extends LogFields>(
  log: T,
  written: ReadonlyMap<string, string>,
): { accessLog: T; warning?: { message: string; path: string } } {
  const named = written.get("accessLog.format");
  const format = named === undefined && log.formatString !== "" ? "envoy" : log.format;
  const path = named ?? written.get("accessLog.formatString");
  const accessLog = { ...log, format };
  if (format === "json" || log.level === "disabled" || path === undefined) return { accessLog };
  return { accessLog, warning: { message: forgeable, path } };
}
