import type {
  DownstreamTlsContext,
  NetworkFilter as Filter,
  FilterChain,
  Secret,
  Typed,
} from "../gen/envoy.js";
import type { KeyPair } from "../graph/secret.js";
import type { Tls, VirtualHost } from "../graph/types.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Resource } from "../store/store.js";
import { writeAccessLog } from "./access-log.js";
import { configSource } from "./config-source.js";
import { duration } from "./duration.js";
import { ingressHttps, writeHttpConnectionManager } from "./listener.js";
import { httpVersions } from "./listener-settings.js";
import { writeTlsParameters } from "./tls-parameters.js";

type Certificates = NonNullable<DownstreamTlsContext["common_tls_context"]>["tls_certificates"];
type Certificate = NonNullable<Certificates>[number];

const inline = ({ certificate, privateKey }: KeyPair): Certificate => ({
  certificate_chain: { inline_bytes: btoa(certificate) },
  private_key: { inline_bytes: btoa(privateKey) },
});

/** A Secret resource under its stable name, `<namespace>/<name>`: a rotated certificate changes no listener. */
export function writeSecret(name: string, pair: KeyPair): Resource {
  const secret: Secret = { name, tls_certificate: inline(pair) };
  return { type: "secret", group: "", name, json: JSON.stringify(secret) };
}

/** TCP or HTTP behind the server name of a host; undefined when the host has nothing to serve over TLS. */
export function writeFilterChain(
  vhost: VirtualHost,
  settings: SettingsSpec,
  pair: KeyPair | undefined,
  tcpClusters: readonly string[] | undefined,
): Resource | undefined {
  const tcp = vhost.tcp && tcpClusters ? writeTcpProxy(vhost, tcpClusters, settings) : undefined;
  if (!tcp && (!vhost.tls || vhost.https.length === 0)) return undefined;
  const chain: FilterChain = {
    filters: [tcp ?? writeHttpConnectionManager(ingressHttps, settings)],
    ...(vhost.tls ? { transport_socket: writeTransport(vhost.tls, settings, pair, tcp === undefined) } : {}),
  };
  return { type: "filter-chain", group: ingressHttps, name: vhost.host, json: JSON.stringify(chain) };
}

function writeTransport(
  tls: Tls,
  settings: SettingsSpec,
  pair: KeyPair | undefined,
  http: boolean,
): FilterChain["transport_socket"] {
  const { h1, h2 } = httpVersions(settings);
  const context: Typed<"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"> =
    {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
      common_tls_context: {
        tls_params: writeTlsParameters(tls.minimum, tls.maximum, settings.tls),
        ...(pair
          ? { tls_certificates: [inline(pair)] }
          : {
              tls_certificate_sds_secret_configs: [
                { name: tls.secret, sds_config: configSource(settings.xdsCluster) },
              ],
            }),
        ...(http ? { alpn_protocols: [...(h2 ? ["h2"] : []), ...(h1 ? ["http/1.1"] : [])] } : {}),
      },
    };
  return { name: "envoy.transport_sockets.tls", typed_config: context };
}

function writeTcpProxy(vhost: VirtualHost, names: readonly string[], settings: SettingsSpec): Filter {
  const backends = (vhost.tcp ?? []).map(({ weight }, i) => ({ name: names[i] ?? "", weight }));
  const even = backends.every(({ weight }) => weight === 0);
  const clusters = backends
    .map(({ name, weight }) => ({ name, weight: even ? 1 : weight }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.weight - b.weight));
  const only = clusters.length === 1 ? clusters[0] : undefined;
  const log = writeAccessLog(settings.https.accessLog, settings.accessLog);
  return {
    name: "envoy.filters.network.tcp_proxy",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
      stat_prefix: ingressHttps,
      ...(only ? { cluster: only.name } : { weighted_clusters: { clusters } }),
      idle_timeout: duration(9_001_000),
      ...(log.length > 0 ? { access_log: log } : {}),
    },
  };
}
