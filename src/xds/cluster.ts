import type { Cluster as EnvoyCluster, HttpProtocolOptions, Typed } from "../gen/envoy.js";
import type { Cluster } from "../graph/backends/cluster.js";
import { serverName } from "../graph/backends/server-name.js";
import { readTimeout } from "../schema/duration.js";
import { memoized } from "../schema/memoized.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Resource } from "../store/store.js";
import { writeCertificate } from "./certificate.js";
import { duration } from "./duration.js";
import { areClustersWeighted } from "./endpoints.js";
import { contentHash } from "./hash.js";
import { writeClusterPolicies } from "./policies/index.js";
import { writeTlsParameters } from "./tls-parameters.js";

/** The JSON members of a cluster's content, and their hash. */
interface Content {
  readonly members: string;
  readonly hash: string;
}

/**
 * Fields that are not part of the hash in a name. The first three are in the name as text. The others follow from
 * these and from `healthPort`, which is hashed: a port number identifies one port of a Service, and a Service has one
 * mode.
 */
const located = ["namespace", "service", "port", "endpoints", "mode"] as const;

/** A cluster's configuration without its name. */
export type ClusterContent = Omit<Cluster, (typeof located)[number]>;

type Limits = Partial<
  Pick<SettingsSpec["cluster"], "maxRequestsPerConnection" | "perConnectionBufferLimitBytes">
>;

/** By `contentKey`, for each settings object. */
const contentsUnder = memoized((_: SettingsSpec) => new Map<string, Content>());
const maxContents = 4096;

const isLocated = new Set<string>(located);

/** Distinguishes cluster contents. */
function contentKey(cluster: ClusterContent): string {
  let key = "";
  for (const field in cluster) {
    const value = cluster[field as keyof ClusterContent];
    if (!isLocated.has(field) && value !== undefined) key += `${field}=${JSON.stringify(value)};`;
  }
  return key;
}

/** Most clusters of a fleet have the same content, which is written once. */
function contentOf(cluster: ClusterContent, settings: SettingsSpec): Content {
  const known = contentsUnder(settings);
  const key = contentKey(cluster);
  const found = known.get(key);
  if (found) return found;
  // As with Contour, these limits do not apply to the clusters of ExtensionServices.
  const { perConnectionBufferLimitBytes: bufferLimit, maxRequestsPerConnection }: Limits =
    cluster.weightedLocalities ? {} : settings.cluster;
  const policies = writeClusterPolicies(cluster);
  const written: Omit<EnvoyCluster, "name"> = {
    connect_timeout: duration(readTimeout(settings.timeouts.connectTimeout).ms ?? 0),
    common_lb_config: {
      healthy_panic_threshold: {},
      ...(areLocalitiesWeighted(cluster, settings) ? { locality_weighted_lb_config: {} } : {}),
    },
    ...policies.cluster,
    ...(bufferLimit ? { per_connection_buffer_limit_bytes: bufferLimit } : {}),
    ...writeTransport(cluster, settings),
    ...writeHttpOptions(cluster, { ...policies.http, ...maxRequests(maxRequestsPerConnection) }),
  };
  const members = JSON.stringify(written).slice(1, -1);
  const { externalName = "", healthPort } = cluster;
  const checked = healthPort === undefined ? "" : `/${healthPort}`;
  const content = { members, hash: contentHash(`${members}${externalName}${checked}`) };
  if (known.size >= maxContents) known.clear();
  known.set(key, content);
  return content;
}

const areLocalitiesWeighted = (
  { weightedLocalities, externalName }: ClusterContent,
  settings: SettingsSpec,
): boolean => weightedLocalities === true || (externalName === undefined && areClustersWeighted(settings));

/**
 * The name of the Envoy cluster of a node, `<namespace>/<service>/<port>/<hash>`. The hash covers all content, so that
 * only routes with equal cluster content share a cluster.
 */
export const clusterName = (cluster: Cluster, settings: SettingsSpec): string =>
  [cluster.namespace, cluster.service, cluster.port, contentOf(cluster, settings).hash].join("/");

/** The Envoy cluster of a node under its `clusterName`. */
export function writeCluster(cluster: Cluster, name: string, settings: SettingsSpec): Resource {
  const { namespace, service, port, endpoints, mode } = cluster;
  const external = cluster.externalName
    ? `,${JSON.stringify(writeExternal(cluster, name, settings)).slice(1, -1)}`
    : "";
  const statName = JSON.stringify(`${namespace}_${service}_${port}`);
  const { members } = contentOf(cluster, settings);
  return {
    type: "cluster",
    group: "",
    name,
    // Joined at once: until it is first read, a rope would take several times as much memory.
    json: ['{"name":', JSON.stringify(name), ',"alt_stat_name":', statName, ",", members, external, "}"].join(
      "",
    ),
    ...(endpoints ? { endpoints } : {}),
    ...(mode ? { mode } : {}),
  };
}

