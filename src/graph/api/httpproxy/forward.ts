import { parseTimeout } from "../../../schema/duration.js";
import {
  type ClusterOptions,
  clientCertificate,
  findServicePort,
  readCluster,
} from "../../backends/backend.js";
import { backendOf } from "../../backends/server-name.js";
import type { Action, Backend, HealthCheck, LoadBalancing, Mirror, SlowStart } from "../../core/nodes.js";
import { type CookieRewrite, mergeCookieRewrites, readCookieRewrites } from "../../policies/cookie.js";
import { readServiceHeaders } from "../../policies/default-headers.js";
import type { BackendPolicies, RoutePolicies } from "../../policies/index.js";
import { readTimeout } from "../../policies/timeout.js";
import type { RouteContext, ServiceFields } from "./context.js";
import { readValidation } from "./service.js";

/** What the services of one route share. */
interface Shared {
  readonly options: ClusterOptions;
  readonly policies: RoutePolicies;
  readonly cookies: readonly CookieRewrite[];
}

/** `services` of a route: undefined (and a finding) when one of them has to be refused; those not there are left out. */
export function readForward(
  context: RouteContext,
  policies: RoutePolicies,
  cookies: readonly CookieRewrite[],
): Action | undefined {
  const { route, fail } = context;
  const shared = readShared(context, policies, cookies);
  if (!shared) return undefined;
  const backends: Backend[] = [];
  let mirror: Mirror | undefined;
  for (const [i, service] of (route.services ?? []).entries()) {
    const backend = readBackend(context, service, `.services[${i}]`, shared);
    if (backend === "invalid") return undefined;
    if (!backend) continue;
    if (!service.mirror) {
      backends.push(backend);
      continue;
    }
    if (mirror) {
      const message = "only one service per route may be nominated as mirror";
      return fail("ServiceError", "OnlyOneMirror", message, `.services[${i}].mirror`);
    }
    mirror = { cluster: backend.cluster, percent: Math.min(backend.weight || 100, 100) };
  }
  if (backends.length === 0) return { kind: "respond", status: 503 };
  return { kind: "forward", backends, ...(mirror ? { mirrors: [mirror] } : {}) };
}

function readShared(
  context: RouteContext,
  policies: RoutePolicies,
  cookies: readonly CookieRewrite[],
): Shared | undefined {
  const { route, fail, reader } = context;
  const idle = readTimeout(route.timeoutPolicy?.idleConnection);
  if (idle.error) {
    const message = `route.timeoutPolicy failed to parse: error parsing idleConnection timeout: ${idle.error}`;
    return fail("RouteError", "TimeoutPolicyNotValid", message, ".timeoutPolicy.idleConnection");
  }
  const health = readHealthCheck(route.healthCheckPolicy);
  if (health.error)
    return fail(
      "RouteError",
      "HealthCheckPolicyInvalid",
      health.error,
      ".healthCheckPolicy.expectedStatuses",
    );
  const certificate = clientCertificate(reader);
  if (certificate.error) return fail("TLSError", "SecretNotValid", certificate.error);
  return {
    policies,
    cookies,
    options: {
      loadBalancing: loadBalancing(route.loadBalancerPolicy?.strategy, policies),
      ...(health.check ? { healthCheck: health.check } : {}),
      ...(idle.ms === undefined ? {} : { idleConnectionMs: idle.ms }),
      ...certificate.options,
    },
  };
}

/** One service: undefined when there is no such Service, "invalid" when the whole object has to be refused. */
function readBackend(
  context: RouteContext,
  service: ServiceFields,
  at: string,
  shared: Shared,
): Backend | undefined | "invalid" {
  const { proxy, reader, fail, report, path } = context;
  const unresolved = (error: string | undefined): undefined =>
    fail(
      "ServiceError",
      "ServiceUnresolvedReference",
      `Spec.Routes unresolved service reference: ${error}`,
      at,
    );
  const { found, error: missing } = findServicePort(reader, proxy.meta.namespace, service.name, service.port);
  // As in Contour, what else is wrong with such a service costs the other routes nothing.
  if (!found) return unresolved(missing);
  const policies = readBackendPolicies(context, service, at, shared.cookies);
  if (!policies) return "invalid";
  const slow = readSlowStart(service.slowStartPolicy, shared.options.loadBalancing);
  if (slow.error) {
    fail("ServiceError", "SlowStartInvalid", slow.error, `${at}.slowStartPolicy`);
    return "invalid";
  }
  const { cluster, error } = readCluster(reader, proxy.meta.namespace, service.name, service.port, {
    ...shared.options,
    ...(service.protocol ? { protocol: service.protocol } : {}),
    ...(slow.slowStart ? { slowStart: slow.slowStart } : {}),
    ...(shared.options.healthCheck && service.healthPort ? { healthPort: service.healthPort } : {}),
  });
  if (!cluster) return unresolved(error);
  const checked = readValidation(proxy, service, cluster, path + at, reader, report);
  if (!checked) return "invalid";
  return backendOf(checked, service.weight ?? 0, policies, shared.policies.requestHeaders);
}

