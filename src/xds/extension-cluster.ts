import type { Cluster as EnvoyCluster, LocalityLbEndpoints } from "../gen/envoy.js";
import type { Endpoints } from "../graph/backends/endpoints.js";
import {
  type Extension,
  type ExtensionBackend,
  extensionCluster,
} from "../graph/backends/extension-service.js";
import type { JwksServer } from "../graph/policies/jwt.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Resource } from "../store/store.js";
import { clusterMembers, families, upstreamTls } from "./cluster.js";
import { writeLocalities } from "./endpoints.js";
import { contentHash } from "./hash.js";
import { fitWeights } from "./weights.js";

/** One Service of an ExtensionService, with its endpoints. */
export interface ExtensionEndpoints extends ExtensionBackend {
  readonly endpoints: Endpoints;
}

/**
 * The cluster of an ExtensionService and its endpoints: one weighted locality for each Service (of each Kubernetes
 * cluster).
 */
export function writeExtension(
  extension: Extension,
  found: readonly ExtensionEndpoints[],
  settings: SettingsSpec,
): readonly Resource[] {
  const name = extensionCluster(extension);
  const localities = weightedLocalities(found, settings);
  const mode = found.find(({ endpoints }) => endpoints.mode)?.endpoints.mode;
  const members = clusterMembers({ ...extension.cluster, weightedLocalities: true }, settings);
  const head = `{"name":${JSON.stringify(name)},"alt_stat_name":${JSON.stringify(name.replaceAll("/", "_"))}`;
  const common = { group: "", ...(mode ? { mode } : {}) };
  // Not the name of the cluster: endpoints of a Service in a namespace `extension` may have that name.
  const endpoints = `extension:${extension.namespace}/${extension.name}`;
  return [
    { type: "cluster", ...common, name, json: `${head},${members}}`, endpoints },
    { type: "endpoints", ...common, name: endpoints, json: JSON.stringify(localities) },
  ];
}

/** A locality for each Service (of each cluster), which share by weight. */
export function weightedLocalities(
  found: readonly ExtensionEndpoints[],
  settings: SettingsSpec,
): readonly LocalityLbEndpoints[] {
  const weights = fitWeights(found.map(({ weight }) => weight));
  return found.flatMap(({ service, port, endpoints }, i) =>
    writeLocalities(endpoints.groups, settings).map((locality) => ({
      ...locality,
      locality: {
        ...locality.locality,
        sub_zone: subZone(`${service}:${port}`, locality.locality?.sub_zone),
      },
      ...(weights[i] ? { load_balancing_weight: weights[i] } : {}),
    })),
  );
}

const subZone = (service: string, cluster: string | undefined): string =>
  cluster ? `${cluster}/${service}` : service;

/** The cluster for fetching a JSON Web Key Set. Its name hashes all content, so that only equal servers share it. */
export function writeJwksCluster(server: JwksServer, settings: SettingsSpec): Resource {
  const { scheme, host, port, family, validation } = server;
  const base = `dnsname/${scheme}/${host}/${port}`;
  const content: Partial<EnvoyCluster> = {
    type: family === "all" ? "LOGICAL_DNS" : "STRICT_DNS",
    dns_lookup_family: families[family],
    ...(scheme === "https"
      ? { transport_socket: upstreamTls({ sni: host, ...(validation ? { validation } : {}) }, settings) }
      : {}),
  };
  const name = `${base}/${contentHash(JSON.stringify(content))}`;
  const address = { socket_address: { address: host, port_value: port } };
  const cluster: EnvoyCluster = {
    name,
    alt_stat_name: base.replace(/[^A-Za-z0-9]+/g, "_"),
    connect_timeout: "2s",
    common_lb_config: { healthy_panic_threshold: {} },
    ...content,
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
  return { type: "cluster", group: "", name, json: JSON.stringify(cluster) };
}
