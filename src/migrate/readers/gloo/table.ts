import { carried, changed, ignored, type KindTable, lost, type Row, restricts } from "../../table.js";

const custom = "write by hand what it does: authorization, jwtProviders, ipAllowPolicy";

/** The `options` of a route or a virtual host. */
const options = (at: string): Record<string, Row> => ({
  [`${at}.prefixRewrite`]: carried,
  [`${at}.hostRewrite`]: carried,
  [`${at}.autoHostRewrite`]: lost("the backend gets the host of the request"),
  [`${at}.regexRewrite.pattern.regex`]: carried,
  [`${at}.regexRewrite.pattern.googleRe2`]: ignored,
  [`${at}.regexRewrite.substitution`]: carried,
  [`${at}.timeout`]: carried,
  [`${at}.idleTimeout`]: carried,
  [`${at}.retries.retryOn`]: carried,
  [`${at}.retries.numRetries`]: carried,
  [`${at}.retries.perTryTimeout`]: carried,
  [`${at}.retries.retryBackOff`]: lost("the time between tries is Envoy's", "info"),
  [`${at}.headerManipulation.requestHeadersToAdd`]: carried,
  [`${at}.headerManipulation.requestHeadersToRemove`]: carried,
  [`${at}.headerManipulation.responseHeadersToAdd`]: carried,
  [`${at}.headerManipulation.responseHeadersToRemove`]: carried,
  [`${at}.cors.allowOrigin`]: carried,
  [`${at}.cors.allowOriginRegex`]: carried,
  [`${at}.cors.allowMethods`]: carried,
  [`${at}.cors.allowHeaders`]: carried,
  [`${at}.cors.exposeHeaders`]: carried,
  [`${at}.cors.maxAge`]: carried,
  [`${at}.cors.allowCredentials`]: carried,
  [`${at}.cors.disableForRoute`]: lost("CORS is of a whole host"),
  [`${at}.lbHash.hashPolicies`]: carried,
  [`${at}.shadowing.upstream`]: carried,
  [`${at}.shadowing.percentage`]: carried,
  [`${at}.upgrades`]: carried,
  [`${at}.faults`]: lost("faults for tests are left out"),
  [`${at}.stats`]: lost("statistics of a host are Envoy's", "info"),
  [`${at}.tracing`]: lost("tracing is a setting", "info"),
  [`${at}.bufferPerRoute`]: lost("Envoy streams bodies and does not limit them"),
  [`${at}.envoyMetadata`]: ignored,
  [`${at}.maxStreamDuration`]: lost("streams have no time limit"),
  [`${at}.transformations`]: restricts("is a template, which may refuse requests", custom),
  [`${at}.stagedTransformations`]: restricts("is a template, which may refuse requests", custom),
  [`${at}.extauth`]: restricts("asks a service about requests", custom),
  [`${at}.extensions`]: restricts("is an extension, of which it is not known what it does", custom),
  [`${at}.jwt`]: restricts("asks for tokens", custom),
  [`${at}.jwtStaged`]: restricts("asks for tokens", custom),
  [`${at}.rbac`]: restricts("lets some clients in alone", custom),
  [`${at}.waf`]: restricts("is a web application firewall", custom),
  [`${at}.csrf`]: restricts("refuses requests of other origins", custom),
  [`${at}.dlp`]: restricts("hides data in answers", custom),
  [`${at}.extProc`]: restricts("asks a service about requests", custom),
  [`${at}.ratelimit`]: restricts("limits requests", "write rateLimitPolicy"),
  [`${at}.ratelimitBasic`]: restricts("limits requests", "write rateLimitPolicy"),
  [`${at}.ratelimitEarly`]: restricts("limits requests", "write rateLimitPolicy"),
  [`${at}.ratelimitRegular`]: restricts("limits requests", "write rateLimitPolicy"),
  [`${at}.rateLimitConfigs`]: restricts("limits requests", "write rateLimitPolicy"),
  [`${at}.rateLimitEarlyConfigs`]: restricts("limits requests", "write rateLimitPolicy"),
  [`${at}.rateLimitRegularConfigs`]: restricts("limits requests", "write rateLimitPolicy"),
  [`${at}.includeRequestAttemptCount`]: ignored,
  [`${at}.includeAttemptCountInResponse`]: ignored,
});

