import type {
  CertificateValidationContext,
  DownstreamTlsContext,
  NetworkFilter as Filter,
  FilterChain,
} from "../gen/envoy.js";
import type { KeyPair } from "../graph/certificates/secret.js";
import { fallbackTable } from "../graph/core/listener-names.js";
import type { HttpsTerms, Route, TcpBackend, TcpTerms, Tls, VirtualHost } from "../graph/core/nodes.js";
import type { ClientValidation } from "../graph/policies/client-validation.js";
import type { GlobalServices } from "../graph/policies/global-services.js";
import type { JwksServer } from "../graph/policies/jwt.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Resource } from "../store/store.js";
import { writeAccessLog } from "./access-log.js";
import { writeCertificate } from "./certificate.js";
import { closedCluster } from "./closed-cluster.js";
import { duration } from "./duration.js";
import { type ManagerOptions, writeHttpConnectionManager } from "./listener.js";
import { httpVersions } from "./listener-settings.js";
import { networkIpFilter } from "./policies/ip-filter.js";
import { quicListener, quicProblem, quicRefusal, quicTransport, type TlsContext } from "./quic.js";
import { writeTlsParameters } from "./tls-parameters.js";
import { fitWeights } from "./weights.js";

/** The name of the chain for all TLS that no other chain matches, not even one for any host. */
const fallbackChain = ".fallback";

/** The inputs of a filter chain besides the terms of a host. */
export interface ChainContext {
  readonly host: string;
  /** The Envoy listener. */
  readonly listener: string;
  readonly settings: SettingsSpec;
  readonly services: GlobalServices;
  readonly websockets: VirtualHost["websockets"];
  /** The key pair if it is not sent by SDS. */
  readonly pair?: KeyPair | undefined;
  clusterOf(server: JwksServer): string;
}

/** HTTP for the server name of a host. */
export const writeFilterChains = (
  terms: HttpsTerms,
  routes: readonly Route[],
  context: ChainContext,
): readonly Resource[] => httpsChains(terms.tls, managerOptions(terms, routes, context), context);

/** HTTP behind the hostname of a listener of a Gateway: its hosts are in a route table of its own. */
export function writeDoorChains(
  { tls }: HttpsTerms,
  table: string,
  context: ChainContext,
): readonly Resource[] {
  const { listener, settings, services, websockets } = context;
  return httpsChains(tls, { listener, secure: true, table, settings, services, websockets }, context);
}

/** The chain for TLS and, where it is on, that for HTTP/3; there, a host that can't have HTTP/3 answers 421. */
function httpsChains(
  tls: Tls,
  manager: ManagerOptions,
  { host, listener, settings, pair }: ChainContext,
): readonly Resource[] {
  const transport = writeTransport(tls, settings, pair, true);
  const chain = chainResource(listener, host, {
    filters: [writeHttpConnectionManager(manager)],
    transport_socket: transport,
  });
  if (!settings.http3.enabled) return [chain];
  const quic = chainResource(quicListener(listener), host, {
    filters: quicProblem(tls)
      ? quicRefusal(listener, settings)
      : [writeHttpConnectionManager({ ...manager, quic: true })],
    transport_socket: quicTransport(transport.typed_config),
  });
  return [chain, quic];
}

/** A host without HTTP/3, which no wider host is to have either. */
const quicClosed = (
  host: string,
  { listener, settings }: Pick<ChainContext, "listener" | "settings">,
): readonly Resource[] =>
  settings.http3.enabled
    ? [chainResource(quicListener(listener), host, { filters: quicRefusal(listener, settings) })]
    : [];

/** TCP for the server name of a host; `names` are the names of the clusters of its backends. */
export function writeTcpHostChains(
  { backends, ipFilter, tls }: TcpTerms,
  names: readonly string[],
  context: ChainContext,
): readonly Resource[] {
  const { host, listener, settings, pair } = context;
  const tcp = writeTcpProxy(backends, names, context);
  const chain = chainResource(listener, host, {
    filters: [...(ipFilter ? [networkIpFilter(ipFilter, listener)] : []), tcp],
    ...(tls ? { transport_socket: writeTransport(tls, settings, pair, false) } : {}),
  });
  return [chain, ...quicClosed(host, context)];
}

