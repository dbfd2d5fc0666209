import type {
  Cluster as EnvoyCluster,
  Route as EnvoyRoute,
  VirtualHost as EnvoyVirtualHost,
  HeaderMatcher,
  HttpConnectionManager,
  HttpFilter,
  HttpProtocolOptions,
  RouteAction,
  Typed,
  TypeUrls,
  WeightedCluster,
} from "../../gen/envoy.js";
import type { Cluster } from "../../graph/backends/cluster.js";
import type { Route } from "../../graph/core/nodes.js";
import type { GlobalServices } from "../../graph/policies/global-services.js";
import type {
  ClusterPolicies,
  HostPolicies,
  IsProtection,
  PolicyName,
  ValuesOf,
} from "../../graph/policies/index.js";
import type { JwksServer } from "../../graph/policies/jwt.js";
import type { SettingsSpec } from "../../schema/settings.js";
import type { FilterStage } from "../filter-stages.js";
import { typed } from "../typed.js";

/** Configuration of HTTP filters for a virtual host, route or backend, by the filter's name. */
export type FilterConfigs = NonNullable<EnvoyRoute["typed_per_filter_config"]>;
export type WeightedBackend = NonNullable<WeightedCluster["clusters"]>[number];

/** What a policy adds to a Route, to the configuration of HTTP filters there and, where it forwards, to its RouteAction. */
export interface WrittenRoute {
  readonly route?: Partial<EnvoyRoute>;
  readonly filters?: FilterConfigs;
  readonly action?: Partial<RouteAction>;
}

export interface WrittenHost {
  readonly host?: Partial<EnvoyVirtualHost>;
  readonly filters?: FilterConfigs;
}

export interface WrittenCluster {
  readonly cluster?: Partial<EnvoyCluster>;
  /** Options of HTTP connections to the cluster. */
  readonly http?: HttpProtocolOptions;
}

/** The filter chain that HTTP filters are written for. */
export interface Chain {
  readonly settings: SettingsSpec;
  readonly services: GlobalServices;
  /** Requests whose Host is not the server name of the connection are refused. */
  readonly checkSni?: boolean;
  /** The one host of the chain. A chain of several hosts has none: no change of a route is a change of its listener. */
  readonly host?: {
    readonly policies: HostPolicies;
    readonly routes: readonly Route[];
    /** Gives the name of the cluster where keys are fetched. */
    clusterOf(server: JwksServer): string;
  };
}

/** An HTTP filter. */
export interface ChainFilter {
  readonly name: string;
  /** Its place in the order; see `filterStages` for the reason. */
  readonly stage: FilterStage;
  /** Undefined where a chain does without it. */
  write(chain: Chain): HttpFilter["typed_config"] | undefined;
}

/** One thing that happens to a request, in words. */
export interface Fact {
  readonly what: string;
  readonly value: string;
}

/** A route with what of the configuration around it applies to it. */
export interface ShownRoute {
  readonly route: EnvoyRoute;
  readonly virtualHost: EnvoyVirtualHost;
  readonly manager: HttpConnectionManager | undefined;
}

/** Says in words what a header is compared with, without values that may not be shown. */
export type DescribeHeader = (matcher: HeaderMatcher) => string;

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

/** What policies see of a cluster, which has a field for each of them. */
export type PolicyCluster = Pick<Cluster, "protocol" | keyof ClusterPolicies>;

type Write<V> = (V extends { readonly host: infer H }
  ? { /** `host` is the name of the virtual host. */ host(policy: H, host: string): WrittenHost }
  : unknown) &
  (V extends { readonly route: infer R } ? { route(policy: R, host: string): WrittenRoute } : unknown) &
  (V extends { readonly service: infer S } ? { service(policy: S): Partial<WeightedBackend> } : unknown) &
  (V extends { readonly cluster: infer C }
    ? { cluster(policy: C, cluster: PolicyCluster): WrittenCluster }
    : unknown);

/**
 * How a policy of the graph is written and, out of Envoy's configuration, described. Which members there are follows from its scopes,
 * and from whether it protects.
 */
export type WrittenPolicy<N extends PolicyName> = {
  readonly write: Write<ValuesOf<N>>;
  readonly filter?: ChainFilter;
} & (ValuesOf<N> extends { readonly host: unknown } | { readonly route: unknown }
  ? { describe(shown: ShownRoute, describeHeader: DescribeHeader): readonly Fact[] }
  : unknown) &
  (ValuesOf<N> extends { readonly service: unknown }
    ? { describeService(backend: WeightedBackend, name: string): readonly Fact[] }
    : unknown) &
  (IsProtection<N> extends true ? { protections(shown: ShownRoute): Protections } : unknown);

/** The facts whose values are there. */
export const facts = (values: Readonly<Record<string, string | false | undefined>>): readonly Fact[] =>
  Object.entries(values).flatMap(([what, value]) => (value ? [{ what, value }] : []));

/** The configuration of a filter for a route: its own or, without one, that of its virtual host. */
export const configOf = <U extends keyof TypeUrls>(
  { route, virtualHost }: ShownRoute,
  filter: string,
  type: U,
): Typed<U> | undefined =>
  typed(route.typed_per_filter_config?.[filter] ?? virtualHost.typed_per_filter_config?.[filter], type);
