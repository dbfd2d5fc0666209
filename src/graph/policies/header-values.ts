import {
  canonicalHeader,
  headerNameProblem,
  headerValueProblem,
  hostHeader,
  hostValueProblem,
} from "../../schema/header-names.js";

/** Values are Envoy header formats: the user's text, with `%` escaped except in allowed operators. */
export interface HeadersPolicy {
  readonly set: readonly { readonly name: string; readonly value: string }[];
  /** Added to existing headers of the same name. */
  readonly add?: readonly { readonly name: string; readonly value: string }[];
  readonly remove: readonly string[];
  /** A literal for the upstream Host. */
  readonly host?: string;
  /** The request header whose value becomes the upstream Host. */
  readonly hostFromHeader?: string;
}

export interface HeadersFields {
  readonly set?: readonly { readonly name: string; readonly value: string }[];
  readonly remove?: readonly string[];
}

/** Values of `%CONTOUR_…%` for the object that sets a header. */
export interface DynamicValues {
  /** Without it no variable exists, and text of that form is literal. */
  readonly namespace?: string;
  readonly service?: string;
  readonly port?: number;
}

/** Operators without arguments that a header value may use; any other `%` is literal. */
const operators = new Set([
  "DOWNSTREAM_REMOTE_ADDRESS",
  "DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT",
  "DOWNSTREAM_LOCAL_ADDRESS",
  "DOWNSTREAM_LOCAL_ADDRESS_WITHOUT_PORT",
  "DOWNSTREAM_LOCAL_PORT",
  "DOWNSTREAM_LOCAL_URI_SAN",
  "DOWNSTREAM_PEER_URI_SAN",
  "DOWNSTREAM_LOCAL_SUBJECT",
  "DOWNSTREAM_PEER_SUBJECT",
  "DOWNSTREAM_PEER_ISSUER",
  "DOWNSTREAM_TLS_SESSION_ID",
  "DOWNSTREAM_TLS_CIPHER",
  "DOWNSTREAM_TLS_VERSION",
  "DOWNSTREAM_PEER_FINGERPRINT_256",
  "DOWNSTREAM_PEER_FINGERPRINT_1",
  "DOWNSTREAM_PEER_SERIAL",
  "DOWNSTREAM_PEER_CERT",
  "DOWNSTREAM_PEER_CERT_V_START",
  "DOWNSTREAM_PEER_CERT_V_END",
  "HOSTNAME",
  "PROTOCOL",
  "UPSTREAM_REMOTE_ADDRESS",
  "RESPONSE_FLAGS",
  "RESPONSE_CODE_DETAILS",
  "TLS_JA3_FINGERPRINT",
  "TLS_JA4_FINGERPRINT",
]);

/** `REQ` with one or two headers, also pseudo-headers, and a length that Envoy can parse. */
const requestHeader = String.raw`REQ\(:?[\w-]+(?:\?:?[\w-]+)?\)(?::\d{1,6})?`;
const variable = new RegExp(`%([A-Z0-9_]+|${requestHeader})%|%`, "g");

/** Envoy refuses a route table with a longer list. */
const maxHeaders = 1000;

/** Escapes `%` in a header value except in allowed operators, and replaces `%CONTOUR_…%`. */
export function headerFormat(value: string, dynamic: DynamicValues): string {
  return value.replace(variable, (whole, operator: string | undefined) => {
    if (operator === undefined) return "%%";
    if (operator === "CONTOUR_NAMESPACE" && dynamic.namespace !== undefined)
      return dynamic.namespace.replaceAll("%", "%%");
    if (operator === "CONTOUR_SERVICE_NAME" && dynamic.service !== undefined) return dynamic.service;
    if (operator === "CONTOUR_SERVICE_PORT" && dynamic.port !== undefined) return String(dynamic.port);
    if (operators.has(operator) || operator.startsWith("REQ(")) return whole;
    return `%%${operator}%%`;
  });
}

/**
 * Reads a header policy of a route or service. In `set` of a request policy, `Host` rewrites the upstream authority.
 * It is refused everywhere else, because Envoy would refuse the whole route table.
 */
export function readHeadersPolicy(
  fields: HeadersFields | undefined,
  kind: "request" | "response",
  dynamic: DynamicValues,
): { policy?: HeadersPolicy; error?: string } {
  if (!fields?.set?.length && !fields?.remove?.length) return {};
  const set = new Map<string, string>();
  let host: Pick<HeadersPolicy, "host" | "hostFromHeader"> = {};
  for (const { name, value } of fields.set ?? []) {
    const key = canonicalHeader(name);
    // The last `Host` takes precedence, as in Contour.
    if (set.has(key)) return { error: `duplicate header addition: "${key}"` };
    const isHost = key === "Host" && kind === "request";
    const problem = isHost ? hostValueProblem(value) : headerValueProblem(value);
    if (problem) return { error: `invalid set header "${key}": ${problem}` };
    if (isHost) {
      host = hostRewrite(value);
      continue;
    }
    const wrong = headerNameProblem(key);
    if (wrong) return { error: `invalid set header "${key}": ${wrong}` };
    set.set(key, headerFormat(value, dynamic));
  }
  if (set.size > maxHeaders) return { error: `more than ${maxHeaders} headers to set` };
  const remove = new Set<string>();
  for (const name of fields.remove ?? []) {
    const key = canonicalHeader(name);
    if (remove.has(key)) return { error: `duplicate header removal: "${key}"` };
    const wrong = headerNameProblem(key);
    if (wrong) return { error: `invalid remove header "${key}": ${wrong}` };
    remove.add(key);
  }
  const sorted = [...set].sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    policy: { set: sorted.map(([name, value]) => ({ name, value })), remove: [...remove].sort(), ...host },
  };
}

function hostRewrite(value: string): Pick<HeadersPolicy, "host" | "hostFromHeader"> {
  const header = hostHeader(value);
  return header ? { hostFromHeader: header } : { host: value };
}
