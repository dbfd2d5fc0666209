import type { Proof } from "./row.js";

const envoy = (file: string, title: string): Proof => ({ file: `test/envoy/${file}.test.ts`, title });
const unit = (file: string, title: string): Proof => ({ file: `test/unit/${file}.test.ts`, title });
const cluster = (file: string, title: string): Proof => ({ file: `test/kubernetes/${file}.test.ts`, title });

/** Tests that rows of the comparison name. */
export const proofs = {
  accessLogJson: envoy(
    "settings",
    "a JSON access log: Contour's fields over HTTPS and TCP, and fingerprints of the client's TLS",
  ),
  accessLogNames: unit("access-log", "knows each of Contour's 23 defaults"),
  accessLogText: envoy("settings", "a text access log: its format, and errors alone"),
  addresses: cluster(
    "manifests",
    "lets statuses be written: a verdict, its generation, and the address of the Envoys",
  ),
  authorizationBody: envoy(
    "authorization",
    "gRPC: the service is told the body up to its limit, as text or bytes",
  ),
  authorizationDown: envoy("authorization", "the service is down or slow: 403, or 200 with failOpen"),
  authorizationGrpc: envoy(
    "authorization",
    "gRPC: allowed, denied with the service's own answer, context by host and route, disabled by route",
  ),
  authorizationHttp: envoy(
    "authorization",
    "HTTP: the path prefix, the headers that the service sees, the headers that the backend gets",
  ),
  backendCertificates: envoy(
    "certificates",
    "backends are validated: the authority and the names that the object asks for, else 503",
  ),
  backendSni: envoy("certificates", "the SNI towards a TLS backend is the Host that the route sets"),
  bootstrap: envoy("bootstrap", "Envoy accepts the bootstrap for %s"),
  bootstrapRuntime: unit(
    "bootstrap-settings",
    "runtime settings go into the static layer, and Isoline's own values win",
  ),
  bootstrapToken: envoy(
    "bootstrap",
    "Envoy sends the token with each poll, takes a new one, and compresses its polls",
  ),
  certificateReplaced: envoy("tls", "a replaced certificate is served without a lost request"),
  clientCertificates: envoy(
    "client-certificate",
    "client certificates: required, optional, not verified; revoked ones; authorities between",
  ),
  clientHeader: envoy(
    "client-certificate",
    "x-forwarded-client-cert tells what was asked for, and never what a client wrote",
  ),
  compression: envoy("forwarding", "compression $compression: $encoding for text and clients that accept it"),
  contourConfiguration: unit("contour-configuration", "has each of its keys among the settings"),
  contourServices: unit(
    "contour-configuration",
    "names services as the file does, for authorization, rate limits and tracing",
  ),
  contourUnknown: unit(
    "contour-configuration",
    "warns of what is Contour's own, and of keys that it does not have",
  ),
  cookies: envoy(
    "cookies",
    "cookies: all attributes, any case, several cookies in their order, others as they were",
  ),
  cors: envoy(
    "cors",
    "CORS: preflights answered by Envoy, headers on simple requests; exact, regex and any origins",
  ),
  crds: cluster("cluster", "refuses what the schemas refuse, with the CRDs made of them"),
  defaults: envoy(
    "settings",
    "default circuit breakers, limits of connections to backends, and headers on every service",
  ),
  emptyAnswers: unit("discovery", "T60: answers 503 before the first publication, never an empty 200"),
  endpointsChange: envoy("changes", "new endpoints of a service are used, and the old ones no more"),
  fallback: envoy(
    "certificates",
    "the fallback certificate without SNI and for unknown names; hosts that did not opt in answer 404 there",
  ),
  fields: unit("field-coverage", "every field of %s is in a golden case"),
  flagAddresses: envoy(
    "serve-flags",
    "--envoy-service-http-port, --envoy-service-https-port and their addresses",
  ),
  flagLogs: envoy("serve-flags", "--envoy-http-access-log and --envoy-https-access-log: %s"),
  flagProxyProtocol: envoy(
    "serve-flags",
    "--use-proxy-protocol: both listeners take the client's address from it, and nobody without",
  ),
  flagStats: envoy(
    "serve-flags",
    "--stats-address and --stats-port: where Envoy tells its health and metrics",
  ),
  flagsOfObjects: envoy("serve-flags", "which objects are served with '%s'"),
  garbageCrl: envoy("client-certificate", "garbage as a revocation list shuts its own host and no other"),
  garbageJwks: envoy("jwt", "garbage as local keys shuts its own host and no other"),
  globalAuthorization: envoy(
    "global-authorization",
    "globalExtAuth guards plain HTTP, HTTPS and Ingress; hosts and routes may be left out or say more",
  ),
  goldensShuffled: {
    file: "test/golden/golden.test.ts",
    title: "is the same shuffled, object by object and with noise added and removed",
  },
  hashing: envoy(
    "load-balancing",
    "requests stick to an endpoint by header, query parameter, source address and cookie",
  ),
  healthHttp: envoy(
    "health-check",
    "HTTP checks: an endpoint whose status is not expected gets nothing until it recovers",
  ),
  healthPort: envoy("health-check", "checks go to the health port, under the default Host"),
  healthTcp: envoy("health-check", "TCP checks: connections go only where one can be opened"),
  rewrites: envoy(
    "rewrites",
    "prefixes of HTTPProxies and IngressRoutes are replaced, beside routes of all kinds",
  ),
  httpProxyRouting: envoy(
    "routing",
    "HTTPProxy: prefixes, exact paths, header conditions, rewrites, header policies, includes",
  ),
  ingressRouteRouting: envoy(
    "routing",
    "IngressRoute: routes, and a delegation to another namespace's object",
  ),
  ingressRouting: envoy("routing", "Ingress: prefixes by segment, exact paths, a default backend"),
  internalRedirects: envoy(
    "forwarding",
    "redirects of a backend are followed: by status, so many at most, within the scheme, no route twice",
  ),
  ipFilters: envoy(
    "ip-filter",
    "by the connection's other end: allowed or denied ranges of a host, and of routes in their place",
  ),
  jwtLocal: envoy("jwt", "local keys: a Secret, which may be replaced"),
  jwtRemote: envoy(
    "jwt",
    "remote keys: signature, expiry, issuer, audience; forwarded or not; routes without and with an unknown provider",
  ),
  keyPairs: unit("key-pair", "a certificate with its own key and with another's"),
  lease: cluster("manifests", "has one writer among replicas, and another when it goes"),
  linkSorted: unit("link", "sorts every type by name"),
  listeners: envoy(
    "settings",
    "health apart from metrics, these over TLS, and the health check that feels the overload manager",
  ),
  localRateLimits: envoy(
    "rate-limit",
    "local rate limits: by host, by route in its place, with a status and headers of its own",
  ),
  globalRateLimits: envoy(
    "rate-limit",
    "global rate limits: descriptors as written, 429 when over, routes that opt out, the settings' default",
  ),
  metrics: unit("inspect", "counts what happens, in Prometheus's format"),
  mirror: envoy(
    "mirror",
    "a mirror gets every request, or its share of them, and the client never sees its answers",
  ),
  overload: envoy("bootstrap", "Envoy watches the heap and connections that it may use"),
  phases: unit("publish", "keeps a removed cluster while Envoys still have routes to it"),
  refusals: unit(
    "discovery",
    "does not give a refused version again at once, and goes back to old content under a new version",
  ),
  requestTimeout: envoy(
    "forwarding",
    "the settings' request timeout ends a request that never ends itself with 408",
  ),
  retries: envoy(
    "forwarding",
    "retries: counted at the backend, by condition and status, each within its own time",
  ),
  routeGraph: unit("inspect", "comes in pages"),
  runtimeValues: envoy(
    "settings",
    "values of the runtime come with the bootstrap: a listener takes so many connections",
  ),
  schemaDefaults: unit("schema-httpproxy", "fills in the defaults"),
  schemaLimits: unit("schema-httpproxy", "%s"),
  sds: unit("discovery", "T59: answers content once and then 304, with a length and no caching"),
  secretsOnlyWhereNeeded: unit(
    "schema",
    "decodes the known keys of a Secret, byte for byte, and merges stringData",
  ),
  settingsDefaults: unit("schema-settings", "gives the defaults for nothing"),
  settingsRefused: unit("schema-settings", "refuses %j and keeps the default"),
  settingsTimeouts: unit("schema-settings", "reads %j"),
  spans: envoy("forwarding", "spans reach an OpenTelemetry collector, with their tags"),
  statusExtension: unit("status", "of ExtensionServices"),
  statusForeign: unit("status", "is not given to objects of another class"),
  statusIngress: unit("status", "of Ingresses: where they are served"),
  statusIngressRoute: unit("status", "of IngressRoutes: one word and the first error"),
  statusInvalid: unit("status", "of an invalid HTTPProxy: each error and warning by itself"),
  statusOrphans: unit("status", "of orphans, which are found as findings too"),
  statusUnreadable: unit("status", "of an HTTPProxy that can't be read"),
  statusValid: unit("status", "of a valid HTTPProxy"),
  strategies: envoy("load-balancing", "strategies and slow start are accepted, and serve from all endpoints"),
  tcp: envoy("tls", "TCP: TLS ended at Envoy, and TLS passed through to the backend"),
  timeouts: envoy("forwarding", "response timeouts: 504 when a route's is over, and none for infinity"),
  tls: envoy("tls", "HTTPS: the certificate by SNI, 301 from HTTP, 421 when Host is not of the SNI"),
  watched: unit("watch-namespaces", "serve reads the watched namespaces alone"),
  websocket: envoy("routing", "a websocket passes where the route allows it, and only there"),
  weights: envoy(
    "load-balancing",
    "weights hold within 5 % over 2,000 requests; 0 gets nothing, and none at all are even",
  ),
} as const satisfies Readonly<Record<string, Proof>>;