const chainResource = (listener: string, name: string, chain: FilterChain): Resource => ({
  type: "filter-chain",
  group: listener,
  name,
  json: JSON.stringify(chain),
});

/** The filter chain for all connections of a listener without TLS. */
export const writeTcpChain = (
  backends: readonly TcpBackend[],
  names: readonly string[],
  context: Pick<ChainContext, "listener" | "settings"> & { readonly idleMs?: number },
): Resource => chainResource(context.listener, "", { filters: [writeTcpProxy(backends, names, context)] });

function managerOptions(
  { policies, tls }: HttpsTerms,
  routes: readonly Route[],
  { listener, settings, services, websockets, clusterOf }: ChainContext,
): ManagerOptions {
  const forward = tls.clientValidation?.forward;
  return {
    listener,
    secure: true,
    settings,
    services,
    websockets,
    checkSni: true,
    host: { policies, routes, clusterOf },
    ...(forward ? { forwardCertificate: forward } : {}),
  };
}

/** The chain for clients without SNI (or with an unknown server name), with the fallback certificate. */
export function writeFallbackChain(secret: string, context: ChainContext): Resource {
  const { listener, settings, services, websockets, pair } = context;
  const manager: ManagerOptions = {
    listener,
    secure: true,
    table: fallbackTable,
    settings,
    services,
    websockets,
  };
  const { minimumProtocolVersion: minimum, maximumProtocolVersion: maximum } = settings.tls;
  const chain: FilterChain = {
    filters: [writeHttpConnectionManager(manager)],
    transport_socket: writeTransport({ secret, minimum, maximum }, settings, pair, true),
  };
  return chainResource(listener, fallbackChain, chain);
}

function writeClientValidation(validation: ClientValidation): Partial<DownstreamTlsContext> {
  const { ca, crl, crlLeafOnly, optional, skipVerification, maxDepth } = validation;
  const context: CertificateValidationContext = {
    ...(skipVerification ? { trust_chain_verification: "ACCEPT_UNTRUSTED" } : {}),
    ...(ca ? { trusted_ca: { inline_bytes: btoa(ca) } } : {}),
    ...(crl ? { crl: { inline_bytes: btoa(crl) } } : {}),
    ...(maxDepth === undefined ? {} : { max_verify_depth: maxDepth }),
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
): { readonly name: string; readonly typed_config: TlsContext } {
  const { h1, h2 } = httpVersions(settings);
  const client = tls.clientValidation ? writeClientValidation(tls.clientValidation) : {};
  const context: TlsContext = {
    "@type": "type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext",
    ...client,
    common_tls_context: {
      ...client.common_tls_context,
      tls_params: writeTlsParameters(tls.minimum, tls.maximum, settings.tls),
      ...writeCertificate({ secret: tls.secret, ...(pair ? { pair } : {}) }, settings, tls.moreSecrets),
      ...(http ? { alpn_protocols: [...(h2 ? ["h2"] : []), ...(h1 ? ["http/1.1"] : [])] } : {}),
    },
  };
  return { name: "envoy.transport_sockets.tls", typed_config: context };
}

/** Closes all connections for a server name. */
export const writeClosedChains = (
  host: string,
  context: Pick<ChainContext, "listener" | "settings">,
): readonly Resource[] => [
  chainResource(context.listener, host, {
    filters: [writeTcpProxy([{ weight: 1 }], [closedCluster], context)],
  }),
  ...quicClosed(host, context),
];

function writeTcpProxy(
  backends: readonly Pick<TcpBackend, "weight">[],
  names: readonly string[],
  {
    listener,
    settings,
    idleMs = 9_001_000,
  }: Pick<ChainContext, "listener" | "settings"> & { readonly idleMs?: number },
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
      idle_timeout: duration(idleMs),
      ...(log.length > 0 ? { access_log: log } : {}),
    },
  };
}
