import type { Action, Route } from "../../core/nodes.js";
import type { HTTPProxy, Reader, Report } from "../../core/reader.js";
import type { PathMatch } from "../../matches/match-types.js";
import { unreachablePath } from "../../matches/normalize-path.js";
import { readCookieRewrites } from "../../policies/cookie.js";
import type { Protections, RoutePolicies } from "../../policies/index.js";
import { replacePrefix } from "../../policies/path-rewrite.js";
import { type Condition, conditionProblem, mergeConditions, weakenedExact } from "./conditions.js";
import type { Place, RouteContext, RouteFields } from "./context.js";
import { readForward } from "./forward.js";
import { lostOverHttp, readPolicies } from "./policies.js";

/** `spec.routes[i]` at a place in the include tree; undefined (and a finding) when it is not valid. */
export function readProxyRoute(
  proxy: HTTPProxy,
  i: number,
  place: Place,
  reader: Reader,
  report: Report,
): Route | undefined {
  const route = (proxy.spec.routes ?? [])[i] as RouteFields;
  const path = `spec.routes[${i}]`;
  const context: RouteContext = {
    proxy,
    route,
    path,
    place,
    reader,
    report,
    fail(type, reason, message, field = "") {
      report.error(proxy.ref, type, reason, message, path + field);
      return undefined;
    },
  };
  const kinds = [route.services?.length, route.requestRedirectPolicy, route.directResponsePolicy];
  if (kinds.filter(Boolean).length !== 1) {
    const message =
      "must set exactly one of route.services or route.requestRedirectPolicy or route.directResponsePolicy";
    return context.fail("RouteError", "RouteActionCountNotValid", message);
  }
  const own: Condition[] = route.conditions ?? [];
  const conditions = [...place.conditions, ...own];
  const wrong = conditionProblem(own, conditions, reader.settings.budgets.regexProgramSize);
  if (wrong) return context.fail("RouteError", wrong.reason, wrong.message, ".conditions");
  const weakened = weakenedExact(own);
  if (weakened) {
    const message = `exact ${JSON.stringify(weakened)} counts as a prefix, as in Contour, because other conditions follow it; put it last`;
    report.warn(proxy.ref, "RouteError", "ExactPathNotLast", message, `${path}.conditions`);
  }

  const match = mergeConditions(conditions);
  const unreachable = unreachablePath(match.path, reader.settings);
  if (unreachable)
    report.warn(proxy.ref, "RouteError", "PathNeverMatches", unreachable, `${path}.conditions`);

  const policies = readPolicies(context, match.path);
  const action = policies && readAction(context, policies, match.path);
  if (!policies || !action) return undefined;
  return {
    match,
    action,
    policies: action.kind === "forward" ? policies : protectionsOf(policies),
    insecure: place.host.secure && !keepsHttp(context, policies) ? "redirect" : "serve",
    from: proxy.ref,
    field: path,
  };
}

/** Answers that Envoy gives itself are protected as backends are, but have no headers to set. */
function protectionsOf(policies: RoutePolicies): Protections {
  const { localRateLimit, ignoreHostRateLimits, ipFilter, authorization, jwtProvider } = policies;
  return {
    ...(localRateLimit ? { localRateLimit } : {}),
    ...(ignoreHostRateLimits ? { ignoreHostRateLimits } : {}),
    ...(ipFilter ? { ipFilter } : {}),
    ...(authorization ? { authorization } : {}),
    ...(jwtProvider ? { jwtProvider } : {}),
  };
}

/** `permitInsecure`, but for routes that would lose a protection of their host over plain HTTP. */
function keepsHttp(
  { route, proxy, path, place, reader, report }: RouteContext,
  policies: Protections,
): boolean {
  if (!route.permitInsecure || reader.settings.disablePermitInsecure) return false;
  const lost = place.host.secure ? lostOverHttp(place, policies) : undefined;
  if (!lost) return true;
  const message = `ignoring field "permitInsecure"; over plain HTTP this route would go without the ${lost} of its host, so it redirects to HTTPS`;
  report.warn(proxy.ref, "SpecError", "IgnoredField", message, `${path}.permitInsecure`);
  return false;
}

function readAction(context: RouteContext, policies: RoutePolicies, path: PathMatch): Action | undefined {
  const { route, fail } = context;
  const cookies = readCookieRewrites(route.cookieRewritePolicies);
  if (cookies.error) {
    const message = `${cookies.error} on route cookie rewrite rules`;
    return fail("RouteError", "CookieRewritePoliciesInvalid", message, ".cookieRewritePolicies");
  }
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
  if (route.requestRedirectPolicy) return readRedirect(context, route.requestRedirectPolicy, path);
  return readForward(context, policies, cookies.rewrites ?? []);
}

function readRedirect(
  { fail }: RouteContext,
  policy: NonNullable<RouteFields["requestRedirectPolicy"]>,
  path: PathMatch,
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
    ...(policy.prefix ? { rewrite: replacePrefix(path, policy.prefix) } : {}),
  };
}
