import { type ClusterOptions, readCluster } from "./backend.js";
import { type Condition, conditionProblem, matchedPrefix, mergeConditions } from "./conditions.js";
import { readServiceOptions } from "./httpproxy-service.js";
import { readServiceHeaders } from "./policy/default-headers.js";
import { type HashPolicy, sessionAffinity } from "./policy/hash.js";
import { readHeadersPolicy } from "./policy/headers.js";
import type { RoutePolicies } from "./policy/index.js";
import { readReplacePrefix } from "./policy/path-rewrite.js";
import { readRetryPolicy } from "./policy/retry.js";
import { readTimeout, readTimeoutPolicy } from "./policy/timeout.js";
import type { HTTPProxy, Reader, Report } from "./reader.js";
import type { Action, Backend, HealthCheck, LoadBalancing, Route } from "./types.js";

type Fields = NonNullable<HTTPProxy["spec"]["routes"]>[number];

/** Where in a tree of includes an HTTPProxy is read. */
export interface Place {
  /** Conditions of all includes on the way. */
  readonly conditions: readonly Condition[];
  /** Refs of the including objects, the root first. */
  readonly path: readonly string[];
  readonly secure: boolean;
}

/** What the reading of one route shares. */
interface Context {
  readonly proxy: HTTPProxy;
  readonly route: Fields;
  /** Field path of the route. */
  readonly path: string;
  readonly reader: Reader;
  readonly report: Report;
  fail(type: string, reason: string, message: string, field?: string): undefined;
}

/** `spec.routes[i]` at a place in the include tree; undefined (and a finding) when it is not valid. */
export function readProxyRoute(
  proxy: HTTPProxy,
  i: number,
  place: Place,
  reader: Reader,
  report: Report,
): Route | undefined {
  const route = (proxy.spec.routes ?? [])[i] as Fields;
  const path = `spec.routes[${i}]`;
  const context: Context = {
    proxy,
    route,
    path,
    reader,
    report,
    fail(type, reason, message, field = "") {
      report.error(proxy.ref, type, reason, message, path + field);
      return undefined;
    },
  };
  const own: Condition[] = route.conditions ?? [];
  const conditions = [...place.conditions, ...own];
  const wrong = conditionProblem(own, conditions);
  if (wrong) return context.fail("RouteError", wrong.reason, wrong.message, ".conditions");

  const policies = readPolicies(context, conditions);
  const action = policies && readAction(context, policies);
  if (!policies || !action) return undefined;
  const keepHttp = route.permitInsecure && !reader.settings.disablePermitInsecure;
  return {
    match: mergeConditions(conditions),
    action,
    policies: action.kind === "forward" ? policies : {},
    insecure: place.secure && !keepHttp ? "redirect" : "serve",
    from: proxy.ref,
  };
}

function readPolicies(context: Context, conditions: readonly Condition[]): RoutePolicies | undefined {
  const { route, proxy, fail } = context;
  if (refuseUnsupported(context)) return undefined;
  const service = route.services?.find((s) => !s.mirror);
  const dynamic = {
    namespace: proxy.meta.namespace,
    ...(service ? { service: service.name, port: service.port } : {}),
  };
  const timeout = readTimeoutPolicy(route.timeoutPolicy);
  if (timeout.error)
    return fail(
      "RouteError",
      "TimeoutPolicyNotValid",
      `route.timeoutPolicy failed to parse: ${timeout.error}`,
      ".timeoutPolicy",
    );
  const request = readHeadersPolicy(route.requestHeadersPolicy, "request", dynamic);
  if (request.error)
    return fail("RouteError", "RequestHeadersPolicyInvalid", request.error, ".requestHeadersPolicy");
  const response = readHeadersPolicy(route.responseHeadersPolicy, "response", dynamic);
  if (response.error)
    return fail("RouteError", "ResponseHeaderPolicyInvalid", response.error, ".responseHeadersPolicy");
  const rewrite = readReplacePrefix(route.pathRewritePolicy?.replacePrefix, matchedPrefix(conditions));
  if (rewrite.reason)
    return fail("PrefixReplaceError", rewrite.reason, rewrite.message ?? "", ".pathRewritePolicy");
  const retry = readRetryPolicy(route.retryPolicy);
  const hash = readHash(context);
  return {
    ...(timeout.policy ? { timeout: timeout.policy } : {}),
    ...(retry ? { retry } : {}),
    ...(rewrite.replacement === undefined ? {} : { pathRewrite: { prefix: rewrite.replacement } }),
    ...(request.policy ? { requestHeaders: request.policy } : {}),
    ...(response.policy ? { responseHeaders: response.policy } : {}),
    ...(hash ? { hash } : {}),
    ...(route.enableWebsockets ? { websocket: true } : {}),
  };
}

