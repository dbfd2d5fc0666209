import { durationMs } from "../../../schema/duration.js";
import type { Route } from "../../core/nodes.js";
import type { ObjectByKind } from "../../core/reader.js";
import type { Match } from "../../matches/match-types.js";
import { unreachablePath } from "../../matches/normalize-path.js";
import { readAnnotatedPolicies } from "../../policies/index.js";
import type { TimeoutPolicy } from "../../policies/timeout.js";
import { type BackendOptions, readBackends } from "./backends.js";
import { type Filters, readFilters } from "./filters.js";
import { readGrpcMatch, readHttpMatch } from "./matches.js";
import type { GatewayRouteContext } from "./problems.js";

type HttpRoute = ObjectByKind<"HTTPRoute">;
type GrpcRoute = ObjectByKind<"GRPCRoute">;
type Rule = HttpRoute["spec"]["rules"][number];

/** The routes of one rule. */
export type RuleRoutes = readonly Route[];

/** The rules of an HTTPRoute in their order. What is wrong costs a match, a backend or a rule. */
export function readHttpRules(route: HttpRoute, context: GatewayRouteContext): RuleRoutes[] {
  return route.spec.rules.map((rule, i) => {
    const path = `spec.rules[${i}]`;
    const timeout = readTimeouts(context, rule.timeouts, `${path}.timeouts`);
    const matches = rule.matches.flatMap(
      (match, j) => readHttpMatch(context, match, `${path}.matches[${j}]`) ?? [],
    );
    return timeout ? readRule(context, { ...rule, matches, timeout }, i, { withTls: true }) : [];
  });
}

/** The rules of a GRPCRoute; `usualProtocol` is what its backends speak where their Services don't say. */
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
    return readRule(context, { ...rule, matches, timeout }, i, { usualProtocol, withTls: true });
  });
}

/** A stream lasts as long as both sides want, and a GRPCRoute has no field that limits it. */
const noTimeout: TimeoutPolicy = { response: 0 };

interface ReadRule extends Pick<Rule, "filters" | "backendRefs"> {
  readonly matches: readonly Match[];
  readonly timeout: TimeoutPolicy;
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
  if (!action && !filters.redirect) return [];
  warnOfPaths(context, rule.matches, field);
  const annotated = readAnnotatedPolicies({
    annotations: context.route.meta.annotations,
    settings: context.reader.settings,
  });
  return rule.matches.map((match): Route => {
    // As in Contour, headers are changed only on the way to and from a backend.
    const redirect = filters.redirect?.(match.path);
    if (redirect) return { ...common, match, action: redirect, policies: {} };
    if (action?.kind !== "forward") return refused(match);
    const mirrors = filters.mirrors.length > 0 ? { mirrors: filters.mirrors } : {};
    return {
      ...common,
      match,
      action: { ...action, ...mirrors },
      policies: { ...annotated, ...policiesOf(filters, rule, match) },
    };
  });
}

function policiesOf(filters: Filters, { timeout }: ReadRule, match: Match): Route["policies"] {
  const pathRewrite = filters.rewrite(match.path);
  return {
    ...filters.policies,
    ...(timeout.response === undefined ? {} : { timeout }),
    ...(pathRewrite ? { pathRewrite } : {}),
  };
}

function warnOfPaths({ warn, reader }: GatewayRouteContext, matches: readonly Match[], field: string): void {
  for (const { path } of matches) {
    const unreachable = unreachablePath(path, reader.settings);
    if (unreachable) warn("PathNeverMatches", unreachable, `${field}.matches`);
  }
}

/** As there are no retries, the timeout of a request to a backend is that of the whole; 0s is none. */
function readTimeouts(
  { fail }: GatewayRouteContext,
  timeouts: Rule["timeouts"],
  path: string,
): TimeoutPolicy | undefined {
  const request = timeouts?.request && durationMs(timeouts.request);
  const backend = timeouts?.backendRequest && durationMs(timeouts.backendRequest);
  if (request && backend !== undefined && backend > request) {
    const message = "backendRequest must be no longer than request";
    return fail("Accepted", "UnsupportedValue", message, `${path}.backendRequest`);
  }
  const response = backend || (request ?? backend);
  return response === undefined ? {} : { response };
}
