import { carried, changed, ignored, type KindTable, lost, type Row, restricts } from "../../table.js";

const headers = (at: string): Record<string, Row> => ({
  [`${at}.request.set`]: carried,
  [`${at}.request.add`]: carried,
  [`${at}.request.remove`]: carried,
  [`${at}.response.set`]: carried,
  [`${at}.response.add`]: carried,
  [`${at}.response.remove`]: carried,
});

const http = "spec.http[]";
const one = `${http}.match[]`;

export const virtualServiceTable: KindTable = {
  fields: {
    "spec.hosts": carried,
    "spec.gateways": carried,
    "spec.exportTo": ignored,
    [`${http}.name`]: ignored,
    [`${one}.name`]: ignored,
    [`${one}.uri`]: carried,
    [`${one}.ignoreUriCase`]: carried,
    [`${one}.scheme`]: carried,
    [`${one}.method`]: carried,
    [`${one}.authority`]: carried,
    [`${one}.headers`]: carried,
    [`${one}.withoutHeaders`]: carried,
    [`${one}.queryParams`]: carried,
    [`${one}.port`]: carried,
    [`${one}.gateways`]: carried,
    [`${one}.sourceLabels`]: carried,
    [`${one}.sourceNamespace`]: carried,
    [`${one}.statPrefix`]: ignored,
    [`${http}.route[].destination.host`]: carried,
    [`${http}.route[].destination.subset`]: carried,
    [`${http}.route[].destination.port.number`]: carried,
    [`${http}.route[].weight`]: carried,
    ...headers(`${http}.route[].headers`),
    ...headers(`${http}.headers`),
    [`${http}.redirect.uri`]: carried,
    [`${http}.redirect.authority`]: carried,
    [`${http}.redirect.port`]: carried,
    [`${http}.redirect.derivePort`]: ignored,
    [`${http}.redirect.scheme`]: carried,
    [`${http}.redirect.redirectCode`]: carried,
    [`${http}.directResponse.status`]: carried,
    [`${http}.directResponse.body.string`]: carried,
    [`${http}.directResponse.body.bytes`]: lost("a body of bytes is left out"),
    [`${http}.delegate.name`]: carried,
    [`${http}.delegate.namespace`]: carried,
    [`${http}.rewrite.uri`]: carried,
    [`${http}.rewrite.authority`]: carried,
    [`${http}.rewrite.uriRegexRewrite.match`]: carried,
    [`${http}.rewrite.uriRegexRewrite.rewrite`]: carried,
    [`${http}.timeout`]: carried,
    [`${http}.retries.attempts`]: carried,
    [`${http}.retries.perTryTimeout`]: carried,
    [`${http}.retries.retryOn`]: carried,
    [`${http}.retries.retryRemoteLocalities`]: ignored,
    [`${http}.retries.retryIgnorePreviousHosts`]: ignored,
    [`${http}.retries.backoff`]: lost("the time between tries is Envoy's", "info"),
    [`${http}.fault.abort`]: carried,
    [`${http}.fault.delay`]: lost("requests are not held back"),
    [`${http}.mirror.host`]: carried,
    [`${http}.mirror.subset`]: carried,
    [`${http}.mirror.port`]: carried,
    [`${http}.mirrorPercentage`]: carried,
    [`${http}.mirrorPercent`]: carried,
    [`${http}.mirrors[].destination`]: carried,
    [`${http}.mirrors[].percentage`]: carried,
    [`${http}.corsPolicy.allowOrigins`]: carried,
    [`${http}.corsPolicy.allowOrigin`]: carried,
    [`${http}.corsPolicy.allowMethods`]: carried,
    [`${http}.corsPolicy.allowHeaders`]: carried,
    [`${http}.corsPolicy.exposeHeaders`]: carried,
    [`${http}.corsPolicy.maxAge`]: carried,
    [`${http}.corsPolicy.allowCredentials`]: carried,
    [`${http}.corsPolicy.unmatchedPreflights`]: lost(
      "preflights of other origins get to the backend",
      "info",
    ),
    "spec.tls[].match": carried,
    "spec.tls[].route": carried,
    "spec.tcp[].match": carried,
    "spec.tcp[].route": carried,
  },
};

