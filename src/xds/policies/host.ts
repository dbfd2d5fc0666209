import type { VirtualHost } from "../../gen/envoy.js";
import type { HostPolicies } from "../../graph/policies/index.js";
import { corsConfig } from "./cors.js";
import { ipFilterConfig } from "./ip-filter.js";
import { localRateLimitFilter, rateLimits } from "./rate-limit.js";

/** What the policies of a host add to its virtual host; a route's own of the same kind replace them. */
export function writeHostPolicies(policies: HostPolicies, host: string): Partial<VirtualHost> {
  const filters = {
    ...(policies.cors ? corsConfig(policies.cors) : {}),
    ...(policies.localRateLimit ? localRateLimitFilter(policies.localRateLimit, host) : {}),
    ...(policies.ipFilter ? ipFilterConfig(policies.ipFilter) : {}),
  };
  return {
    ...(Object.keys(filters).length > 0 ? { typed_per_filter_config: filters } : {}),
    ...(policies.rateLimits ? { rate_limits: rateLimits(policies.rateLimits) } : {}),
  };
}
