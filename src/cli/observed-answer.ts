import type { Echo } from "../dev/echo.js";
import type { HeaderChange, TlsSeen } from "../explain/explanation.js";
import { serviceOf } from "../explain/names.js";
import type { Observed } from "../route-tests/observed.js";
import { isRecord } from "../schema/issues.js";
import type { Expectation } from "../schema/route-tests.js";
import type { Answered } from "./envoy-request.js";

/** The result of a request to a real Envoy. */
export interface EnvoyAnswer {
  /** Undefined when the connection was closed. */
  readonly answer: Answered | undefined;
  readonly isTls: boolean;
  /** Clusters whose echo server had a request, including mirrors. */
  readonly reached: ReadonlySet<string>;
  /** Clusters with a connection that began with TLS. */
  readonly secured: ReadonlySet<string>;
  /** Secrets that contain the certificate of the connection. */
  readonly certificates: readonly string[] | undefined;
  readonly minimum: string | undefined;
  /** The explanation of the request, which has what Envoy does not show: weights, protections, client certificates. */
  readonly explained: Observed;
  readonly expectations: readonly Expectation[];
}

/** The observed result, with the explanation for what Envoy does not show. */
export function asObserved(asked: EnvoyAnswer): Observed {
  const { answer, explained } = asked;
  const isOfEmpty = explained.isEmpty && (answer ? answer.status === 503 : explained.outcome === "tcp");
  // Envoy does not show which backends have no endpoints.
  if (isOfEmpty) return { ...explained, ...(answer ? { tls: tlsOf(asked, false) } : {}) };
  const nothing = {
    location: undefined,
    backends: [],
    path: undefined,
    hosts: [],
    status: undefined,
    isEmpty: false,
  };
  if (!answer) {
    const summary = "Envoy closes the connection";
    return {
      ...explained,
      ...nothing,
      outcome: "closed",
      summary,
      tls: undefined,
      requestHeaders: [],
      responseHeaders: [],
    };
  }
  const echo = echoOf(answer, asked.reached);
  const responseHeaders = headersSeen("responseHeaders", answer.headers, asked);
  if (echo) return forwarded(asked, echo, responseHeaders);
  const { status, headers } = answer;
  const { location } = headers;
  const summary = `Envoy answers ${status}${location === undefined ? "" : ` with the location ${location}`}`;
  const outcome = status === 404 ? "not-found" : location === undefined ? "respond" : "redirect";
  return {
    ...explained,
    ...nothing,
    outcome,
    summary,
    status,
    location,
    tls: tlsOf(asked, false),
    requestHeaders: [],
    responseHeaders,
  };
}

/** Envoy's own response may look like an echo, but then no echo server had a request. */
function echoOf({ status, body, headers }: Answered, reached: ReadonlySet<string>): Echo | undefined {
  const upgraded = headers["x-echo-service"];
  if (status === 101 && typeof upgraded === "string")
    return { service: upgraded, method: "", path: "", host: "", headers: {} };
  try {
    const value: unknown = JSON.parse(body);
    const isEcho =
      status === 200 && isRecord(value) && typeof value.service === "string" && reached.has(value.service);
    return isEcho ? (value as unknown as Echo) : undefined;
  } catch {
    return undefined;
  }
}

/** Headers that a connection manager always adds to a request. */
const marks = ["x-forwarded-proto", "x-request-id", "x-request-start", "x-envoy-expected-rq-timeout-ms"];

function forwarded(asked: EnvoyAnswer, echo: Echo, responseHeaders: readonly HeaderChange[]): Observed {
  const { explained, secured, answer } = asked;
  const isTunnel = answer?.status === 200 && !marks.some((name) => name in echo.headers);
  const service = serviceOf(echo.service);
  const isExpected = explained.backends.some((backend) => backend.service === service);
  const [path, query] = echo.path.split(/\?(.*)/s);
  const isUpgrade = answer?.status === 101;
  return {
    ...explained,
    outcome: isTunnel ? "tcp" : "forward",
    summary: `Envoy ${isTunnel ? "passes the connection on" : "sends it"} to ${service}${isTunnel || isUpgrade ? "" : ` as ${echo.path}`}`,
    status: undefined,
    isEmpty: false,
    location: undefined,
    // One request shows only one of the backends: the weights come from the configuration.
    backends: isExpected ? explained.backends : [{ service, weight: 1 }],
    path: isTunnel ? undefined : isUpgrade ? explained.path : path,
    query: isUpgrade ? explained.query : query,
    hosts: isTunnel ? [] : isUpgrade || explained.hosts.includes(echo.host) ? explained.hosts : [echo.host],
    requestHeaders: isUpgrade ? explained.requestHeaders : headersSeen("requestHeaders", echo.headers, asked),
    responseHeaders,
    tls: tlsOf(asked, isTunnel && secured.has(echo.service)),
  };
}

function tlsOf(
  { isTls, certificates, minimum, explained: { tls } }: EnvoyAnswer,
  isPassedOn: boolean,
): TlsSeen | undefined {
  if (!isTls) return undefined;
  if (isPassedOn) return "passthrough";
  const from = typeof tls === "object" ? tls : undefined;
  return {
    minimum: minimum ?? from?.minimum ?? "",
    maximum: from?.maximum ?? "",
    certificates,
    clientCertificate: from?.clientCertificate ?? "none",
    acceptsAny: from?.acceptsAny ?? false,
  };
}

/** Envoy writes these after the routes. */
const ownHeaders: ReadonlySet<string> = new Set(["server", "date"]);

type Side = "requestHeaders" | "responseHeaders";
type Seen = Readonly<Record<string, string | readonly string[] | undefined>>;

/**
 * The observed values of the headers that tests check. Where the configuration contains a variable, the configured
 * value is used.
 */
function headersSeen(side: Side, seen: Seen, { explained, expectations }: EnvoyAnswer): HeaderChange[] {
  const names = new Set(
    expectations.flatMap(({ [side]: expected }) =>
      expected ? [...Object.keys(expected.set), ...expected.setAny, ...expected.removed] : [],
    ),
  );
  return [...names].flatMap((name): HeaderChange[] => {
    const configured = explained[side].filter((change) => change.name === name);
    if (side === "responseHeaders" && ownHeaders.has(name)) return configured;
    if (configured.some(({ value }) => value && /%[A-Z_]+.*%/.test(value))) return configured;
    const value = seen[name];
    if (value === undefined) return [{ name, action: "remove" }];
    const values = typeof value === "string" ? [value, ...value.split(/, ?/)] : value;
    return [...new Set(values)].map((one) => ({ name, action: "set", value: one }));
  });
}
