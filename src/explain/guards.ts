import type { FilterChain, HttpConnectionManager, Route, Typed, VirtualHost } from "../gen/envoy.js";
import { filterNames } from "../xds/filter-names.js";
import { httpFilter, typed } from "./config.js";

const http = "type.googleapis.com/envoy.extensions.filters.http";
const network = "type.googleapis.com/envoy.extensions.filters.network";

/** What stands before a route, in values; what is absent does not. */
export interface Protections {
  /** The ExtensionService that is asked, as `namespace/name`. */
  readonly authorization?: string;
  /** The name of the provider whose token is asked for. */
  readonly jwt?: string;
  /** Requests that each Envoy lets through in so many seconds. */
  readonly localRateLimit?: { readonly requests: number; readonly seconds: number };
  /** The ExtensionService that is asked, as `namespace/name`. */
  readonly globalRateLimit?: string;
  readonly addresses?: AddressFilter;
}

export interface AddressFilter {
  /** What becomes of the addresses in the ranges. */
  readonly action: "allow" | "deny";
  /** Such as `10.0.0.0/8`. */
  readonly ranges: readonly string[];
}

export interface RouteScope {
  readonly virtualHost: VirtualHost;
  readonly manager: HttpConnectionManager | undefined;
}

/** @see protectionFacts, which says the same in words. */
export function routeProtections(route: Route, scope: RouteScope): Protections {
  const { virtualHost, manager } = scope;
  const merged = { ...virtualHost.typed_per_filter_config, ...route.typed_per_filter_config };
  const jwt = typed(merged[filterNames.jwt], `${http}.jwt_authn.v3.PerRouteConfig`)?.requirement_name;
  const addresses = addressesOf(
    typed(merged[filterNames.ipFilter], `${http}.rbac.v3.RBACPerRoute`)?.rbac?.rules,
  );
  const bucket = typed(
    merged[filterNames.localRateLimit],
    `${http}.local_ratelimit.v3.LocalRateLimit`,
  )?.token_bucket;
  const authorization = authorizationOf(
    typed(merged[filterNames.authorization], `${http}.ext_authz.v3.ExtAuthzPerRoute`)?.disabled ?? false,
    manager,
  );
  const ignored =
    typed(merged[filterNames.rateLimit], `${http}.ratelimit.v3.RateLimitPerRoute`)?.vh_rate_limits ===
    "IGNORE";
  const limits = route.route && (route.route.rate_limits ?? (ignored ? undefined : virtualHost.rate_limits));
  const limiter = httpFilter(manager, filterNames.rateLimit, `${http}.ratelimit.v3.RateLimit`);
  return {
    ...(authorization === undefined ? {} : { authorization }),
    ...(jwt === undefined ? {} : { jwt }),
    ...(bucket
      ? {
          localRateLimit: {
            requests: bucket.tokens_per_fill ?? 0,
            seconds: Number.parseFloat(bucket.fill_interval ?? "0"),
          },
        }
      : {}),
    ...(limiter && limits?.length
      ? { globalRateLimit: extensionOf(limiter.rate_limit_service?.grpc_service?.envoy_grpc?.cluster_name) }
      : {}),
    ...(addresses ? { addresses } : {}),
  };
}

/** Of a chain whose connections are passed on: its address filter. */
export function chainProtections(chain: FilterChain): Protections {
  for (const { typed_config } of chain.filters ?? []) {
    const addresses = addressesOf(typed(typed_config, `${network}.rbac.v3.RBAC`)?.rules);
    if (addresses) return { addresses };
  }
  return {};
}

function authorizationOf(disabled: boolean, manager: HttpConnectionManager | undefined): string | undefined {
  const filter = httpFilter(manager, filterNames.authorization, `${http}.ext_authz.v3.ExtAuthz`);
  if (!filter || disabled) return undefined;
  const { grpc_service: grpc, http_service: plain } = filter;
  return extensionOf(grpc?.envoy_grpc?.cluster_name ?? plain?.server_uri?.cluster);
}

const extensionOf = (cluster = ""): string => cluster.replace(/^extension\//, "");

type Rules = Typed<`${typeof http}.rbac.v3.RBAC`>["rules"];

function addressesOf(rules: Rules): AddressFilter | undefined {
  if (!rules) return undefined;
  const ranges = Object.values(rules.policies ?? {}).flatMap(({ principals = [] }) =>
    principals.map(({ remote_ip, direct_remote_ip }) => {
      const range = remote_ip ?? direct_remote_ip;
      return `${range?.address_prefix}/${range?.prefix_len ?? 0}`;
    }),
  );
  return { action: rules.action === "DENY" ? "deny" : "allow", ranges };
}
