import type { LbEndpoint, Locality, LocalityLbEndpoints } from "../gen/envoy.js";
import type { Endpoint, EndpointGroup, Endpoints } from "../graph/backends/endpoints.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Resource } from "../store/store.js";

type FollowedCluster = SettingsSpec["clusters"][number];

/** The endpoints of a Service port. Without endpoints the resource has an empty list; it is never absent. */
export function writeEndpoints(name: string, { groups, mode }: Endpoints, settings: SettingsSpec): Resource {
  const localities = writeLocalities(groups, settings);
  return { type: "endpoints", group: "", name, json: JSON.stringify(localities), ...(mode ? { mode } : {}) };
}

export const writeEndpoint = ({ address, port, healthPort }: Endpoint): LbEndpoint => ({
  endpoint: {
    address: { socket_address: { address, port_value: port } },
    ...(healthPort ? { health_check_config: { port_value: healthPort } } : {}),
  },
});

/** Whether Kubernetes clusters share requests by weight, not by their numbers of endpoints. */
export const areClustersWeighted = ({ clusters }: SettingsSpec): boolean =>
  clusters.some(({ weight }) => weight !== undefined);

/** One locality for each Kubernetes cluster. Envoy requires priorities without gaps, so that they are renumbered. */
export function writeLocalities(
  groups: readonly EndpointGroup[],
  settings: SettingsSpec,
): LocalityLbEndpoints[] {
  const weighted = areClustersWeighted(settings);
  const clusters = groups.map(({ cluster }) => settings.clusters.find(({ name }) => name === cluster));
  const priorities = [...new Set(clusters.map((cluster) => cluster?.priority ?? 0))].sort((a, b) => a - b);
  return groups.map(({ endpoints }, i) => {
    const cluster = clusters[i];
    const priority = priorities.indexOf(cluster?.priority ?? 0);
    return {
      ...(cluster ? { locality: localityOf(cluster) } : {}),
      lb_endpoints: endpoints.map(writeEndpoint),
      ...(weighted ? { load_balancing_weight: cluster?.weight ?? 1 } : {}),
      ...(priority > 0 ? { priority } : {}),
    };
  });
}

const localityOf = ({ name, region, zone }: FollowedCluster): Locality => ({
  ...(region ? { region } : {}),
  ...(zone ? { zone } : {}),
  sub_zone: name,
});