/** A route whose protection is not compiled yet is refused; what is only a convenience is left out with a warning. */
function refuseUnsupported({ route, path, proxy, report, fail }: Context): boolean {
  const guards = ["ipAllowPolicy", "ipDenyPolicy"] as const;
  const guard = guards.find((field) => route[field]?.length);
  if (guard)
    fail(
      "RouteError",
      "NotSupported",
      `${guard} is not supported yet, so this route is not served without it`,
      `.${guard}`,
    );
  const extras = [
    "rateLimitPolicy",
    "cookieRewritePolicies",
    "internalRedirectPolicy",
    "authPolicy",
    "jwtVerificationPolicy",
  ] as const;
  for (const field of extras) {
    if (route[field])
      report.warn(
        proxy.ref,
        "RouteError",
        "NotSupported",
        `${field} is not supported yet and has no effect`,
        `${path}.${field}`,
      );
  }
  return guard !== undefined;
}

function readHash({ route, proxy, report, path }: Context): HashPolicy | undefined {
  const policy = route.loadBalancerPolicy;
  if (policy?.strategy === "Cookie") return sessionAffinity;
  if (policy?.strategy !== "RequestHash") return undefined;
  const keys = (policy.requestHashPolicies ?? []).flatMap((entry, i): HashPolicy => {
    const terminal = entry.terminal ?? false;
    const kinds = [entry.headerHashOptions, entry.queryParameterHashOptions, entry.hashSourceIP].filter(
      Boolean,
    ).length;
    if (kinds === 1 && entry.hashSourceIP) return [{ kind: "source-ip", terminal }];
    if (kinds === 1 && entry.headerHashOptions?.headerName) {
      return [{ kind: "header", name: entry.headerHashOptions.headerName, terminal }];
    }
    const parameter = entry.queryParameterHashOptions?.parameterName;
    if (kinds === 1 && parameter) return [{ kind: "query", name: parameter.toLowerCase(), terminal }];
    const message = `ignoring invalid request hash policy: exactly one of headerHashOptions, queryParameterHashOptions and hashSourceIP is needed`;
    report.warn(
      proxy.ref,
      "SpecError",
      "IgnoredField",
      message,
      `${path}.loadBalancerPolicy.requestHashPolicies[${i}]`,
    );
    return [];
  });
  return keys.length > 0 ? keys : undefined;
}

function readAction(context: Context, policies: RoutePolicies): Action | undefined {
  const { route, fail } = context;
  const kinds = [route.services?.length, route.requestRedirectPolicy, route.directResponsePolicy].filter(
    Boolean,
  );
  if (kinds.length !== 1) {
    const message =
      "must set exactly one of route.services or route.requestRedirectPolicy or route.directResponsePolicy";
    return fail("RouteError", "RouteActionCountNotValid", message);
  }
  if (route.directResponsePolicy) {
    const { statusCode: status, body } = route.directResponsePolicy;
    if ((body?.length ?? 0) > 4096)
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
  { fail }: Context,
  policy: NonNullable<Fields["requestRedirectPolicy"]>,
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
    ...(policy.prefix ? { prefix: policy.prefix } : {}),
  };
}

