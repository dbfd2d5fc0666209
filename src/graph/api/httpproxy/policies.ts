import type { PathMatch } from "../../matches/match-types.js";
import { routeAuthorization } from "../../policies/authorization.js";
import { type HashPolicy, readHashPolicies, sessionAffinity } from "../../policies/hash.js";
import { readHeadersPolicy } from "../../policies/headers.js";
import type { Protections, RoutePolicies } from "../../policies/index.js";
import { readInternalRedirect } from "../../policies/internal-redirect.js";
import { readIpFilter } from "../../policies/ip-filter.js";
import { entryFor, readReplacePrefix } from "../../policies/path-rewrite.js";
import { readDescriptors, readLocalRateLimit } from "../../policies/rate-limit.js";
import { readRetryPolicy } from "../../policies/retry.js";
import { readTimeoutPolicy } from "../../policies/timeout.js";
import type { Place, RouteContext } from "./context.js";

/** What a route that forwards carries; undefined (and a finding) when one of its policies is not valid. */
export function readPolicies(context: RouteContext, path: PathMatch): RoutePolicies | undefined {
  const { route, fail } = context;
  const timeout = readTimeoutPolicy(route.timeoutPolicy);
  if (timeout.error) {
    const message = `route.timeoutPolicy failed to parse: ${timeout.error}`;
    return fail("RouteError", "TimeoutPolicyNotValid", message, ".timeoutPolicy");
  }
  const headers = readHeaders(context);
  const rewrite = readReplacePrefix(route.pathRewritePolicy?.replacePrefix, path);
  if (rewrite.reason)
    return fail("PrefixReplaceError", rewrite.reason, rewrite.message ?? "", ".pathRewritePolicy");
  warnWithoutEffect(context, path);
  const limits = readDescriptors(
    route.rateLimitPolicy?.global,
    context.reader.settings.budgets.regexProgramSize,
  );
  if (limits.error) return failRateLimit(context, limits.error, ".global");
  const protections = readProtections(context);
  if (!headers || !protections) return undefined;
  const retry = readRetryPolicy(route.retryPolicy);
  const hash = readHash(context);
  const internalRedirect = readInternalRedirect(route.internalRedirectPolicy);
  return {
    ...(timeout.policy ? { timeout: timeout.policy } : {}),
    ...(retry ? { retry } : {}),
    ...(rewrite.policy ? { pathRewrite: rewrite.policy } : {}),
    ...headers,
    ...(hash ? { hash } : {}),
    ...(route.enableWebsockets ? { websocket: true } : {}),
    ...(internalRedirect ? { internalRedirect } : {}),
    ...(limits.descriptors ? { rateLimits: limits.descriptors } : {}),
    ...protections,
  };
}

/** Policies of a route that nothing of its host or its path gives an effect. */
function warnWithoutEffect({ route, proxy, place, path: at, report }: RouteContext, path: PathMatch): void {
  const warn = (field: string, message: string): void =>
    report.warn(proxy.ref, "SpecError", "IgnoredField", message, at + field);
  const entries = route.pathRewritePolicy?.replacePrefix ?? [];
  if (entries.length > 0 && path.kind === "prefix" && !entryFor(entries, path.value))
    warn(
      ".pathRewritePolicy",
      `has no effect for the prefix ${JSON.stringify(path.value)}: no entry names it`,
    );
  if (route.authPolicy && !place.host.authorizationDefaults)
    warn(".authPolicy", "has no effect: neither the virtual host nor the settings have an authorization");
}

const failRateLimit = ({ fail }: RouteContext, error: string, field: string): undefined =>
  fail(
    "RouteError",
    "RateLimitPolicyNotValid",
    `route.rateLimitPolicy is invalid: ${error}`,
    `.rateLimitPolicy${field}`,
  );

