import { durationMs } from "../../../schema/duration.js";
import type { Route } from "../../core/nodes.js";
import type { ObjectByKind } from "../../core/reader.js";
import type { Match } from "../../matches/match-types.js";
import { unreachablePath } from "../../matches/normalize-path.js";
import { readAnnotatedPolicies } from "../../policies/index.js";
import type { RetryPolicy } from "../../policies/retry.js";
import type { TimeoutPolicy } from "../../policies/timeout.js";
import { type BackendOptions, readBackends } from "./backends.js";
import { type Filters, readFilters } from "./filters.js";
import { readGrpcMatch, readHttpMatch } from "./matches.js";
import type { GatewayRouteContext } from "./problems.js";
import { readSession, withSessions } from "./session.js";

type HttpRoute = ObjectByKind<"HTTPRoute">;
type GrpcRoute = ObjectByKind<"GRPCRoute">;
type Rule = HttpRoute["spec"]["rules"][number];

/** The routes of one rule. */
export type RuleRoutes = readonly Route[];

/** Reads the rules of an HTTPRoute in order. An invalid part affects only its match, backend or rule. */
export function readHttpRules(route: HttpRoute, context: GatewayRouteContext): RuleRoutes[] {
  return route.spec.rules.map((rule, i) => {
    const path = `spec.rules[${i}]`;
    const timeout = readTimeouts(context, rule, `${path}.timeouts`);
    const matches = rule.matches.flatMap(
      (match, j) => readHttpMatch(context, match, `${path}.matches[${j}]`) ?? [],
    );
    const retry = readRetry(rule);
    return timeout ? readRule(context, { ...rule, matches, timeout, retry }, i, { withTls: true }) : [];
  });
}

/** Reads the rules of a GRPCRoute; `usualProtocol` is the protocol of backends whose Services specify none. */
export function readGrpcRules(
  route: GrpcRoute,
  context: GatewayRouteContext,
  usualProtocol: "h2" | "h2c",
): RuleRoutes[] {
  return route.spec.rules.map((rule, i) => {
    const path = `spec.rules[${i}]`;
    const asked = rule.matches.length > 0 ? rule.matches : [{ headers: [] }];
    const matches = asked.flatMap((match, j) => readGrpcMatch(context, match, `${path}.matches[${j}]`) ?? []);
    const timeout = noTimeout;
    return readRule(context, { ...rule, matches, timeout, retry: undefined }, i, {
      usualProtocol,
      withTls: true,
    });
  });
}

/** Streams have no time limit, and no field of a GRPCRoute sets one. */
const noTimeout: TimeoutPolicy = { response: 0 };

interface ReadRule extends Pick<Rule, "name" | "filters" | "backendRefs" | "sessionPersistence"> {
  readonly matches: readonly Match[];
  readonly timeout: TimeoutPolicy;
  readonly retry: RetryPolicy | undefined;
}

function readRule(
  context: GatewayRouteContext,
  rule: ReadRule,
  index: number,
  options: BackendOptions,
): Route[] {
  const field = `spec.rules[${index}]`;
  const filters = readFilters(context, rule.filters, field, options);
  const common = {
    insecure: "serve",
    spansLabels: true,
    from: context.route.ref,
    field,
  } as const;
  const refused = (match: Match): Route => ({
    ...common,
    match,
    action: { kind: "respond", status: 500 },
    policies: {},
  });
  if (!filters) return rule.matches.map(refused);
  const { requestHeaders } = filters.policies;
  const action = filters.redirect
    ? undefined
    : readBackends(context, rule.backendRefs, field, options, requestHeaders);
  const sessions = readSession(
    context,
    rule.sessionPersistence,
    { key: rule.name ?? String(index), backends: rule.backendRefs.length },
    `${field}.sessionPersistence`,
  );
  warnOfPaths(context, rule.matches, field);
  const annotated = readAnnotatedPolicies({
    annotations: context.route.meta.annotations,
    settings: context.reader.settings,
  });
  return rule.matches.map((match): Route => {
    const redirect = filters.redirect?.(match.path);
    if (redirect) {
      const { requestHeaders: _, ...policies } = filters.policies;
      return { ...common, match, action: redirect, policies };
    }
    if (action?.kind !== "forward") return refused(match);
    const mirrors = filters.mirrors.length > 0 ? { mirrors: filters.mirrors } : {};
    const backends = sessions
      ? withSessions(action.backends, sessions, context, match.path)
      : action.backends;
    return {
      ...common,
      match,
      action: { ...action, backends, ...mirrors },
      policies: { ...annotated, ...policiesOf(filters, rule, match) },
    };
  });
}

function policiesOf(filters: Filters, { timeout, retry }: ReadRule, match: Match): Route["policies"] {
  const pathRewrite = filters.rewrite(match.path);
  return {
    ...filters.policies,
    ...(timeout.response === undefined ? {} : { timeout }),
    ...(pathRewrite ? { pathRewrite } : {}),
    ...(retry ? { retry } : {}),
  };
}

function warnOfPaths({ warn, reader }: GatewayRouteContext, matches: readonly Match[], field: string): void {
  for (const { path } of matches) {
    const unreachable = unreachablePath(path, reader.settings);
    if (unreachable) warn("PathNeverMatches", unreachable, `${field}.matches`);
  }
}

/**
 * Reads `retry` of a rule: retries after the listed status codes, and after connections that fail or end (Gateway API,
 * HTTPRouteRetry). `timeouts.backendRequest` limits each attempt.
 */
function readRetry({ retry, timeouts }: Pick<Rule, "retry" | "timeouts">): RetryPolicy | undefined {
  if (!retry) return undefined;
  const perTry = timeouts?.backendRequest && durationMs(timeouts.backendRequest);
  const backoff = retry.backoff && durationMs(retry.backoff);
  const statusCodes = [...new Set(retry.codes)];
  const codes = statusCodes.length > 0 ? ["retriable-status-codes"] : [];
  return {
    retryOn: ["connect-failure", "refused-stream", "reset", ...codes].join(","),
    count: retry.attempts ?? 1,
    statusCodes,
    ...(perTry ? { perTryTimeoutMs: perTry } : {}),
    ...(backoff ? { backoffMs: backoff } : {}),
  };
}

/**
 * Reads the timeout of a request including its retries. Without `retry`, `timeouts.backendRequest` limits the whole
 * request. 0s is no timeout.
 */
function readTimeouts(
  { fail }: GatewayRouteContext,
  { timeouts, retry }: Pick<Rule, "timeouts" | "retry">,
  path: string,
): TimeoutPolicy | undefined {
  const request = timeouts?.request && durationMs(timeouts.request);
  const backend = timeouts?.backendRequest && durationMs(timeouts.backendRequest);
  if (request && backend !== undefined && backend > request) {
    const message = "backendRequest must be no longer than request";
    return fail("Accepted", "UnsupportedValue", message, `${path}.backendRequest`);
  }
  const response = retry
    ? (request ?? (backend === undefined ? undefined : 0))
    : backend || (request ?? backend);
  return response === undefined ? {} : { response };
}