function readForward(context: Context, policies: RoutePolicies): Action | undefined {
  const { route, proxy, report, fail, path } = context;
  const idle = readTimeout(route.timeoutPolicy?.idleConnection);
  if (idle.error) {
    const message = `route.timeoutPolicy failed to parse: error parsing idleConnection timeout: ${idle.error}`;
    return fail("RouteError", "TimeoutPolicyNotValid", message, ".timeoutPolicy.idleConnection");
  }
  const healthCheck = readHealthCheck(route.healthCheckPolicy);
  const options: ClusterOptions = {
    loadBalancing: loadBalancing(route, policies),
    ...(healthCheck ? { healthCheck } : {}),
    ...(idle.ms === undefined ? {} : { idleConnectionMs: idle.ms }),
  };
  const backends: Backend[] = [];
  for (const [i, service] of (route.services ?? []).entries()) {
    if (service.mirror) {
      const message = "mirror is not supported yet and has no effect";
      report.warn(proxy.ref, "ServiceError", "NotSupported", message, `${path}.services[${i}].mirror`);
      continue;
    }
    const backend = readBackend(context, i, options, policies);
    if (backend === "invalid") return undefined;
    if (backend) backends.push(backend);
  }
  return backends.length > 0 ? { kind: "forward", backends } : { kind: "respond", status: 503 };
}

/** `services[i]`: undefined when there is no such Service, "invalid" when the whole object has to be refused. */
function readBackend(
  { route, proxy, reader, report, fail, path }: Context,
  i: number,
  common: ClusterOptions,
  policies: RoutePolicies,
): Backend | undefined | "invalid" {
  const service = (route.services ?? [])[i] as NonNullable<Fields["services"]>[number];
  const at = `.services[${i}]`;
  const invalid = (reason: string, message: string, field: string): "invalid" => {
    fail("ServiceError", reason, message, at + field);
    return "invalid";
  };
  const options = readServiceOptions(proxy, service, path + at, reader, report);
  if (!options) return "invalid";
  const dynamic = { namespace: proxy.meta.namespace, service: service.name, port: service.port };
  const request = readServiceHeaders(service.requestHeadersPolicy, "request", dynamic, reader.settings);
  if (request.error) return invalid("RequestHeadersPolicyInvalid", request.error, ".requestHeadersPolicy");
  const response = readServiceHeaders(service.responseHeadersPolicy, "response", dynamic, reader.settings);
  if (response.error)
    return invalid("ResponseHeadersPolicyInvalid", response.error, ".responseHeadersPolicy");
  const sni = request.policy?.host ?? policies.requestHeaders?.host;
  const { cluster, error } = readCluster(reader, proxy.meta.namespace, service.name, service.port, {
    ...common,
    ...options,
    ...(sni ? { sni } : {}),
  });
  if (!cluster) {
    fail(
      "ServiceError",
      "ServiceUnresolvedReference",
      `Spec.Routes unresolved service reference: ${error}`,
      at,
    );
    return undefined;
  }
  return {
    cluster,
    weight: service.weight ?? 0,
    policies: {
      ...(request.policy ? { requestHeaders: request.policy } : {}),
      ...(response.policy ? { responseHeaders: response.policy } : {}),
    },
  };
}

function loadBalancing(route: Fields, policies: RoutePolicies): LoadBalancing {
  if (policies.hash) return "ring-hash";
  const strategy = route.loadBalancerPolicy?.strategy;
  return strategy === "Random"
    ? "random"
    : strategy === "WeightedLeastRequest"
      ? "least-request"
      : "round-robin";
}

function readHealthCheck(policy: Fields["healthCheckPolicy"]): HealthCheck | undefined {
  return (
    policy && {
      kind: "http",
      path: policy.path,
      host: policy.host || "contour-envoy-healthcheck",
      intervalSeconds: policy.intervalSeconds || 10,
      timeoutSeconds: policy.timeoutSeconds || 2,
      unhealthyThreshold: policy.unhealthyThresholdCount || 3,
      healthyThreshold: policy.healthyThresholdCount || 2,
    }
  );
}
