import type { RateLimit, Typed } from "../../gen/envoy.js";
import type {
  DescriptorEntry,
  LocalRateLimit,
  RateLimitDescriptor,
} from "../../graph/policies/rate-limit.js";
import { errorStatusNames } from "../../schema/status-code.js";
import { duration } from "../duration.js";
import { filterNames } from "../filter-names.js";
import { writeHeader } from "../match.js";
import type { FilterConfigs, Written } from "./written.js";

const always = { default_value: { numerator: 100, denominator: "HUNDRED" } } as const;

/** The token bucket of a virtual host or route; `host` names its statistics. */
export function localRateLimitFilter(limit: LocalRateLimit, host: string): FilterConfigs {
  const { requests, burst, intervalMs, status, headers } = limit;
  const config: Typed<"type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit"> =
    {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit",
      stat_prefix: `vhost.${host}`,
      token_bucket: {
        max_tokens: requests + burst,
        tokens_per_fill: requests,
        fill_interval: duration(intervalMs),
      },
      filter_enabled: always,
      filter_enforced: always,
      ...(status ? { status: { code: errorStatusNames[status] } } : {}),
      ...(headers.length > 0
        ? {
            response_headers_to_add: headers.map(({ name, value }) => ({
              header: { key: name, value },
              append_action: "OVERWRITE_IF_EXISTS_OR_ADD" as const,
            })),
          }
        : {}),
    };
  return { [filterNames.localRateLimit]: config };
}

export const writeLocalRateLimit = (limit: LocalRateLimit, host: string): Written => ({
  filters: localRateLimitFilter(limit, host),
});

type Action = NonNullable<RateLimit["actions"]>[number];

function writeEntry(entry: DescriptorEntry): Action {
  switch (entry.kind) {
    case "generic-key":
      return {
        generic_key: {
          ...(entry.key ? { descriptor_key: entry.key } : {}),
          descriptor_value: entry.value,
        },
      };
    case "header":
      return { request_headers: { header_name: entry.header, descriptor_key: entry.key } };
    case "header-match":
      return {
        header_value_match: {
          descriptor_value: entry.value,
          expect_match: entry.expect,
          headers: entry.headers.map(writeHeader),
        },
      };
    case "remote-address":
      return { remote_address: {} };
  }
}

export const rateLimits = (descriptors: readonly RateLimitDescriptor[]): readonly RateLimit[] =>
  descriptors.map((entries) => ({ actions: entries.map(writeEntry) }));

export const writeRateLimits = (descriptors: readonly RateLimitDescriptor[]): Written => ({
  action: { rate_limits: rateLimits(descriptors) },
});

export const writeIgnoreHostRateLimits = (): Written => ({
  filters: {
    [filterNames.rateLimit]: {
      "@type": "type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3.RateLimitPerRoute",
      vh_rate_limits: "IGNORE",
    },
  },
});
