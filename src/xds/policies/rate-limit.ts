import type { RateLimit, TokenBucket, Typed } from "../../gen/envoy.js";
import type { RateLimitService } from "../../graph/policies/global-services.js";
import type {
  DescriptorEntry,
  LocalRateLimit,
  RateLimitDescriptor,
} from "../../graph/policies/rate-limit.js";
import { errorStatusNames } from "../../schema/status-code.js";
import { duration } from "../duration.js";
import { grpcService } from "../grpc-service.js";
import { writeHeader } from "../match.js";
import { httpFilter, typed } from "../typed.js";
import { extensionOf } from "./authorization.js";
import {
  type ChainFilter,
  configOf,
  type DescribeHeader,
  type FilterConfigs,
  facts,
  type ShownRoute,
  type WrittenPolicy,
} from "./policy.js";

const local = "type.googleapis.com/envoy.extensions.filters.http.local_ratelimit.v3.LocalRateLimit" as const;
const global = "type.googleapis.com/envoy.extensions.filters.http.ratelimit.v3" as const;

const always = { default_value: { numerator: 100, denominator: "HUNDRED" } } as const;

const localFilter: ChainFilter = {
  name: "envoy.filters.http.local_ratelimit",
  stage: "localRateLimit",
  write: () => ({ "@type": local, stat_prefix: "http" }),
};

type Bucket = Pick<LocalRateLimit, "requests" | "burst" | "intervalMs">;

const tokens = ({ requests, burst, intervalMs }: Bucket): TokenBucket => ({
  max_tokens: requests + burst,
  tokens_per_fill: requests,
  fill_interval: duration(intervalMs),
});

/** The maximum number of client addresses that a route counts; the least recently seen ones are dropped. */
const maxAddresses = 10_000;

/** A bucket for each address and rate. Envoy also requires a bucket for all clients, which never runs out. */
const writeAddresses = (buckets: readonly Bucket[]) => ({
  token_bucket: { max_tokens: 4_294_967_295, tokens_per_fill: 4_294_967_295, fill_interval: "1s" as const },
  always_consume_default_token_bucket: false,
  max_dynamic_descriptors: maxAddresses,
  descriptors: buckets.map((bucket) => ({
    entries: [{ key: "rate", value: String(bucket.intervalMs) }, { key: "remote_address" }],
    token_bucket: tokens(bucket),
  })),
  rate_limits: buckets.map(({ intervalMs }) => ({
    actions: [
      { generic_key: { descriptor_key: "rate", descriptor_value: String(intervalMs) } },
      { remote_address: {} },
    ],
  })),
});

/** The bucket to show: the first one of each address, or the one for all clients. */
const shownBucket = (
  limit:
    | {
        readonly token_bucket?: TokenBucket;
        readonly descriptors?: readonly { readonly token_bucket?: TokenBucket }[];
      }
    | undefined,
): TokenBucket | undefined => limit?.descriptors?.[0]?.token_bucket ?? limit?.token_bucket;

/** The token bucket of a virtual host or route; `host` names its statistics. */
function writeBucket(limit: LocalRateLimit, host: string): { readonly filters: FilterConfigs } {
  const { requests, burst, intervalMs, status, headers, perAddress } = limit;
  return {
    filters: {
      [localFilter.name]: {
        "@type": local,
        stat_prefix: `vhost.${host}`,
        ...(perAddress
          ? writeAddresses(perAddress)
          : { token_bucket: tokens({ requests, burst, intervalMs }) }),
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
      },
    },
  };
}

export const localRateLimit: WrittenPolicy<"localRateLimit"> = {
  filter: localFilter,
  write: { host: writeBucket, route: (limit, { host }) => writeBucket(limit, host) },
  describe(shown) {
    const limit = configOf(shown, localFilter.name, local);
    const bucket = shownBucket(limit);
    if (!limit || !bucket) return [];
    const { max_tokens = 0, tokens_per_fill = 0, fill_interval } = bucket;
    const whom = limit.descriptors ? "each client and each Envoy" : "each Envoy";
    const burst = max_tokens > tokens_per_fill ? `, bursts to ${max_tokens}` : "";
    const status = limit.status?.code ? `, answers ${limit.status.code}` : "";
    return facts({
      "local rate limit": `${tokens_per_fill} in ${fill_interval} for ${whom}${burst}${status}`,
    });
  },
  protections(shown) {
    const bucket = shownBucket(configOf(shown, localFilter.name, local));
    if (!bucket) return {};
    const seconds = Number.parseFloat(bucket.fill_interval ?? "0");
    return { localRateLimit: { requests: bucket.tokens_per_fill ?? 0, seconds } };
  },
};

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

