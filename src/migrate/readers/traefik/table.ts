import { carried, changed, ignored, type KindTable, lost, type Row, restricts } from "../../table.js";
import { classAnnotation, ingressFields } from "../ingress-rules.js";

export const annotationPrefix = "traefik.ingress.kubernetes.io/";
const prefixes = [annotationPrefix, "traefik.io/", "traefik.containo.us/"];

const serviceRows = (at: string): Record<string, Row> => ({
  [`${at}.name`]: carried,
  [`${at}.namespace`]: carried,
  [`${at}.kind`]: carried,
  [`${at}.port`]: carried,
  [`${at}.scheme`]: carried,
  [`${at}.weight`]: carried,
  [`${at}.percent`]: carried,
  [`${at}.serversTransport`]: carried,
  [`${at}.strategy`]: changed(
    "Traefik's wrr is RoundRobin; of p2c, hrw and leasttime WeightedLeastRequest is the closest",
  ),
  [`${at}.passHostHeader`]: carried,
  [`${at}.responseForwarding`]: ignored,
  [`${at}.nativeLB`]: changed(
    "is an annotation of the Service",
    "warning",
    "annotate the Service with isoline.dev/endpoints: service",
  ),
  [`${at}.nodePortLB`]: ignored,
  [`${at}.sticky`]: changed(
    "the cookie is X-Contour-Session-Affinity for the path /; sessions are dealt anew",
    "warning",
  ),
  [`${at}.healthCheck`]: lost("health checks are for ExternalName Services in Traefik; left out"),
  [`${at}.passiveHealthCheck`]: lost("endpoints are not taken out after failures"),
  [`${at}.middlewares`]: restricts("middlewares of a service are not converted"),
  [`${at}.highestRandomWeight`]: restricts("is not converted"),
});

export const ingressRouteTable: KindTable = {
  fields: {
    "spec.entryPoints": carried,
    "spec.parentRefs": restricts("routes of several layers are not converted"),
    "spec.ingressClassName": ignored,
    "spec.routes[].kind": ignored,
    "spec.routes[].match": carried,
    "spec.routes[].priority": carried,
    "spec.routes[].syntax": carried,
    "spec.routes[].observability": lost("logs and traces are settings", "info"),
    "spec.routes[].middlewares": carried,
    ...serviceRows("spec.routes[].services[]"),
    "spec.tls.secretName": carried,
    "spec.tls.options": carried,
    "spec.tls.store": changed("the default certificate is that of the TLSStore with the name default"),
    "spec.tls.certResolver": changed(
      "certificates are made by cert-manager",
      "warning",
      "make a Certificate of cert-manager with the name of the Secret in the result",
    ),
    "spec.tls.domains": changed("names of certificates are those of the Certificate of cert-manager"),
  },
  annotations: { [classAnnotation]: ignored },
  prefixes,
};

export const tcpTable: KindTable = {
  fields: {
    "spec.entryPoints": carried,
    "spec.ingressClassName": ignored,
    "spec.routes[].match": carried,
    "spec.routes[].priority": carried,
    "spec.routes[].syntax": ignored,
    "spec.routes[].middlewares": restricts("middlewares of TCP keep connections out"),
    "spec.routes[].services[].name": carried,
    "spec.routes[].services[].namespace": carried,
    "spec.routes[].services[].port": carried,
    "spec.routes[].services[].weight": carried,
    "spec.routes[].services[].nativeLB": ignored,
    "spec.routes[].services[].tls": lost("connections to the Service are without TLS", "error"),
    "spec.routes[].services[].proxyProtocol": lost("the PROXY protocol is not spoken to backends", "error"),
    "spec.routes[].services[].serversTransport": lost("has no counterpart for TCP", "error"),
    "spec.routes[].services[].terminationDelay": ignored,
    "spec.tls.passthrough": carried,
    "spec.tls.secretName": carried,
    "spec.tls.options": carried,
    "spec.tls.store": ignored,
    "spec.tls.certResolver": changed("certificates are made by cert-manager", "warning"),
    "spec.tls.domains": ignored,
  },
  prefixes,
};

const password = restricts(
  "asks for a password, which neither HTTPProxy nor the Gateway API do",
  "ask an ExtensionService (virtualhost.authorization)",
);
const perClient = lost(
  "limits each client, which no local limit of HTTPProxy does; left out",
  "warning",
  "use rateLimitPolicy.global with remoteAddress and a rate limit service",
);

