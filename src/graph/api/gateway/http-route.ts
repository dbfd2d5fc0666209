import { durationMs } from "../../../schema/duration.js";
import type { Action, Route } from "../../core/nodes.js";
import type { ObjectByKind } from "../../core/reader.js";
import type { Match } from "../../matches/match-types.js";
import { unreachablePath } from "../../matches/normalize-path.js";
import { type RoutePolicies, readAnnotatedPolicies } from "../../policies/index.js";
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
  const annotated = annotatedOf(context);
  return route.spec.rules.map((rule, index) => {
    const { filters, backendRefs } = rule;
    const path = `spec.rules[${index}]`;
    const timeout = readTimeouts(context, rule, `${path}.timeouts`);
    const matches: Match[] = [];
    for (const [j, written] of rule.matches.entries()) {
      const match = readHttpMatch(context, written, `${path}.matches[${j}]`);
      if (match) matches.push(match);
    }
    if (!timeout) return [];
    const retry = readRetry(rule);
    return readRule(context, { index, filters, backendRefs, matches, annotated, timeout, retry }, withTls);
  });
}

const withTls: BackendOptions = { withTls: true };

/** Reads the rules of a GRPCRoute; `usualProtocol` is the protocol of backends whose Services specify none. */
export function readGrpcRules(
  route: GrpcRoute,
  context: GatewayRouteContext,
  usualProtocol: "h2" | "h2c",
): RuleRoutes[] {
  const annotated = annotatedOf(context);
  return route.spec.rules.map((rule, index) => {
    const { filters, backendRefs } = rule;
    const path = `spec.rules[${index}]`;
    const asked = rule.matches.length > 0 ? rule.matches : [{ headers: [] }];
    const matches = asked.flatMap((match, j) => readGrpcMatch(context, match, `${path}.matches[${j}]`) ?? []);
    const read = { index, filters, backendRefs, matches, annotated, timeout: noTimeout, retry: undefined };
    return readRule(context, read, { usualProtocol, withTls: true });
  });
}

const annotatedOf = ({ route, reader }: GatewayRouteContext): RoutePolicies =>
  readAnnotatedPolicies({ annotations: route.meta.annotations, settings: reader.settings });

/** Streams have no time limit, and no field of a GRPCRoute sets one. */
const noTimeout: TimeoutPolicy = { response: 0 };

interface ReadRule extends Pick<Rule, "name" | "filters" | "backendRefs" | "sessionPersistence"> {
  /** Among the rules of its route. */
  readonly index: number;
  readonly matches: readonly Match[];
  /** The policies of the annotations of the route. */
  readonly annotated: RoutePolicies;
  readonly timeout: TimeoutPolicy;
  readonly retry: RetryPolicy | undefined;
}

/** The `priority` of the routes is the index of the rule. */
function readRule(context: GatewayRouteContext, rule: ReadRule, options: BackendOptions): Route[] {
  const { index } = rule;
  const field = `spec.rules[${index}]`;
  const filters = readFilters(context, rule.filters, field, options);
  // All routes have the same fields in the same order, so that they have one hidden class.
  const routeOf = (match: Match, action: Action, policies: RoutePolicies): Route => ({
    match,
    action,
    policies,
    insecure: "serve",
    priority: index,
    spansLabels: true,
    from: context.route.ref,
    field,
  });
  const refused = (match: Match): Route => routeOf(match, { kind: "respond", status: 500 }, {});
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
  const { mirrors } = filters;
  const forward =
    action?.kind === "forward" ? (mirrors.length > 0 ? { ...action, mirrors } : action) : undefined;
  return rule.matches.map((match): Route => {
    const redirect = filters.redirect?.(match.path);
    if (redirect) {
      const { requestHeaders: _, ...policies } = filters.policies;
      return routeOf(match, redirect, policies);
    }
    if (!forward) return refused(match);
    const action = sessions
      ? { ...forward, backends: withSessions(forward.backends, sessions, context, match.path) }
      : forward;
    return routeOf(match, action, policiesOf(filters, rule, match));
  });
}

function policiesOf(filters: Filters, { annotated, timeout, retry }: ReadRule, match: Match): RoutePolicies {
  const pathRewrite = filters.rewrite(match.path);
  return Object.assign(
    {},
    annotated,
    filters.policies,
    timeout.response === undefined ? undefined : { timeout },
    pathRewrite && { pathRewrite },
    retry && { retry },
  );
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
