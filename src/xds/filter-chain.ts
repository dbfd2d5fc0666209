import type {
  CertificateValidationContext,
  DownstreamTlsContext,
  NetworkFilter as Filter,
  FilterChain,
  Typed,
} from "../gen/envoy.js";
import type { GlobalServices } from "../graph/global-services.js";
import { fallbackTable } from "../graph/listener-names.js";
import type { KeyPair } from "../graph/secret.js";
import type { ClientValidation, JwksServer, Route, TcpBackend, Tls, VirtualHost } from "../graph/types.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Resource } from "../store/store.js";
import { writeAccessLog } from "./access-log.js";
import { writeCertificate } from "./certificate.js";
import { duration } from "./duration.js";
import { type ManagerOptions, writeHttpConnectionManager } from "./listener.js";
import { httpVersions } from "./listener-settings.js";
import { networkIpFilter } from "./policy/ip-filter.js";
import { authorizationFilter, jwtFilter, rateLimitFilter } from "./protection-filters.js";
import { writeTlsParameters } from "./tls-parameters.js";
import { fitWeights } from "./weights.js";

/** The name of the chain that takes all TLS that no other does, not even one for any host. */
const fallbackChain = ".fallback";

/** What a filter chain needs beside the host itself. */
export interface ChainContext {
  /** The Envoy listener. */
  readonly listener: string;
  readonly settings: SettingsSpec;
  readonly services: GlobalServices;
  /** The key pair where it does not travel by SDS. */
  readonly pair?: KeyPair | undefined;
  /** Names of the clusters of `vhost.tcp`. */
  readonly tcpClusters?: readonly string[] | undefined;
  clusterOf(server: JwksServer): string;
}

/** TCP or HTTP behind the server name of a host; undefined when the host has nothing to serve over TLS. */
export function writeFilterChain(vhost: VirtualHost, context: ChainContext): Resource | undefined {
  const { listener, settings, pair, tcpClusters } = context;
  const tcp = vhost.tcp && tcpClusters ? writeTcpProxy(vhost.tcp, tcpClusters, context) : undefined;
  if (!tcp && (!vhost.tls || vhost.https.length === 0)) return undefined;
  const { ipFilter } = vhost.policies;
  const chain: FilterChain = {
    filters: tcp
      ? [...(ipFilter ? [networkIpFilter(ipFilter, listener)] : []), tcp]
      : [writeHttpConnectionManager(managerOptions(vhost, context), settings)],
    ...(vhost.tls ? { transport_socket: writeTransport(vhost.tls, settings, pair, tcp === undefined) } : {}),
  };
  return chainResource(listener, vhost.host, chain);
}

const chainResource = (listener: string, name: string, chain: FilterChain): Resource => ({
  type: "filter-chain",
  group: listener,
  name,
  json: JSON.stringify(chain),
});

/** What a listener without TLS does with all connections. */
export const writeTcpChain = (
  backends: readonly TcpBackend[],
  names: readonly string[],
  context: Pick<ChainContext, "listener" | "settings">,
): Resource => chainResource(context.listener, "", { filters: [writeTcpProxy(backends, names, context)] });

function managerOptions(vhost: VirtualHost, { listener, services, clusterOf }: ChainContext): ManagerOptions {
  const authorization = vhost.authorization ?? services.authorization;
  const tokens = vhost.jwtProviders.length > 0 || vhost.https.some((route) => route.policies.jwtProvider);
  const forward = vhost.tls?.clientValidation?.forward;
  return {
    listener,
    secure: true,
    websockets: vhost.websockets,
    checkSni: true,
    cookies: vhost.https.some(rewritesCookies),
    ...(tokens ? { jwt: jwtFilter(vhost.jwtProviders, clusterOf) } : {}),
    ...(authorization ? { authorization: authorizationFilter(authorization) } : {}),
    ...(services.rateLimits ? { rateLimits: rateLimitFilter(services.rateLimits) } : {}),
    ...(services.tracing ? { tracing: services.tracing } : {}),
    ...(forward ? { forwardCertificate: forward } : {}),
  };
}