export const middlewareTable: KindTable = {
  fields: {
    "spec.stripPrefix.prefixes": carried,
    "spec.stripPrefix.forceSlash": ignored,
    "spec.addPrefix.prefix": carried,
    "spec.replacePath.path": changed("X-Replaced-Path is not set"),
    "spec.stripPrefixRegex.regex": changed("X-Forwarded-Prefix is not set"),
    "spec.replacePathRegex.regex": changed("X-Replaced-Path is not set"),
    "spec.replacePathRegex.replacement": carried,
    "spec.redirectRegex": restricts(
      "redirects by a regular expression, which can't be said",
      "write a redirect of HTTPProxy by hand",
    ),
    "spec.redirectScheme.scheme": carried,
    "spec.redirectScheme.port": carried,
    "spec.redirectScheme.permanent": carried,
    "spec.redirectScheme.forwardedHeaders": ignored,
    "spec.headers.customRequestHeaders": carried,
    "spec.headers.customResponseHeaders": carried,
    "spec.headers.accessControlAllowCredentials": carried,
    "spec.headers.accessControlAllowHeaders": carried,
    "spec.headers.accessControlAllowMethods": carried,
    "spec.headers.accessControlAllowOriginList": carried,
    "spec.headers.accessControlAllowOriginListRegex": carried,
    "spec.headers.accessControlExposeHeaders": carried,
    "spec.headers.accessControlMaxAge": carried,
    "spec.headers.addVaryHeader": lost("Vary is not set", "info"),
    "spec.headers.stsSeconds": carried,
    "spec.headers.stsIncludeSubdomains": carried,
    "spec.headers.stsPreload": carried,
    "spec.headers.forceSTSHeader": ignored,
    "spec.headers.frameDeny": carried,
    "spec.headers.customFrameOptionsValue": carried,
    "spec.headers.contentTypeNosniff": carried,
    "spec.headers.browserXssFilter": carried,
    "spec.headers.customBrowserXSSValue": carried,
    "spec.headers.contentSecurityPolicy": carried,
    "spec.headers.contentSecurityPolicyReportOnly": carried,
    "spec.headers.referrerPolicy": carried,
    "spec.headers.permissionsPolicy": carried,
    "spec.headers.featurePolicy": lost("is no field of Traefik 3"),
    "spec.headers.publicKey": lost("key pinning is gone from browsers", "info"),
    "spec.headers.isDevelopment": lost("the headers are set as in production", "info"),
    "spec.headers.allowedHosts": carried,
    "spec.headers.hostsProxyHeaders": ignored,
    "spec.headers.sslProxyHeaders": ignored,
    "spec.headers.sslRedirect": carried,
    "spec.headers.sslTemporaryRedirect": ignored,
    "spec.headers.sslHost": lost("HTTP redirects to the host of the request"),
    "spec.headers.sslForceHost": lost("HTTP redirects to the host of the request"),
    "spec.basicAuth": password,
    "spec.digestAuth": password,
    "spec.forwardAuth": restricts(
      "asks an address about each request, and HTTPProxy asks services at the path of the request",
      "write an ExtensionService and virtualhost.authorization",
    ),
    "spec.ipAllowList.sourceRange": carried,
    "spec.ipAllowList.ipStrategy.depth": carried,
    "spec.ipAllowList.ipStrategy.excludedIPs": restricts(
      "which of X-Forwarded-For counts can't be said by addresses",
    ),
    "spec.ipAllowList.ipStrategy.ipv6Subnet": restricts("addresses are compared as they are"),
    "spec.ipAllowList.rejectStatusCode": lost("what is refused is answered 403", "info"),
    "spec.ipWhiteList.sourceRange": carried,
    "spec.ipWhiteList.ipStrategy.depth": carried,
    "spec.ipWhiteList.ipStrategy.excludedIPs": restricts(
      "which of X-Forwarded-For counts can't be said by addresses",
    ),
    "spec.rateLimit": perClient,
    "spec.inFlightReq": perClient,
    "spec.buffering": lost(
      "Envoy streams bodies and does not limit them",
      "warning",
      "refuse long bodies in the backend",
    ),
    "spec.compress": lost("compression is the setting compression, and compressionPolicy", "info"),
    "spec.contentType": ignored,
    "spec.retry.attempts": carried,
    "spec.retry.initialInterval": lost("the time between tries is Envoy's", "info"),
    "spec.circuitBreaker": lost(
      "a backend that fails is asked again",
      "warning",
      "set the circuit breakers of the Service",
    ),
    "spec.errors": lost("answers of the backend are sent on as they are"),
    "spec.grpcWeb": lost("gRPC-Web is there for all hosts", "info"),
    "spec.passTLSClientCert": lost(
      "the certificate is not in X-Forwarded-Tls-Client-Cert",
      "warning",
      "set tls.clientValidation.forwardClientCertificate",
    ),
    "spec.encodedCharacters": restricts("refuses characters of paths"),
    "spec.plugin": restricts(
      "is a plugin, of which it is not known what it does",
      "write by hand what it does",
    ),
    "spec.chain.middlewares": carried,
  },
  prefixes,
};