const writeDescriptors = (descriptors: readonly RateLimitDescriptor[]): readonly RateLimit[] =>
  descriptors.map((entries) => ({ actions: entries.map(writeEntry) }));

const writeService = (service: RateLimitService): Typed<`${typeof global}.RateLimit`> => ({
  "@type": `${global}.RateLimit`,
  domain: service.domain,
  ...(service.timeoutMs === undefined ? {} : { timeout: duration(service.timeoutMs) }),
  ...(service.failOpen ? {} : { failure_mode_deny: true }),
  ...(service.limitHeaders ? { enable_x_ratelimit_headers: "DRAFT_VERSION_03" } : {}),
  ...(service.resourceExhausted ? { rate_limited_as_resource_exhausted: true } : {}),
  rate_limit_service: {
    grpc_service: grpcService({ cluster: service.cluster, authority: service.authority }),
    transport_api_version: "V3",
  },
});

/** Calls the rate limit service for requests whose route or host has descriptors. */
const globalFilter: ChainFilter = {
  name: "envoy.filters.http.ratelimit",
  stage: "globalRateLimit",
  write: ({ services }) => services.rateLimits && writeService(services.rateLimits),
};

/** The rate limit service of a route, and the descriptors that it receives. */
function globalLimits(
  shown: ShownRoute,
): { service: string | undefined; limits: readonly RateLimit[] } | undefined {
  const { route, virtualHost, manager } = shown;
  const service = httpFilter(manager, globalFilter.name, `${global}.RateLimit`);
  const own = typed(route.typed_per_filter_config?.[globalFilter.name], `${global}.RateLimitPerRoute`);
  const ignored = own?.vh_rate_limits === "IGNORE";
  // The descriptors of a route replace those of its host. Envoy calls the service for forwarded requests only.
  const limits = route.route?.rate_limits ?? (ignored ? undefined : virtualHost.rate_limits);
  if (!service || !route.route || !limits?.length) return undefined;
  return { service: service.rate_limit_service?.grpc_service?.envoy_grpc?.cluster_name, limits };
}

export const globalRateLimit: WrittenPolicy<"globalRateLimit"> = {
  filter: globalFilter,
  write: {
    host: (descriptors) => ({ host: { rate_limits: writeDescriptors(descriptors) } }),
    route: ({ descriptors, ignoreHost }) => ({
      ...(descriptors ? { action: { rate_limits: writeDescriptors(descriptors) } } : {}),
      ...(ignoreHost
        ? {
            filters: {
              [globalFilter.name]: { "@type": `${global}.RateLimitPerRoute`, vh_rate_limits: "IGNORE" },
            },
          }
        : {}),
    }),
  },
  describe(shown, describeHeader) {
    const found = globalLimits(shown);
    const limits = found?.limits.map((limit) => describeDescriptor(limit, describeHeader));
    return facts({ "global rate limit": limits && `${found?.service} with ${limits.join("; ")}` });
  },
  protections(shown) {
    const found = globalLimits(shown);
    return found ? { globalRateLimit: extensionOf(found.service) } : {};
  },
};

const describeDescriptor = ({ actions = [] }: RateLimit, describeHeader: DescribeHeader): string =>
  actions.map((entry) => describeEntry(entry, describeHeader)).join(" + ");

function describeEntry(entry: Action, describeHeader: DescribeHeader): string {
  const { generic_key, request_headers, header_value_match } = entry;
  if (generic_key) return `${generic_key.descriptor_key ?? "generic_key"}=${generic_key.descriptor_value}`;
  if (request_headers) return `${request_headers.descriptor_key}=<header ${request_headers.header_name}>`;
  if (!header_value_match) return "remote_address";
  const headers = (header_value_match.headers ?? []).map(describeHeader).join(", ");
  const when = header_value_match.expect_match === false ? "unless" : "if";
  return `header_match=${header_value_match.descriptor_value} ${when} ${headers}`;
}