export const gatewayTable: KindTable = {
  fields: {
    "spec.selector": ignored,
    "spec.servers[].name": ignored,
    "spec.servers[].bind": lost("listeners are on the addresses of the settings", "info"),
    "spec.servers[].defaultEndpoint": ignored,
    "spec.servers[].port.number": carried,
    "spec.servers[].port.name": ignored,
    "spec.servers[].port.protocol": carried,
    "spec.servers[].port.targetPort": ignored,
    "spec.servers[].hosts": carried,
    "spec.servers[].tls.httpsRedirect": carried,
    "spec.servers[].tls.mode": carried,
    "spec.servers[].tls.credentialName": carried,
    "spec.servers[].tls.credentialNames": restricts(
      "several certificates of one host are not there",
      "name one in credentialName",
    ),
    "spec.servers[].tls.minProtocolVersion": carried,
    "spec.servers[].tls.maxProtocolVersion": carried,
    "spec.servers[].tls.cipherSuites": lost(
      "the ciphers of the settings hold",
      "warning",
      "set tls.cipherSuites",
    ),
    "spec.servers[].tls.subjectAltNames": restricts(
      "compares names of client certificates, which HTTPProxy does not",
    ),
    "spec.servers[].tls.verifyCertificateSpki": restricts(
      "lets single client certificates in, which HTTPProxy does not",
    ),
    "spec.servers[].tls.verifyCertificateHash": restricts(
      "lets single client certificates in, which HTTPProxy does not",
    ),
    "spec.servers[].tls.caCrl": restricts("is a file of the gateway with revoked certificates"),
    "spec.servers[].tls.caCertificates": restricts(
      "is a file of the gateway",
      "name a Secret in credentialName",
    ),
    "spec.servers[].tls.serverCertificate": changed(
      "is a file of the gateway",
      "error",
      "name a Secret in credentialName",
    ),
    "spec.servers[].tls.privateKey": changed(
      "is a file of the gateway",
      "error",
      "name a Secret in credentialName",
    ),
  },
};

const policy = (at: string): Record<string, Row> => ({
  [`${at}.tls.mode`]: carried,
  [`${at}.tls.credentialName`]: carried,
  [`${at}.tls.subjectAltNames`]: carried,
  [`${at}.tls.sni`]: carried,
  [`${at}.tls.caCertificates`]: lost(
    "is a file of the gateway: the backend is not verified",
    "warning",
    "name a Secret in credentialName",
  ),
  [`${at}.tls.clientCertificate`]: lost(
    "a client certificate for backends is a setting, for all of them",
    "warning",
    "set tls.envoyClientCertificate",
  ),
  [`${at}.tls.privateKey`]: ignored,
  [`${at}.tls.insecureSkipVerify`]: ignored,
  [`${at}.loadBalancer.simple`]: carried,
  [`${at}.loadBalancer.consistentHash`]: carried,
  [`${at}.loadBalancer.localityLbSetting`]: lost("zones are not looked at", "info"),
  [`${at}.loadBalancer.warmup`]: lost(
    "new endpoints get their share at once",
    "info",
    "write slowStartPolicy",
  ),
  [`${at}.loadBalancer.warmupDurationSecs`]: lost(
    "new endpoints get their share at once",
    "info",
    "write slowStartPolicy",
  ),
  [`${at}.connectionPool`]: lost(
    "circuit breakers are annotations of the Service",
    "warning",
    "annotate the Service with projectcontour.io/max-connections and others",
  ),
  [`${at}.outlierDetection`]: lost("endpoints are not taken out after failures"),
  [`${at}.portLevelSettings`]: lost("settings of a port are not converted", "error"),
  [`${at}.tunnel`]: lost("there is no tunnel", "error"),
  [`${at}.proxyProtocol`]: lost("the PROXY protocol is not spoken to backends", "error"),
});

export const destinationRuleTable: KindTable = {
  fields: {
    "spec.host": carried,
    "spec.exportTo": ignored,
    "spec.workloadSelector": ignored,
    ...policy("spec.trafficPolicy"),
    "spec.subsets[].name": carried,
    "spec.subsets[].labels": carried,
    ...policy("spec.subsets[].trafficPolicy"),
  },
};

const refused = restricts(
  "keeps requests out at the gateway, and is not converted",
  "write by hand what it does: jwtProviders, ipAllowPolicy, authorization",
);

/** Kinds that restrict requests and are not converted. */
export const policyTable: KindTable = { fields: { spec: refused } };