/** The members of a cluster that do not depend on its name, without its type and endpoints. */
export const clusterMembers = (content: ClusterContent, settings: SettingsSpec): string =>
  contentOf(content, settings).members;

const base64 = (text: string): string => btoa(text);

/** TLS to a backend, with Envoy's own certificate if there is one. */
export function upstreamTls(
  cluster: Pick<Cluster, "externalName" | "sni" | "validation" | "clientCertificate">,
  settings: SettingsSpec,
  alpn: readonly string[] = [],
): EnvoyCluster["transport_socket"] {
  const { validation, clientCertificate } = cluster;
  const sni = serverName(cluster.sni ?? cluster.externalName ?? "");
  const tls = settings.cluster.upstreamTls;
  const context: Typed<"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext"> = {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.UpstreamTlsContext",
    ...(sni ? { sni } : {}),
    common_tls_context: {
      tls_params: writeTlsParameters(tls.minimumProtocolVersion, tls.maximumProtocolVersion, tls),
      ...(alpn.length > 0 ? { alpn_protocols: alpn } : {}),
      ...(clientCertificate ? writeCertificate(clientCertificate, settings) : {}),
      ...(validation
        ? {
            validation_context: {
              trusted_ca:
                typeof validation.ca === "string"
                  ? { inline_bytes: base64(validation.ca) }
                  : { filename: validation.ca.file },
              match_typed_subject_alt_names: [
                ...validation.subjectNames.map((exact) => ({ san_type: "DNS" as const, matcher: { exact } })),
                ...(validation.subjectUris ?? []).map((exact) => ({
                  san_type: "URI" as const,
                  matcher: { exact },
                })),
              ],
            },
          }
        : {}),
    },
  };
  return { name: "envoy.transport_sockets.tls", typed_config: context };
}

const proxyProtocolV1: EnvoyCluster["transport_socket"] = {
  name: "envoy.transport_sockets.upstream_proxy_protocol",
  typed_config: {
    "@type":
      "type.googleapis.com/envoy.extensions.transport_sockets.proxy_protocol.v3.ProxyProtocolUpstreamTransport",
    config: { version: "V1" },
    transport_socket: {
      name: "envoy.transport_sockets.raw_buffer",
      typed_config: {
        "@type": "type.googleapis.com/envoy.extensions.transport_sockets.raw_buffer.v3.RawBuffer",
      },
    },
  },
};

function writeTransport(cluster: ClusterContent, settings: SettingsSpec): Partial<EnvoyCluster> {
  const { protocol } = cluster;
  if (cluster.proxyProtocol) return { transport_socket: proxyProtocolV1 };
  if (protocol !== "tls" && protocol !== "h2") return {};
  return { transport_socket: upstreamTls(cluster, settings, protocol === "h2" ? ["h2"] : []) };
}

const maxRequests = (most: number | undefined): HttpProtocolOptions =>
  most ? { max_requests_per_connection: most } : {};

function writeHttpOptions({ protocol }: ClusterContent, common: HttpProtocolOptions): Partial<EnvoyCluster> {
  const h2 = protocol === "h2" || protocol === "h2c";
  const plain = Object.keys(common).length === 0;
  if (!h2 && plain) return {};
  return {
    typed_extension_protocol_options: {
      "envoy.extensions.upstreams.http.v3.HttpProtocolOptions": {
        "@type": "type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions",
        ...(plain ? {} : { common_http_protocol_options: common }),
        explicit_http_config: h2 ? { http2_protocol_options: {} } : { http_protocol_options: {} },
      },
    },
  };
}

export const families = { auto: "AUTO", v4: "V4_ONLY", v6: "V6_ONLY", all: "ALL" } as const;

function writeExternal(
  { externalName, port }: Cluster,
  name: string,
  settings: SettingsSpec,
): Partial<EnvoyCluster> {
  const family = settings.dnsLookupFamily;
  const address = { socket_address: { address: externalName ?? "", port_value: port } };
  return {
    type: family === "all" ? "LOGICAL_DNS" : "STRICT_DNS",
    dns_lookup_family: families[family],
    load_assignment: { cluster_name: name, endpoints: [{ lb_endpoints: [{ endpoint: { address } }] }] },
  };
}
