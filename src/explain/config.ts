import type {
  Cluster,
  ClusterLoadAssignment,
  FilterChain,
  HttpConnectionManager,
  Listener,
  RouteConfiguration,
  Secret,
} from "../gen/envoy.js";
import { jsonOf, type ResourceSet } from "../link/resource-set.js";
import type { Snapshot } from "../link/snapshot.js";
import { typed } from "../xds/typed.js";

/** The part of an Envoy's configuration that determines the result of a request, parsed; each resource by name. */
export interface RequestConfig {
  readonly listeners: ReadonlyMap<string, Listener>;
  readonly tables: ReadonlyMap<string, RouteConfiguration>;
  readonly clusters: Lookup<Cluster>;
  readonly endpoints: Lookup<ClusterLoadAssignment>;
}

type Lookup<T> = Pick<ReadonlyMap<string, T>, "get">;

/** The whole configuration of an Envoy, parsed. */
export interface EnvoyConfig extends RequestConfig {
  readonly clusters: ReadonlyMap<string, Cluster>;
  readonly endpoints: ReadonlyMap<string, ClusterLoadAssignment>;
  readonly secrets: ReadonlyMap<string, Secret>;
}

export const readConfig = ({ sets }: Pick<Snapshot, "sets">): EnvoyConfig => ({
  listeners: parseSet<Listener>(sets.listeners),
  tables: wholeTables(parseSet<RouteConfiguration>(sets.routes)),
  clusters: parseSet<Cluster>(sets.clusters),
  endpoints: parseSet<ClusterLoadAssignment>(sets.endpoints),
  secrets: parseSet<Secret>(sets.secrets),
});

/** Merges the shards of route tables; a host may be in several. */
export function wholeTables(
  parsed: ReadonlyMap<string, RouteConfiguration>,
): Map<string, RouteConfiguration> {
  const whole = new Map<string, RouteConfiguration>();
  for (const [part, table] of parsed) {
    const name = part.replace(/\/[01]+$/, "");
    const hosts = new Map(
      [...(whole.get(name)?.virtual_hosts ?? []), ...(table.virtual_hosts ?? [])].map((host) => [
        host.name,
        host,
      ]),
    );
    const sortedHosts = [...hosts].sort(([a = ""], [b = ""]) => (a < b ? -1 : 1)).map(([, host]) => host);
    whole.set(name, part === name ? table : { ...table, name, virtual_hosts: sortedHosts });
  }
  return whole;
}

function parseSet<T>(set: ResourceSet): Map<string, T> {
  const parsed = new Map<string, T>();
  for (const name of set.names()) {
    const resource = set.get(name);
    const json = resource && jsonOf(resource);
    if (json !== undefined) parsed.set(name, JSON.parse(json) as T);
  }
  return parsed;
}

const managerType =
  "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager";

/** The HTTP connection manager of a filter chain; undefined for TCP. */
export function managerOf(chain: FilterChain): HttpConnectionManager | undefined {
  for (const filter of chain.filters ?? []) {
    const manager = typed(filter.typed_config, managerType);
    if (manager) return manager;
  }
  return undefined;
}

/** The load assignment of a cluster, from EDS or inline. */
export const endpointsOf = (
  config: Pick<RequestConfig, "clusters" | "endpoints">,
  cluster: string,
): ClusterLoadAssignment | undefined =>
  config.endpoints.get(cluster) ?? config.clusters.get(cluster)?.load_assignment;