const rewritesCookies = ({ action }: Route): boolean =>
  action.kind === "forward" && action.backends.some(({ policies }) => policies.cookieRewrites !== undefined);

/** The chain for clients without SNI (or with a name that no host has), under the fallback certificate. */
export function writeFallbackChain(
  { fallback: secret = "", websockets }: VirtualHost,
  context: ChainContext,
): Resource {
  const { listener, settings, services, pair } = context;
  const { authorization, rateLimits, tracing } = services;
  const manager: ManagerOptions = {
    listener,
    secure: true,
    table: fallbackTable,
    websockets,
    cookies: true,
    ...(authorization ? { authorization: authorizationFilter(authorization) } : {}),
    ...(rateLimits ? { rateLimits: rateLimitFilter(rateLimits) } : {}),
    ...(tracing ? { tracing } : {}),
  };
  const { minimumProtocolVersion: minimum, maximumProtocolVersion: maximum } = settings.tls;
  const chain: FilterChain = {
    filters: [writeHttpConnectionManager(manager, settings)],
    transport_socket: writeTransport({ secret, minimum, maximum }, settings, pair, true),
  };
  return chainResource(listener, fallbackChain, chain);
}

function writeClientValidation(validation: ClientValidation): Partial<DownstreamTlsContext> {
  const { ca, crl, crlLeafOnly, optional, skipVerification } = validation;
  const context: CertificateValidationContext = {
    ...(skipVerification ? { trust_chain_verification: "ACCEPT_UNTRUSTED" } : {}),
    ...(ca ? { trusted_ca: { inline_bytes: btoa(ca) } } : {}),
    ...(crl ? { crl: { inline_bytes: btoa(crl) } } : {}),
    ...(crl && crlLeafOnly ? { only_verify_leaf_cert_crl: true } : {}),
  };
  return {
    require_client_certificate: !optional,
    common_tls_context: { validation_context: context },
  };
}

function writeTransport(
  tls: Tls,
  settings: SettingsSpec,
  pair: KeyPair | undefined,
  http: boolean,
): FilterChain["transport_socket"] {
  const { h1, h2 } = httpVersions(settings);
  const client = tls.clientValidation ? writeClientValidation(tls.clientValidation) : {};
  const context: Typed<"type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext"> =
    {
      "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
      ...client,
      common_tls_context: {
        ...client.common_tls_context,
        tls_params: writeTlsParameters(tls.minimum, tls.maximum, settings.tls),
        ...writeCertificate({ secret: tls.secret, ...(pair ? { pair } : {}) }),
        ...(http ? { alpn_protocols: [...(h2 ? ["h2"] : []), ...(h1 ? ["http/1.1"] : [])] } : {}),
      },
    };
  return { name: "envoy.transport_sockets.tls", typed_config: context };
}

function writeTcpProxy(
  backends: readonly TcpBackend[],
  names: readonly string[],
  { listener, settings }: Pick<ChainContext, "listener" | "settings">,
): Filter {
  const clusters = fitWeights(backends.map(({ weight }) => weight))
    .map((weight, i) => ({ name: names[i] ?? "", weight }))
    .filter(({ weight }) => weight > 0)
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.weight - b.weight));
  const only = clusters.length === 1 ? clusters[0] : undefined;
  const log = writeAccessLog(settings.https.accessLog, settings.accessLog);
  return {
    name: "envoy.filters.network.tcp_proxy",
    typed_config: {
      "@type": "type.googleapis.com/envoy.extensions.filters.network.tcp_proxy.v3.TcpProxy",
      stat_prefix: listener,
      ...(only ? { cluster: only.name } : { weighted_clusters: { clusters } }),
      idle_timeout: duration(9_001_000),
      ...(log.length > 0 ? { access_log: log } : {}),
    },
  };
}
