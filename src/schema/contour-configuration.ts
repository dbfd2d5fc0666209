import { isRecord } from "./issues.js";

/** Maps `keys` of the group `from` to the same keys of the group `to`. */
const same = (from: string, to: string, keys: string): [string, string][] =>
  keys.split(" ").map((key) => [`${from}.${key}`, to === "" ? key : `${to}.${key}`]);

const protocol = "minimumProtocolVersion maximumProtocolVersion cipherSuites ecdhCurves";

/** The settings for the fields of a ContourConfiguration's `spec` (projectcontour.io/v1alpha1). */
export const configurationKeys: readonly (readonly [string, string])[] = [
  ["ingress.classNames", "ingressClassNames"],
  ["ingress.statusAddress", "ingressStatusAddress"],
  ...same("httpproxy", "", "disablePermitInsecure rootNamespaces"),
  ["httpproxy.fallbackCertificate", "tls.fallbackCertificate"],
  ["enableExternalNameService", "enableExternalNameService"],
  ...same("envoy.http", "http", "address port accessLog"),
  ...same("envoy.https", "https", "address port accessLog"),
  ...same("envoy.health", "health", "address port"),
  ...same("envoy.metrics", "metrics", "address port tls.certFile tls.keyFile tls.caFile"),
  ...same("envoy.omEnforcedHealth", "omEnforcedHealth", "address port"),
  ...same(
    "envoy.listener",
    "",
    "useProxyProtocol disableAllowChunkedLength disableMergeSlashes serverHeaderTransformation",
  ),
  ["envoy.listener.compression.algorithm", "compression"],
  ...same("envoy.listener.tls", "tls", `${protocol} fingerprint.ja3 fingerprint.ja4`),
  ...same(
    "envoy.listener",
    "listener",
    `connectionBalancer maxRequestsPerConnection perConnectionBufferLimitBytes socketOptions.tos
    socketOptions.trafficClass maxRequestsPerIOCycle httpMaxConcurrentStreams maxConnectionsPerListener
    maxConnectionsToAcceptPerSocketEvent`.replace(/\s+/g, " "),
  ),
  ["envoy.clientCertificate", "tls.envoyClientCertificate"],
  ["envoy.logging.accessLogFormat", "accessLog.format"],
  ["envoy.logging.accessLogFormatString", "accessLog.formatString"],
  ["envoy.logging.accessLogJSONFields", "accessLog.jsonFields"],
  ["envoy.logging.accessLogLevel", "accessLog.level"],
  ["envoy.defaultHTTPVersions", "httpVersions"],
  ...same(
    "envoy.timeouts",
    "timeouts",
    `requestTimeout connectionIdleTimeout streamIdleTimeout maxConnectionDuration delayedCloseTimeout
    connectionShutdownGracePeriod connectTimeout`.replace(/\s+/g, " "),
  ),
  ["envoy.cluster.dnsLookupFamily", "dnsLookupFamily"],
  ...same("envoy.cluster", "cluster", "maxRequestsPerConnection perConnectionBufferLimitBytes"),
  ...same(
    "envoy.cluster.circuitBreakers",
    "cluster.circuitBreakers",
    "maxConnections maxPendingRequests maxRequests maxRetries perHostMaxConnections",
  ),
  ...same("envoy.cluster.upstreamTLS", "cluster.upstreamTls", protocol),
  ["envoy.network.numTrustedHops", "xffNumTrustedHops"],
  ["envoy.network.stripTrailingHostDot", "stripTrailingHostDot"],
  ["envoy.runtimeSettings", "runtimeSettings"],
  ...same("policy.requestHeaders", "policy.requestHeaders", "set remove"),
  ...same("policy.responseHeaders", "policy.responseHeaders", "set remove"),
  ["policy.applyToIngress", "policy.applyToIngress"],
  ["gateway.gatewayRef", "gatewayRef"],
  ...["globalExtAuth", "rateLimitService", "tracing"].map((key) => [key, key] as const),
];

/** Fields for Contour's own process or for features that Isoline does not have. */
export const foreignConfigurationKeys: readonly string[] = [
  "xdsServer",
  "debug",
  "health",
  "metrics",
  "featureFlags",
  "envoy.service",
  "envoy.network.adminPort",
];

/** The `spec` of a ContourConfiguration object; undefined for any other input. */
export function configurationSpec(input: unknown): unknown {
  if (!isRecord(input) || input.kind !== "ContourConfiguration") return undefined;
  if (typeof input.apiVersion !== "string" || !input.apiVersion.startsWith("projectcontour.io/"))
    return undefined;
  return input.spec ?? {};
}

/**
 * Converts the map with which a ContourConfiguration names an extension service to the form of the file,
 * `namespace/name`.
 */
export function joinReference(value: unknown): unknown {
  if (!isRecord(value) || !isRecord(value.extensionService)) return value;
  const { namespace, name } = value.extensionService;
  return { ...value, extensionService: `${String(namespace ?? "")}/${String(name ?? "")}` };
}
