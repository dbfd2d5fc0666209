import type { Cluster } from "../../gen/envoy.js";
import type { CircuitBreakers } from "../../graph/policies/circuit-breakers.js";
import type { WrittenPolicy } from "./policy.js";

function write(limits: CircuitBreakers): Cluster["circuit_breakers"] {
  const { maxConnections, maxPendingRequests, maxRequests, maxRetries, perHostMaxConnections } = limits;
  return {
    thresholds: [
      {
        ...(maxConnections ? { max_connections: maxConnections } : {}),
        ...(maxPendingRequests ? { max_pending_requests: maxPendingRequests } : {}),
        ...(maxRequests ? { max_requests: maxRequests } : {}),
        ...(maxRetries ? { max_retries: maxRetries } : {}),
        track_remaining: true,
      },
    ],
    ...(perHostMaxConnections ? { per_host_thresholds: [{ max_connections: perHostMaxConnections }] } : {}),
  };
}

export const circuitBreakers: WrittenPolicy<"circuitBreakers"> = {
  write: { cluster: (limits) => ({ cluster: { circuit_breakers: write(limits) } }) },
};
