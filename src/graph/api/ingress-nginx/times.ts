import type { RoutePolicies } from "../../policies/index.js";
import type { RetryPolicy } from "../../policies/retry.js";
import type { AnnotatedIngress, NginxHostContext, Notes } from "./annotated-ingress.js";

export const positive = (value: number | undefined): number | undefined =>
  value !== undefined && value > 0 ? value : undefined;

interface Times {
  readonly retry?: RetryPolicy;
  readonly timeout: NonNullable<RoutePolicies["timeout"]>;
  /** The timeout of a websocket, if it differs. */
  readonly upgraded?: NonNullable<RoutePolicies["timeout"]>;
}

const safeMethods = ["GET", "HEAD", "PUT", "DELETE", "OPTIONS", "TRACE"];
/** Envoy's retry conditions for each condition of nginx. `reset` includes the end of a read timeout. */
const conditions: Readonly<Record<string, readonly string[]>> = {
  error: ["connect-failure", "refused-stream", "reset"],
  timeout: ["connect-failure"],
  invalid_header: ["reset"],
  non_idempotent: [],
};
const maxTries = 10;
/** The time for the pauses between tries. */
const slackMs = 5000;

/**
 * Reads `proxy-read-timeout`, `proxy-send-timeout` and `proxy-next-upstream*`. The read timeout is the time between two
 * parts of a response. It applies to each try, so that it is not the idle timeout of the whole request: this one only
 * ends requests whose body makes no progress. A websocket ends after the read timeout without data in either direction.
 */
export function readTimes(
  { values }: AnnotatedIngress,
  { options }: NginxHostContext["config"],
  notes: Notes,
): Times {
  const asked = positive(values["proxy-read-timeout"]) ?? positive(options["proxy-read-timeout"]);
  const read = (asked ?? 60) * 1000;
  const send =
    (positive(values["proxy-send-timeout"]) ?? positive(options["proxy-send-timeout"]) ?? 60) * 1000;
  const cases = (values["proxy-next-upstream"] ?? options["proxy-next-upstream"] ?? "error timeout").split(
    /\s+/,
  );
  if (positive(values["proxy-next-upstream-timeout"] ?? options["proxy-next-upstream-timeout"]))
    notes.ignore("proxy-next-upstream-timeout", "proxy-next-upstream-timeout: tries have no time limit");
  const retry = readRetry(cases, values, options);
  const isRepeated = cases.includes("timeout") && retry !== undefined;
  const isReset = retry?.retryOn.split(",").includes("reset") ?? false;
  if (isRepeated && !isReset)
    notes.ignore(
      "proxy-next-upstream",
      "proxy-next-upstream: a read timeout is not tried again without error",
    );
  // Envoy tries again after a reset, so that a read timeout that is not to be repeated can't end a try.
  if (retry && isReset !== isRepeated) return { retry, timeout: { response: 0, idle: Math.max(read, send) } };
  const tries = (retry?.count ?? 0) + 1;
  const idle = Math.max(send, read * tries + slackMs);
  return {
    retry: { ...(retry ?? { retryOn: "connect-failure", count: 0, statusCodes: [] }), perTryIdleMs: read },
    timeout: { response: 0, idle },
    ...(asked === undefined ? {} : { upgraded: { response: 0, idle: read } }),
  };
}

function readRetry(
  cases: readonly string[],
  values: AnnotatedIngress["values"],
  options: NginxHostContext["config"]["options"],
): RetryPolicy | undefined {
  const tries = values["proxy-next-upstream-tries"] ?? options["proxy-next-upstream-tries"] ?? 3;
  if (cases.includes("off") || tries === 1) return undefined;
  const statusCodes = cases.flatMap((one) => /^http_(\d{3})$/.exec(one)?.[1] ?? []).map(Number);
  const found = new Set(cases.flatMap((one) => conditions[one] ?? []));
  if (statusCodes.length > 0) found.add("retriable-status-codes");
  if (found.size === 0) return undefined;
  const anyMethod = cases.includes("non_idempotent") || options["retry-non-idempotent"] === true;
  return {
    retryOn: [...found].join(","),
    count: (tries <= 0 ? maxTries : Math.min(tries, maxTries)) - 1,
    statusCodes,
    otherHosts: true,
    ...(anyMethod ? {} : { methods: safeMethods }),
  };
}
