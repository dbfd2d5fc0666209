/** Why an option of ingress-nginx's ConfigMap has no effect, by a pattern of its name. The first match holds. */
const reasons: readonly (readonly [RegExp, string])[] = [
  [/access-?log|^log-format|^enable-syslog|^syslog-/, "see the setting accessLog"],
  [/^(?:gzip|brotli)-/, "see the setting compression"],
  [
    /^(?:opentelemetry|otel|otlp|jaeger|zipkin|datadog|enable-opentracing|opentracing)/,
    "see the setting tracing",
  ],
  [/^client-(?:header|body)-timeout$/, "see the setting timeouts.requestTimeout"],
  [/^http2-max-concurrent-streams$/, "see the setting listener.httpMaxConcurrentStreams"],
  [/^http2-max-requests$/, "see the setting listener.maxRequestsPerConnection"],
  [/^ssl-(?:ecdh-curve|dh-param|early-data)$|^enable-ocsp$/, "see the setting tls"],
  [/^proxy-stream-|^stream-snippet$/, "nothing of nginx's stream module is read"],
  [/geoip/, "Envoy does not look for the country of a client"],
  [/^enable-underscores-in-headers$|^ignore-invalid-headers$/, "Envoy takes headers with _ in their names"],
  [
    /^limit-(?:rate|conn)/,
    "Envoy limits neither the rate of a response nor the requests in progress of a client",
  ],
  [/^annotation-value-word-blocklist$/, "no text of an annotation becomes configuration"],
  [/^global-allowed-response-headers$/, "custom-headers has no effect"],
  [
    /^forwarded-for-proxy-protocol-header$|^proxy-protocol-header-timeout$/,
    "see the setting useProxyProtocol",
  ],
  [/^global-auth-(?:cache|always)/, "the service is asked about each request"],
  [/^global-auth-request-redirect$/, "the service gets the path and query of the request"],
  [/^generate-request-id$/, "Envoy gives an identifier to each request without one"],
  [
    /buffer|hash|worker|^upstream-keepalive|^ssl-session|^ssl-reject-handshake$|^bind-address|^debug-|^disable-ipv6|^enable-(?:aio|multi|serial)|^error-log|^lua-shared|^map-|^max-worker|^nginx-status|^reuse-port$|^server-name|^variables-|^strict-validate|^default-type$|^http2-max-(?:field|header)|^proxy-ssl-location-only$|^proxy-max-temp/,
    "it is about nginx itself, and Envoy needs nothing for it",
  ],
];

/** Why an option that Isoline does not read has no effect. */
export const reasonFor = (option: string): string =>
  reasons.find(([pattern]) => pattern.test(option))?.[1] ?? "Isoline does not read it";

/** Options that Isoline does not read although they restrict access. */
export const unreadRestrictions: ReadonlySet<string> = new Set(["global-auth-snippet"]);