function readBackendPolicies(
  { proxy, reader, fail }: RouteContext,
  service: ServiceFields,
  at: string,
  routeCookies: readonly CookieRewrite[],
): BackendPolicies | undefined {
  const dynamic = { namespace: proxy.meta.namespace, service: service.name, port: service.port };
  const request = readServiceHeaders(service.requestHeadersPolicy, "request", dynamic, reader.settings);
  if (request.error) {
    const message = `${request.error} on request headers`;
    return fail("ServiceError", "RequestHeadersPolicyInvalid", message, `${at}.requestHeadersPolicy`);
  }
  const response = readServiceHeaders(service.responseHeadersPolicy, "response", dynamic, reader.settings);
  if (response.error) {
    const message = `${response.error} on response headers`;
    return fail("ServiceError", "ResponseHeadersPolicyInvalid", message, `${at}.responseHeadersPolicy`);
  }
  const own = readCookieRewrites(service.cookieRewritePolicies);
  if (own.error) {
    const message = `${own.error} on service cookie rewrite rules`;
    return fail("RouteError", "CookieRewritePoliciesInvalid", message, `${at}.cookieRewritePolicies`);
  }
  const cookieRewrites = mergeCookieRewrites(routeCookies, own.rewrites ?? []);
  return {
    ...(request.policy ? { requestHeaders: request.policy } : {}),
    ...(response.policy ? { responseHeaders: response.policy } : {}),
    ...(cookieRewrites.length > 0 ? { cookieRewrites } : {}),
  };
}

function loadBalancing(strategy: string | undefined, policies: RoutePolicies): LoadBalancing {
  if (policies.hash) return "ring-hash";
  return strategy === "Random"
    ? "random"
    : strategy === "WeightedLeastRequest"
      ? "least-request"
      : "round-robin";
}

/** `healthCheckPolicy` of a route, with Contour's defaults: 10 s, 2 s, 3 and 2 times. */
function readHealthCheck(policy: RouteContext["route"]["healthCheckPolicy"]): {
  check?: HealthCheck;
  error?: string;
} {
  if (!policy) return {};
  const ranges = policy.expectedStatuses ?? [];
  if (ranges.some(({ start, end }) => start >= end))
    return { error: "invalid expected status range: start must be less than end" };
  return {
    check: {
      kind: "http",
      path: policy.path,
      host: policy.host || "contour-envoy-healthcheck",
      intervalSeconds: policy.intervalSeconds || 10,
      timeoutSeconds: policy.timeoutSeconds || 2,
      unhealthyThreshold: policy.unhealthyThresholdCount || 3,
      healthyThreshold: policy.healthyThresholdCount || 2,
      ...(ranges.length > 0 ? { expectedStatuses: ranges } : {}),
    },
  };
}

/** Envoy has slow start for two load balancers only. */
function readSlowStart(
  policy: ServiceFields["slowStartPolicy"],
  balancing: LoadBalancing | undefined,
): { slowStart?: SlowStart; error?: string } {
  if (!policy) return {};
  if (balancing === "random" || balancing === "ring-hash") {
    return {
      error: "slow start is only supported with RoundRobin or WeightedLeastRequest load balancer strategy",
    };
  }
  const window = parseTimeout(policy.window);
  if (!("kind" in window) || window.kind !== "ms")
    return { error: `error parsing window: ${JSON.stringify(policy.window)} is not a duration above zero` };
  const aggression = Number(policy.aggression);
  if (!(aggression > 0)) return { error: "aggression must be greater than 0" };
  return { slowStart: { windowMs: window.ms, aggression, minWeightPercent: policy.minWeightPercent } };
}
