import type { Cluster, Listener, Route } from "../gen/envoy.js";
import type { Resource } from "../store/store.js";

/** The bootstrap's cluster of Envoy's own admin interface. */
export const adminCluster = "envoy-admin";

const readOnly = (path: string): Route => ({
  match: { path, headers: [{ name: ":method", string_match: { exact: "GET" } }] },
  route: { cluster: adminCluster },
});

/** `/ready` and `/stats`, exact paths and GET only: nothing else of the admin interface is reachable from outside. */
export const writeStatsListener = (address: string, port: number): Listener => ({
  name: "stats-health",
  address: { socket_address: { address, port_value: port } },
  filter_chains: [
    {
      filters: [
        {
          name: "envoy.filters.network.http_connection_manager",
          typed_config: {
            "@type":
              "type.googleapis.com/envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager",
            stat_prefix: "stats",
            normalize_path: true,
            route_config: {
              name: "stats",
              validate_clusters: false,
              virtual_hosts: [
                {
                  name: "backend",
                  domains: ["*"],
                  routes: ["/ready", "/stats", "/stats/prometheus"].map(readOnly),
                },
              ],
            },
            http_filters: [
              {
                name: "router",
                typed_config: {
                  "@type": "type.googleapis.com/envoy.extensions.filters.http.router.v3.Router",
                },
              },
            ],
          },
        },
      ],
    },
  ],
});

/**
 * A cluster without endpoints that is always served: so an answer to `:clusters` is never empty, and an empty one is
 * always a fault.
 */
export function writeSentinelCluster(): Resource {
  const name = "isoline/none";
  const cluster: Cluster = {
    name,
    type: "STATIC",
    connect_timeout: "1s",
    load_assignment: { cluster_name: name },
  };
  return { type: "cluster", group: "", name, json: JSON.stringify(cluster) };
}
