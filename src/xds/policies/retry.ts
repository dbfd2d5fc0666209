import type { RouteAction } from "../../gen/envoy.js";
import { duration } from "../duration.js";
import { facts, type WrittenPolicy } from "./policy.js";

const previousHosts = {
  name: "envoy.retry_host_predicates.previous_hosts",
  typed_config: {
    "@type": "type.googleapis.com/envoy.extensions.retry.host.previous_hosts.v3.PreviousHostsPredicate",
  },
} as const;

export const retry: WrittenPolicy<"retry"> = {
  write: {
    route: ({
      retryOn,
      count,
      perTryTimeoutMs,
      perTryIdleMs,
      statusCodes,
      methods,
      otherHosts,
      backoffMs,
    }) => ({
      action: {
        retry_policy: {
          retry_on: retryOn,
          num_retries: count,
          ...(perTryTimeoutMs === undefined ? {} : { per_try_timeout: duration(perTryTimeoutMs) }),
          ...(perTryIdleMs === undefined ? {} : { per_try_idle_timeout: duration(perTryIdleMs) }),
          ...(statusCodes.length > 0 ? { retriable_status_codes: statusCodes } : {}),
          ...(methods
            ? {
                retriable_request_headers: [
                  { name: ":method", string_match: { safe_regex: { regex: methods.join("|") } } },
                ],
              }
            : {}),
          ...(otherHosts
            ? { retry_host_predicate: [previousHosts], host_selection_retry_max_attempts: 3 }
            : {}),
          ...(backoffMs ? { retry_back_off: { base_interval: duration(backoffMs) } } : {}),
        },
      },
    }),
  },
  describe: ({ route: { route } }) =>
    facts({
      retries: route?.retry_policy && describeRetries(route.retry_policy),
      "read timeout": route?.retry_policy?.per_try_idle_timeout,
    }),
};

function describeRetries(policy: NonNullable<RouteAction["retry_policy"]>): string | undefined {
  if (policy.num_retries === 0) return undefined;
  const statuses = policy.retriable_status_codes?.length
    ? ` (${policy.retriable_status_codes.join(", ")})`
    : "";
  const each = policy.per_try_timeout ? `, ${policy.per_try_timeout} each` : "";
  return `${policy.num_retries ?? 1} on ${policy.retry_on ?? ""}${statuses}${each}`;
}
