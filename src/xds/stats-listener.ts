import type {
  Cluster,
  DownstreamTlsContext,
  Listener,
  Route,
  Secret,
  TransportSocket,
} from "../gen/envoy.js";
import { type AdminEndpoints, readAdminEndpoints } from "../schema/admin-endpoints.js";
import { pollTimes } from "../schema/polls.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Resource } from "../store/store.js";
import { configSource } from "./config-source.js";
import { keepalive, listenAddress } from "./listener-settings.js";

/** The bootstrap's cluster of Envoy's own admin interface. */
export const adminCluster = "envoy-admin";

const readOnly = (path: string): Route => ({
  match: { path, headers: [{ name: ":method", string_match: { exact: "GET" } }] },
  route: { cluster: adminCluster },
});

const readyPaths = ["/ready"];
const statsPaths = ["/stats", "/stats/prometheus"];

/**
 * The listeners for probes and scrapes. They serve exact paths with GET only, and nothing else of the admin interface.
 * All of them ignore the global limit of connections, except `health-om-enforced`, which has to fail at that limit.
 */
export function writeStatsListeners(settings: SettingsSpec): readonly Listener[] {
  const { health, metrics, omEnforcedHealth } = readAdminEndpoints(settings).endpoints;
  const shared = metrics?.address === health.address && metrics.port === health.port;
  const exempt = { ignore_global_conn_limit: true };
  return [
    ...(shared
      ? [{ ...writeListener("stats-health", health, [...readyPaths, ...statsPaths]), ...exempt }]
      : []),
    ...(metrics && !shared
      ? [{ ...writeListener("stats", metrics, statsPaths, transport(metrics.tls, settings)), ...exempt }]
      : []),
    ...(shared ? [] : [{ ...writeListener("health", health, readyPaths), ...exempt }]),
    ...(omEnforcedHealth ? [writeListener("health-om-enforced", omEnforcedHealth, readyPaths)] : []),
  ];
}

const writeListener = (
  name: string,
  { address, port }: AdminEndpoints["health"],
  paths: readonly string[],
  transportSocket?: TransportSocket,
): Listener => ({
  name,
  address: listenAddress(address, port),
  socket_options: keepalive,
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
              virtual_hosts: [{ name: "backend", domains: ["*"], routes: paths.map(readOnly) }],
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
      ...(transportSocket ? { transport_socket: transportSocket } : {}),
    },
  ],
});

type Files = NonNullable<NonNullable<AdminEndpoints["metrics"]>["tls"]>;

const certificateName = "metrics-tls-certificate";
const authoritiesName = "metrics-ca-certificate";

const certificateOf = ({ certFile, keyFile }: Files): NonNullable<Secret["tls_certificate"]> => ({
  certificate_chain: { filename: certFile },
  private_key: { filename: keyFile },
});
const authoritiesOf = ({ caFile }: Files): NonNullable<Secret["validation_context"]> => ({
  trusted_ca: { filename: caFile },
});

/** TLS 1.3 only; with a CA file, clients must present a certificate. */
function transport(files: Files | undefined, settings: SettingsSpec): TransportSocket | undefined {
  if (!files) return undefined;
  const sds = settings.secrets === "sds";
  const config = (name: string) => ({ name, sds_config: configSource(pollTimes(settings.polls)) });
  const authorities: DownstreamTlsContext["common_tls_context"] = sds
    ? { validation_context_sds_secret_config: config(authoritiesName) }
    : { validation_context: authoritiesOf(files) };
  return {
    name: "envoy.transport_sockets.tls",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
      ...(files.caFile ? { require_client_certificate: true } : {}),
      common_tls_context: {
        tls_params: { tls_minimum_protocol_version: "TLSv1_3", tls_maximum_protocol_version: "TLSv1_3" },
        ...(sds
          ? { tls_certificate_sds_secret_configs: [config(certificateName)] }
          : { tls_certificates: [certificateOf(files)] }),
        ...(files.caFile ? authorities : {}),
      },
    },
  };
}

/** The certificates of the metrics listener: names of files on Envoy's machine, which Envoy watches. */
export function writeStatsSecrets(settings: SettingsSpec): readonly Resource[] {
  const files = readAdminEndpoints(settings).endpoints.metrics?.tls;
  if (!files || settings.secrets !== "sds") return [];
  const secrets: Secret[] = [
    { name: certificateName, tls_certificate: certificateOf(files) },
    ...(files.caFile ? [{ name: authoritiesName, validation_context: authoritiesOf(files) }] : []),
  ];
  return secrets.map((secret) => ({
    type: "secret",
    group: "",
    name: secret.name ?? "",
    json: JSON.stringify(secret),
  }));
}

/**
 * A cluster without endpoints that is always served. So a response to `:clusters` is never empty, and an empty one is
 * always an error.
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
