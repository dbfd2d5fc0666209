import type { Policy } from "./policy.js";

/** Limits per cluster; absent is Envoy's default. */
export interface CircuitBreakers {
  readonly maxConnections?: number;
  readonly maxPendingRequests?: number;
  readonly maxRequests?: number;
  readonly maxRetries?: number;
  readonly perHostMaxConnections?: number;
}

/** Of a Service or ExtensionService and the settings, not of a route: backends/ reads them with the Service. */
export const circuitBreakers: Policy<{ cluster: CircuitBreakers }> = {
  protects: false,
  fields: {},
  read: { clusterFields: () => undefined },
};