const routes = (at: string): Record<string, Row> => ({
  [`${at}.name`]: ignored,
  [`${at}.matchers[].prefix`]: carried,
  [`${at}.matchers[].exact`]: carried,
  [`${at}.matchers[].regex`]: carried,
  [`${at}.matchers[].caseSensitive`]: carried,
  [`${at}.matchers[].headers`]: carried,
  [`${at}.matchers[].queryParameters`]: carried,
  [`${at}.matchers[].methods`]: carried,
  [`${at}.matchers[].connectMatcher`]: restricts("takes CONNECT requests, which can't be said"),
  [`${at}.inheritableMatchers`]: restricts("adds matches of the parent, which are not converted"),
  [`${at}.inheritablePathMatchers`]: restricts("adds matches of the parent, which are not converted"),
  [`${at}.routeAction.single`]: carried,
  [`${at}.routeAction.multi.destinations`]: carried,
  [`${at}.routeAction.upstreamGroup`]: carried,
  [`${at}.redirectAction`]: carried,
  [`${at}.directResponseAction`]: carried,
  [`${at}.delegateAction`]: carried,
  [`${at}.optionsConfigRefs`]: restricts(
    "refers to options that are not converted",
    "write them into the route",
  ),
  ...options(`${at}.options`),
});

export const virtualServiceTable: KindTable = {
  fields: {
    "spec.displayName": ignored,
    "spec.namespacedStatuses": ignored,
    "spec.virtualHost.domains": carried,
    ...routes("spec.virtualHost.routes[]"),
    ...options("spec.virtualHost.options"),
    "spec.virtualHost.optionsConfigRefs": restricts(
      "refers to options that are not converted",
      "write them into the virtual host",
    ),
    "spec.sslConfig.secretRef": carried,
    "spec.sslConfig.sniDomains": changed("the certificate is for the domains of the virtual host"),
    "spec.sslConfig.parameters.minimumProtocolVersion": carried,
    "spec.sslConfig.parameters": lost("ciphers and curves of the settings hold"),
    "spec.sslConfig.alpnProtocols": lost("the protocols of the settings hold", "info"),
    "spec.sslConfig.verifySubjectAltName": restricts(
      "compares names of client certificates, which HTTPProxy does not",
    ),
    "spec.sslConfig.oneWayTls": carried,
    "spec.sslConfig.sds": restricts("takes certificates of a server, which is not asked"),
    "spec.sslConfig.sslFiles": restricts("is files of the proxy", "name a Secret in secretRef"),
    "spec.sslConfig.disableTlsSessionResumption": ignored,
    "spec.sslConfig.transportSocketConnectTimeout": ignored,
  },
};

export const routeTableTable: KindTable = {
  fields: { "spec.weight": carried, "spec.namespacedStatuses": ignored, ...routes("spec.routes[]") },
};

export const upstreamTable: KindTable = {
  fields: {
    "spec.kube.serviceName": carried,
    "spec.kube.serviceNamespace": carried,
    "spec.kube.servicePort": carried,
    "spec.kube.selector": changed("all endpoints of the Service are used", "warning"),
    "spec.kube.serviceSpec": ignored,
    "spec.static": carried,
    "spec.consul": carried,
    "spec.aws": carried,
    "spec.azure": carried,
    "spec.gcp": carried,
    "spec.sslConfig": carried,
    "spec.useHttp2": carried,
    "spec.discoveryMetadata": ignored,
    "spec.namespacedStatuses": ignored,
    "spec.healthChecks": lost(
      "endpoints are not asked for their health",
      "warning",
      "write healthCheckPolicy",
    ),
    "spec.outlierDetection": lost("endpoints are not taken out after failures"),
    "spec.circuitBreakers": lost("circuit breakers are annotations of the Service"),
    "spec.loadBalancerConfig": lost("requests are sent round robin", "warning", "write loadBalancerPolicy"),
    "spec.connectionConfig": lost("timeouts of connections are settings", "info"),
    "spec.failover": lost("there is no second choice for endpoints"),
  },
};

export const upstreamGroupTable: KindTable = {
  fields: { "spec.destinations": carried, "spec.namespacedStatuses": ignored },
};

/** Objects that attach options to other objects. */
export const policyTable: KindTable = {
  fields: { spec: restricts("is not converted, and what it is for is left out", custom) },
};
