import type { Action, Route } from "../../core/nodes.js";
import type { HTTPProxy, Reader, Report } from "../../core/reader.js";
import { unreachablePath } from "../../matches/normalize-path.js";
import {
  anyActionPolicies,
  lostOverHttp,
  type RoutePolicies,
  readRoutePolicies,
} from "../../policies/index.js";
import { replacePrefix } from "../../policies/path-rewrite.js";
import type { RouteFields } from "../../policies/policy.js";
import { conditionProblem, type MatchCondition, mergeConditions, weakenedExact } from "./conditions.js";
import type { IncludePlace, ProxyRouteContext } from "./context.js";
import { fieldReport } from "./field-report.js";
import { readForward } from "./forward.js";
import type { Host } from "./host.js";

/** Reads `spec.routes[i]` at a place in the include tree; undefined with a finding if it is not valid. */
export function readProxyRoute(
  proxy: HTTPProxy,
  i: number,
  place: IncludePlace,
  reader: Reader,
  report: Report,
): Route | undefined {
  const route = (proxy.spec.routes ?? [])[i] as RouteFields;
  const path = `spec.routes[${i}]`;
  const findings = fieldReport(proxy, path, report);
  const kinds = [route.services?.length, route.requestRedirectPolicy, route.directResponsePolicy];
  if (kinds.filter(Boolean).length !== 1) {
    const message =
      "must set exactly one of route.services or route.requestRedirectPolicy or route.directResponsePolicy";
    return findings.fail("RouteError", "RouteActionCountNotValid", message);
  }
  const own: MatchCondition[] = route.conditions ?? [];
  const conditions = [...place.conditions, ...own];
  const wrong = conditionProblem(own, conditions, reader.settings.budgets.regexProgramSize);
  if (wrong) return findings.fail("RouteError", wrong.reason, wrong.message, ".conditions");
  const weakened = weakenedExact(own);
  if (weakened) {
    const message = `exact ${JSON.stringify(weakened)} is a prefix match, as in Contour, because other conditions follow it; move it to the end`;
    report.warn(proxy.ref, "RouteError", "ExactPathNotLast", message, `${path}.conditions`);
  }

  const match = mergeConditions(conditions);
  const unreachable = unreachablePath(match.path, reader.settings);
  if (unreachable)
    report.warn(proxy.ref, "RouteError", "PathNeverMatches", unreachable, `${path}.conditions`);

  const { host } = place;
  const context: ProxyRouteContext = {
    proxy,
    route,
    path,
    match: match.path,
    root: { virtualhost: host.virtualhost, secure: host.secure },
    place,
    reader,
    report,
    ...findings,
  };
  const policies = readRoutePolicies(context, host.policies);
  const action = policies && readAction(context, policies);
  if (!policies || !action) return undefined;
  return {
    match,
    action,
    policies: action.kind === "forward" ? policies : anyActionPolicies(policies),
    insecure: host.secure && !keepsHttp(context, policies) ? "redirect" : "serve",
    from: proxy.ref,
    field: path,
  };
}

/** `permitInsecure`, except for routes that would lose a protection of their host over plain HTTP. */
function keepsHttp(
  { route, place: { host }, reader, warnIgnored }: ProxyRouteContext,
  policies: RoutePolicies,
): boolean {
  if (!route.permitInsecure || reader.settings.disablePermitInsecure) return false;
  const lost = host.secure ? lostBy(host, policies) : undefined;
  if (!lost) return true;
  const message = `ignoring field "permitInsecure"; over plain HTTP this route would lack the ${lost} of its host, so it redirects to HTTPS`;
  warnIgnored(message, ".permitInsecure");
  return false;
}

const lostBy = (host: Host, policies: RoutePolicies): string | undefined =>
  host.clientCertificates ? "client certificates" : lostOverHttp(host.policies, policies);

function readAction(context: ProxyRouteContext, policies: RoutePolicies): Action | undefined {
  const { route, fail } = context;
  if (route.directResponsePolicy) {
    const { statusCode: status, body } = route.directResponsePolicy;
    if (new TextEncoder().encode(body).length > 4096)
      return fail(
        "RouteError",
        "DirectResponseNotValid",
        "the body is longer than 4096 bytes",
        ".directResponsePolicy.body",
      );
    return { kind: "respond", status, ...(body ? { body } : {}) };
  }
  if (route.requestRedirectPolicy) return readRedirect(context, route.requestRedirectPolicy);
  return readForward(context, policies);
}

function readRedirect(
  { fail, match }: ProxyRouteContext,
  policy: NonNullable<RouteFields["requestRedirectPolicy"]>,
): Action | undefined {
  if (policy.path && policy.prefix) {
    return fail(
      "RouteError",
      "RequestRedirectPolicy",
      "cannot specify both redirect path and redirect prefix",
      ".requestRedirectPolicy",
    );
  }
  return {
    kind: "redirect",
    status: policy.statusCode ?? 302,
    ...(policy.scheme ? { scheme: policy.scheme } : {}),
    ...(policy.hostname ? { host: policy.hostname } : {}),
    ...(policy.port ? { port: policy.port } : {}),
    ...(policy.path ? { path: policy.path } : {}),
    ...(policy.prefix ? { rewrite: replacePrefix(match, policy.prefix) } : {}),
  };
}
