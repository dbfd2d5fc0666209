import type { Policy } from "./policy.js";

/** Limits of a cluster; undefined is Envoy's default. */
export interface CircuitBreakers {
  readonly maxConnections?: number;
  readonly maxPendingRequests?: number;
  readonly maxRequests?: number;
  readonly maxRetries?: number;
  readonly perHostMaxConnections?: number;
}

/** Read from a Service or ExtensionService and the settings, not from a route: see backends/. */
export const circuitBreakers: Policy<{ cluster: CircuitBreakers }> = {
  protects: false,
  fields: {},
  read: { clusterFields: () => undefined },
};