function readHeaders({
  route,
  proxy,
  fail,
}: RouteContext): Pick<RoutePolicies, "requestHeaders" | "responseHeaders"> | undefined {
  const service = route.services?.find((s) => !s.mirror);
  const dynamic = {
    namespace: proxy.meta.namespace,
    ...(service ? { service: service.name, port: service.port } : {}),
  };
  const request = readHeadersPolicy(route.requestHeadersPolicy, "request", dynamic);
  if (request.error) {
    const message = `${request.error} on request headers`;
    return fail("RouteError", "RequestHeadersPolicyInvalid", message, ".requestHeadersPolicy");
  }
  const response = readHeadersPolicy(route.responseHeadersPolicy, "response", dynamic);
  if (response.error) {
    const message = `${response.error} on response headers`;
    return fail("RouteError", "ResponseHeaderPolicyInvalid", message, ".responseHeadersPolicy");
  }
  return {
    ...(request.policy ? { requestHeaders: request.policy } : {}),
    ...(response.policy ? { responseHeaders: response.policy } : {}),
  };
}

function readProtections(context: RouteContext): Protections | undefined {
  const { route, fail, place } = context;
  const local = readLocalRateLimit(route.rateLimitPolicy?.local);
  if (local.error) return failRateLimit(context, local.error, ".local");
  const { filter, problems } = readIpFilter(route.ipAllowPolicy, route.ipDenyPolicy);
  for (const { reason, message, field } of problems) fail("IPFilterError", reason, message, field);
  const jwt = readJwt(context);
  if (problems.length > 0 || !jwt) return undefined;
  const authorization = routeAuthorization(place.host.authorizationDefaults, route.authPolicy);
  return {
    ...(local.limit ? { localRateLimit: local.limit } : {}),
    ...(route.rateLimitPolicy?.global?.disabled ? { ignoreHostRateLimits: true } : {}),
    ...(filter ? { ipFilter: filter } : {}),
    ...(authorization ? { authorization } : {}),
    ...jwt,
  };
}

/** The provider that a route asks for, or its host's default. A redirect gives nothing away, so it takes no default. */
function readJwt({
  route,
  fail,
  place,
  proxy,
  path,
  report,
}: RouteContext): Pick<Protections, "jwtProvider"> | undefined {
  const policy = route.jwtVerificationPolicy;
  if (policy?.require && policy.disabled) {
    const message = "route's JWT verification policy cannot specify both require and disabled";
    return fail("JWTVerificationError", "InvalidJWTVerificationPolicy", message, ".jwtVerificationPolicy");
  }
  if (policy?.disabled) return {};
  const { providers, default: standard } = place.host.jwt;
  if (!policy?.require) return standard && !route.requestRedirectPolicy ? { jwtProvider: standard } : {};
  if (!providers.some(({ name }) => name === policy.require)) {
    const message = `Route references an undefined JWT provider "${policy.require}"`;
    const field = ".jwtVerificationPolicy.require";
    if (!place.host.secure) return fail("JWTVerificationError", "JWTProviderNotDefined", message, field);
    // The route stays: Envoy refuses all its requests, as nobody could have signed the token that it needs.
    report.error(proxy.ref, "JWTVerificationError", "JWTProviderNotDefined", message, path + field);
  }
  return { jwtProvider: policy.require };
}

function readHash({ route, proxy, report, path }: RouteContext): HashPolicy | undefined {
  const policy = route.loadBalancerPolicy;
  if (policy?.strategy === "Cookie") return sessionAffinity;
  if (policy?.strategy !== "RequestHash") return undefined;
  const { hash, ignored } = readHashPolicies(policy.requestHashPolicies ?? []);
  const field = `${path}.loadBalancerPolicy.requestHashPolicies`;
  const warn = (message: string, at: string): void =>
    report.warn(proxy.ref, "SpecError", "IgnoredField", message, at);
  for (const { at, message } of ignored) warn(message, `${field}[${at}]`);
  if (!hash) warn("no valid request hash policy is there: the strategy is RoundRobin", field);
  return hash;
}

/** Which protection of a route plain HTTP can't give; undefined when it gives all. */
export function lostOverHttp({ host }: Place, policies: Protections): string | undefined {
  if (host.clientCertificates) return "client certificates";
  if (policies.jwtProvider) return "JWT verification";
  const asked = policies.authorization === undefined || !("disabled" in policies.authorization);
  return host.authorization && asked ? "authorization" : undefined;
}
