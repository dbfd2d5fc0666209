import type {
  Any,
  HttpConnectionManager,
  RateLimit,
  Route,
  Typed,
  TypeUrls,
  VirtualHost,
} from "../gen/envoy.js";
import { filterNames } from "../xds/filter-names.js";
import { httpFilter, typed } from "./config.js";
import { describeHeader, type Values } from "./match.js";

const types = "type.googleapis.com/envoy.extensions.filters.http";

/** One thing that happens to a request, in words. */
export interface Fact {
  readonly what: string;
  readonly value: string;
}

/** Where filters of a route are set up. */
export interface Scope {
  readonly virtualHost: VirtualHost;
  readonly manager: HttpConnectionManager | undefined;
  /** Of headers that requests are compared with; shown by default. */
  readonly values?: Values | undefined;
}

type Configs = { readonly [key: string]: Any } | undefined;

/** What a request passes before its route acts, in the order of the filters. */
export function protectionFacts(route: Route, scope: Scope): Fact[] {
  const facts: Fact[] = [];
  const add = (what: string, value: string | undefined): void => {
    if (value) facts.push({ what, value });
  };
  const merged: Configs = { ...scope.virtualHost.typed_per_filter_config, ...route.typed_per_filter_config };
  const config = <U extends keyof TypeUrls>(name: string, type: U): Typed<U> | undefined =>
    typed(merged[name], type);
  add("CORS", describeCors(config(filterNames.cors, `${types}.cors.v3.CorsPolicy`)));
  add(
    "local rate limit",
    describeBucket(config(filterNames.localRateLimit, `${types}.local_ratelimit.v3.LocalRateLimit`)),
  );
  add(
    "addresses",
    describeAddresses(config(filterNames.ipFilter, `${types}.rbac.v3.RBACPerRoute`)?.rbac?.rules),
  );
  add(
    "JWT",
    describeJwt(config(filterNames.jwt, `${types}.jwt_authn.v3.PerRouteConfig`)?.requirement_name, scope),
  );
  add(
    "authorization",
    describeAuthorization(config(filterNames.authorization, `${types}.ext_authz.v3.ExtAuthzPerRoute`), scope),
  );
  const ignored =
    config(filterNames.rateLimit, `${types}.ratelimit.v3.RateLimitPerRoute`)?.vh_rate_limits === "IGNORE";
  add("global rate limit", describeRateLimits(route, ignored, scope));
  return facts;
}

function describeCors(policy: Typed<`${typeof types}.cors.v3.CorsPolicy`> | undefined): string | undefined {
  if (!policy) return undefined;
  const origins = (policy.allow_origin_string_match ?? []).map(
    ({ exact, safe_regex }) => exact ?? `/${safe_regex?.regex}/`,
  );
  const rest = [
    policy.allow_headers && `headers ${policy.allow_headers}`,
    policy.expose_headers && `exposes ${policy.expose_headers}`,
    policy.max_age && `max-age ${policy.max_age}`,
    policy.allow_credentials && "with credentials",
    policy.allow_private_network_access && "private networks",
  ].filter(Boolean);
  return [`origins ${origins.join(" ")}`, `methods ${policy.allow_methods}`, ...rest].join(", ");
}

function describeBucket(
  limit: Typed<`${typeof types}.local_ratelimit.v3.LocalRateLimit`> | undefined,
): string | undefined {
  const bucket = limit?.token_bucket;
  if (!bucket) return undefined;
  const { max_tokens = 0, tokens_per_fill = 0, fill_interval } = bucket;
  const burst = max_tokens > tokens_per_fill ? `, bursts to ${max_tokens}` : "";
  const status = limit.status?.code ? `, answers ${limit.status.code}` : "";
  return `${tokens_per_fill} in ${fill_interval} for each Envoy${burst}${status}`;
}

type Rules = Typed<`${typeof types}.rbac.v3.RBAC`>["rules"];

/** Which addresses may or may not come in; of a filter for HTTP or for TCP. */
export function describeAddresses(rules: Rules): string | undefined {
  if (!rules) return undefined;
  const ranges = Object.values(rules.policies ?? {}).flatMap(({ principals = [] }) =>
    principals.map(({ remote_ip, direct_remote_ip }) => {
      const range = remote_ip ?? direct_remote_ip;
      return `${range?.address_prefix}/${range?.prefix_len ?? 0}${remote_ip ? "" : " (peer)"}`;
    }),
  );
  return `${rules.action === "DENY" ? "all but" : "only"} ${ranges.join(", ")}`;
}

function describeJwt(requirement: string | undefined, { manager }: Scope): string | undefined {
  if (requirement === undefined) return undefined;
  const filter = httpFilter(manager, filterNames.jwt, `${types}.jwt_authn.v3.JwtAuthentication`);
  const provider = filter?.providers?.[requirement];
  const issuer = provider?.issuer ? ` (issuer ${provider.issuer})` : "";
  const audiences = provider?.audiences?.length ? ` for ${provider.audiences.join(", ")}` : "";
  return `a token of ${requirement}${issuer}${audiences}`;
}

function describeAuthorization(
  route: Typed<`${typeof types}.ext_authz.v3.ExtAuthzPerRoute`> | undefined,
  { manager }: Scope,
): string | undefined {
  const filter = httpFilter(manager, filterNames.authorization, `${types}.ext_authz.v3.ExtAuthz`);
  if (!filter) return undefined;
  const cluster = filter.grpc_service?.envoy_grpc?.cluster_name ?? filter.http_service?.server_uri?.cluster;
  if (route?.disabled) return `off (others of this host ask ${cluster})`;
  const context = Object.entries(route?.check_settings?.context_extensions ?? {});
  const told =
    context.length > 0 ? `, told ${context.map(([key, value]) => `${key}=${value}`).join(", ")}` : "";
  return `asks ${cluster}${filter.failure_mode_allow ? ", passes when it does not answer" : ""}${told}`;
}

function describeRateLimits(
  route: Route,
  ignored: boolean,
  { manager, virtualHost, values }: Scope,
): string | undefined {
  const filter = httpFilter(manager, filterNames.rateLimit, `${types}.ratelimit.v3.RateLimit`);
  // A route's own take the place of its host's, and Envoy asks about forwarded requests only.
  const limits = route.route?.rate_limits ?? (ignored ? undefined : virtualHost.rate_limits);
  if (!filter || !route.route || !limits?.length) return undefined;
  const service = filter.rate_limit_service?.grpc_service?.envoy_grpc?.cluster_name;
  return `asks ${service} about ${limits.map((limit) => describeDescriptor(limit, values)).join("; ")}`;
}

const describeDescriptor = ({ actions = [] }: RateLimit, values: Values | undefined): string =>
  actions.map((entry) => describeEntry(entry, values)).join(" + ");

function describeEntry(entry: NonNullable<RateLimit["actions"]>[number], values: Values | undefined): string {
  const { generic_key, request_headers, header_value_match } = entry;
  if (generic_key) return `${generic_key.descriptor_key ?? "generic_key"}=${generic_key.descriptor_value}`;
  if (request_headers) return `${request_headers.descriptor_key}=<header ${request_headers.header_name}>`;
  if (!header_value_match) return "remote_address";
  const headers = (header_value_match.headers ?? [])
    .map((matcher) => describeHeader(matcher, values))
    .join(", ");
  const when = header_value_match.expect_match === false ? "unless" : "if";
  return `header_match=${header_value_match.descriptor_value} ${when} ${headers}`;
}
