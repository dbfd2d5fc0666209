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
import type { Fact, Protections } from "./facts.js";

export type { AddressFilter, Fact, Protections } from "./facts.js";

/** Configuration of HTTP filters for a virtual host, route or backend, by the filter's name. */
export type FilterConfigs = NonNullable<EnvoyRoute["typed_per_filter_config"]>;
export type WeightedBackend = NonNullable<WeightedCluster["clusters"]>[number];

/**
 * The members that a policy adds to a Route, to its HTTP filter configuration and, if it forwards, to its RouteAction.
 */
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

/** The filter chain of HTTP filters. */
export interface Chain {
  readonly settings: SettingsSpec;
  readonly services: GlobalServices;
  /** Refuses requests whose Host is not the server name of the connection. */
  readonly checkSni?: boolean;
  /**
   * The only host of the chain. Undefined for a chain of several hosts: a change of a route must not change its
   * listener.
   */
  readonly host?: {
    readonly policies: HostPolicies;
    readonly routes: readonly Route[];
    /** Returns the name of the cluster for fetching keys. */
    clusterOf(server: JwksServer): string;
  };
}

/** An HTTP filter. */
export interface ChainFilter {
  readonly name: string;
  /** Its position in the order; see `filterStages` for the reason. */
  readonly stage: FilterStage;
  /** Disabled for routes that have no configuration of the filter. */
  readonly disabled?: true | ((chain: Chain) => boolean);
  /** Returns undefined if the chain does not need the filter. */
  write(chain: Chain): HttpFilter["typed_config"] | undefined;
}

/** A route with the configuration that applies to it. */
export interface ShownRoute {
  readonly route: EnvoyRoute;
  readonly virtualHost: EnvoyVirtualHost;
  readonly manager: HttpConnectionManager | undefined;
}

/** Describes the comparison of a header, without secret values. */
export type DescribeHeader = (matcher: HeaderMatcher) => string;

/** The inputs of policies from a cluster, which has a field for each of them. */
export type PolicyCluster = Pick<Cluster, "protocol" | keyof ClusterPolicies>;

/** The inputs for writing a route. */
export interface RouteWriting {
  readonly host: string;
  /** Returns the name of the Envoy cluster for a node. */
  nameOf(cluster: Cluster): string;
}

type Write<V> = (V extends { readonly host: infer H }
  ? { /** `host` is the name of the virtual host. */ host(policy: H, host: string): WrittenHost }
  : unknown) &
  (V extends { readonly route: infer R }
    ? {
        /** `context.host` is the name of the virtual host. */
        route(policy: R, context: RouteWriting): WrittenRoute;
      }
    : unknown) &
  (V extends { readonly service: infer S } ? { service(policy: S): Partial<WeightedBackend> } : unknown) &
  (V extends { readonly cluster: infer C }
    ? { cluster(policy: C, cluster: PolicyCluster): WrittenCluster }
    : unknown);

/**
 * How a policy of the graph is written and, from Envoy's configuration, described. Its members depend on its scopes
 * and on whether it is a protection.
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

/** The facts with a value. */
export const facts = (values: Readonly<Record<string, string | false | undefined>>): readonly Fact[] =>
  Object.entries(values).flatMap(([what, value]) => (value ? [{ what, value }] : []));

/** The configuration of a filter for a route: its own, else that of its virtual host. */
export const configOf = <U extends keyof TypeUrls>(
  { route, virtualHost }: ShownRoute,
  filter: string,
  type: U,
): Typed<U> | undefined =>
  typed(route.typed_per_filter_config?.[filter] ?? virtualHost.typed_per_filter_config?.[filter], type);
