import { z } from "zod";
import { name, port, uint32 } from "./fields.js";
import { loadBalancerPolicy, timeoutPolicy, upstreamValidation } from "./httpproxy-policies.js";

const limit = uint32.optional();

/** projectcontour.io/v1alpha1 ExtensionService: servers that Envoy itself calls (authorization, rate limits, traces). */
export const extensionServiceSpec = z.object({
  services: z.array(z.object({ name, port, weight: uint32.optional() })).min(1),
  validation: upstreamValidation.optional(),
  protocol: z.enum(["h2", "h2c", "http/1.1"]).default("h2"),
  loadBalancerPolicy: loadBalancerPolicy.optional(),
  timeoutPolicy: timeoutPolicy.optional(),
  protocolVersion: z.enum(["v3"]).default("v3"),
  circuitBreakerPolicy: z
    .object({
      maxConnections: limit,
      maxPendingRequests: limit,
      maxRequests: limit,
      maxRetries: limit,
      perHostMaxConnections: limit,
    })
    .optional(),
});