export const tlsOptionTable: KindTable = {
  fields: {
    "spec.minVersion": carried,
    "spec.maxVersion": carried,
    "spec.clientAuth.secretNames": carried,
    "spec.clientAuth.clientAuthType": carried,
    "spec.cipherSuites": lost("the ciphers of the settings hold", "warning", "set tls.cipherSuites"),
    "spec.curvePreferences": lost("the curves of the settings hold", "info"),
    "spec.sniStrict": ignored,
    "spec.alpnProtocols": lost("the protocols of the settings hold", "info"),
    "spec.preferServerCipherSuites": ignored,
    "spec.disableSessionTickets": ignored,
  },
};

export const tlsStoreTable: KindTable = {
  fields: {
    "spec.defaultCertificate.secretName": carried,
    "spec.certificates": lost("certificates are named by each host"),
    "spec.defaultGeneratedCert": lost("certificates are made by cert-manager"),
  },
};

export const transportTable: KindTable = {
  fields: {
    "spec.insecureSkipVerify": carried,
    "spec.serverName": carried,
    "spec.rootCAsSecrets": carried,
    "spec.rootCAs": carried,
    "spec.certificatesSecrets": lost(
      "a client certificate for backends is a setting, for all of them",
      "warning",
      "set tls.envoyClientCertificate",
    ),
    "spec.forwardingTimeouts": lost("timeouts of connections are settings", "info"),
    "spec.maxIdleConnsPerHost": ignored,
    "spec.disableHTTP2": ignored,
    "spec.peerCertURI": lost("the name of the certificate is compared, and no URI", "error"),
    "spec.spiffe": lost("SPIFFE is not there for backends", "error"),
    "spec.cipherSuites": ignored,
    "spec.minVersion": ignored,
    "spec.maxVersion": ignored,
  },
};

export const traefikServiceTable: KindTable = {
  fields: {
    ...serviceRows("spec.weighted.services[]"),
    "spec.weighted.sticky": changed("the cookie is X-Contour-Session-Affinity for the path /", "warning"),
    ...serviceRows("spec.mirroring"),
    ...serviceRows("spec.mirroring.mirrors[]"),
    "spec.mirroring.mirrorBody": lost("copies have the body", "info"),
    "spec.mirroring.maxBodySize": ignored,
    "spec.highestRandomWeight": restricts("is not converted"),
    "spec.failover": restricts("is not converted"),
  },
};

export const ingressTable: KindTable = {
  fields: ingressFields,
  annotations: {
    [classAnnotation]: ignored,
    [`${annotationPrefix}router.entrypoints`]: carried,
    [`${annotationPrefix}router.tls`]: carried,
    [`${annotationPrefix}router.tls.certresolver`]: changed(
      "certificates are made by cert-manager",
      "warning",
    ),
    [`${annotationPrefix}router.tls.options`]: carried,
    [`${annotationPrefix}router.middlewares`]: carried,
    [`${annotationPrefix}router.priority`]: carried,
    [`${annotationPrefix}router.pathmatcher`]: carried,
    [`${annotationPrefix}router.observability.accesslogs`]: ignored,
    [`${annotationPrefix}router.observability.metrics`]: ignored,
    [`${annotationPrefix}router.observability.tracing`]: ignored,
  },
  prefixes: [annotationPrefix],
};
