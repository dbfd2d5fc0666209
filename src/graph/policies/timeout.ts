import { readTimeout, type Timeout } from "../../schema/duration.js";
import type { Policy } from "./policy.js";

/** In ms; 0 is no limit, undefined is Envoy's default. */
export interface TimeoutPolicy {
  readonly response?: number;
  readonly idle?: number;
}

/** Reads the timeouts of an HTTPProxy or IngressRoute route. An error names the field. */
export function readTimeoutPolicy(policy: { response?: Timeout; idle?: Timeout } | undefined): {
  policy?: TimeoutPolicy;
  error?: string;
} {
  const response = readTimeout(policy?.response);
  const idle = readTimeout(policy?.idle);
  if (response.error) return { error: `error parsing response timeout: ${response.error}` };
  if (idle.error) return { error: `error parsing idle timeout: ${idle.error}` };
  if (response.ms === undefined && idle.ms === undefined) return {};
  return {
    policy: {
      ...(response.ms === undefined ? {} : { response: response.ms }),
      ...(idle.ms === undefined ? {} : { idle: idle.ms }),
    },
  };
}

/** `timeoutPolicy.response` and `timeoutPolicy.idle` of a route. */
export const timeout: Policy<{ route: TimeoutPolicy }> = {
  protects: false,
  fields: { route: ["timeoutPolicy"] },
  read: {
    route({ route, fail }) {
      const { policy, error } = readTimeoutPolicy(route.timeoutPolicy);
      if (!error) return policy;
      const message = `route.timeoutPolicy failed to parse: ${error}`;
      return fail("RouteError", "TimeoutPolicyNotValid", message, ".timeoutPolicy");
    },
    ingressRoute: ({ route }) =>
      route.timeoutPolicy?.request
        ? { response: readTimeout(route.timeoutPolicy.request).ms ?? 0 }
        : undefined,
    ingress({ annotation, warn }) {
      const text = annotation("response-timeout") ?? annotation("request-timeout");
      const { ms, error } = readTimeout(text);
      if (error) warn("TimeoutPolicyNotValid", `response-timeout: ${error}; the default is used`);
      return ms === undefined ? undefined : { response: ms };
    },
  },
};

/** `timeoutPolicy.idleConnection` of a route, in ms. */
export const idleConnectionMs: Policy<{ cluster: number }> = {
  protects: false,
  fields: { route: ["timeoutPolicy"] },
  read: {
    clusterFields: ({ timeoutPolicy }) => timeoutPolicy?.idleConnection,
    clusters({ route, fail }) {
      const { ms, error } = readTimeout(route.timeoutPolicy?.idleConnection);
      if (!error) return ms;
      const message = `route.timeoutPolicy failed to parse: error parsing idleConnection timeout: ${error}`;
      return fail("RouteError", "TimeoutPolicyNotValid", message, ".timeoutPolicy.idleConnection");
    },
  },
};
