import { carried, changed, ignored, type KindTable, lost, type Row, restricts } from "../../table.js";

const id: Record<string, Row> = { "spec.ambassador_id": ignored };
const breakers = lost(
  "circuit breakers are annotations of the Service",
  "warning",
  "annotate the Service with projectcontour.io/max-connections and others",
);

export const mappingTable: KindTable = {
  fields: {
    ...id,
    "spec.prefix": carried,
    "spec.prefix_exact": carried,
    "spec.prefix_regex": carried,
    "spec.case_sensitive": carried,
    "spec.hostname": carried,
    "spec.host": carried,
    "spec.host_regex": carried,
    "spec.rewrite": carried,
    "spec.regex_rewrite.pattern": carried,
    "spec.regex_rewrite.substitution": carried,
    "spec.service": carried,
    "spec.tls": carried,
    "spec.method": carried,
    "spec.method_regex": carried,
    "spec.headers": carried,
    "spec.regex_headers": carried,
    "spec.query_parameters": carried,
    "spec.regex_query_parameters": carried,
    "spec.timeout_ms": carried,
    "spec.idle_timeout_ms": carried,
    "spec.connect_timeout_ms": lost(
      "Isoline has one timeout for connecting, the setting timeouts.connectTimeout",
      "info",
    ),
    "spec.cluster_idle_timeout_ms": lost("connections to backends are kept as long as Envoy does", "info"),
    "spec.cluster_max_connection_lifetime_ms": lost(
      "connections to backends are kept as long as Envoy does",
      "info",
    ),
    "spec.cluster_tag": ignored,
    "spec.stats_name": ignored,
    "spec.retry_policy.retry_on": carried,
    "spec.retry_policy.num_retries": carried,
    "spec.retry_policy.per_try_timeout": carried,
    "spec.add_request_headers": carried,
    "spec.add_response_headers": carried,
    "spec.remove_request_headers": carried,
    "spec.remove_response_headers": carried,
    "spec.host_rewrite": carried,
    "spec.auto_host_rewrite": lost("the backend gets the host of the request"),
    "spec.host_redirect": carried,
    "spec.path_redirect": carried,
    "spec.prefix_redirect": carried,
    "spec.regex_redirect": restricts(
      "redirects by a regular expression, which can't be said",
      "write a redirect of HTTPProxy by hand",
    ),
    "spec.redirect_response_code": carried,
    "spec.shadow": carried,
    "spec.weight": carried,
    "spec.priority": ignored,
    "spec.precedence": carried,
    "spec.cors": carried,
    "spec.load_balancer": carried,
    "spec.circuit_breakers": breakers,
    "spec.allow_upgrade": carried,
    "spec.use_websocket": carried,
    "spec.grpc": carried,
    "spec.bypass_auth": carried,
    "spec.auth_context_extensions": lost("the authorization service is not told of the route", "error"),
    "spec.bypass_error_response_overrides": ignored,
    "spec.error_response_overrides": lost("answers of Envoy are sent as they are"),
    "spec.labels": lost("rate limits are not converted", "warning", "write rateLimitPolicy.global"),
    "spec.outlier_detection": lost("endpoints are not taken out after failures"),
    "spec.health_checks": lost(
      "endpoints are not asked for their health",
      "warning",
      "write healthCheckPolicy",
    ),
    "spec.keepalive": lost("TCP keepalives are Envoy's", "info"),
    "spec.enable_ipv4": ignored,
    "spec.enable_ipv6": ignored,
    "spec.respect_dns_ttl": ignored,
    "spec.dns_type": ignored,
    "spec.resolver": changed(
      "endpoints are those of the setting endpoints",
      "info",
      "set endpoints: service for the addresses of Services",
    ),
    "spec.envoy_override": restricts(
      "is configuration of Envoy, which is not read",
      "write by hand what it does",
    ),
    "spec.modules": restricts("is not converted"),
    "spec.docs": ignored,
    "spec.v2ExplicitTLS": ignored,
    "spec.v2BoolHeaders": carried,
    "spec.v2BoolQueryParameters": carried,
  },
};

export const hostTable: KindTable = {
  fields: {
    ...id,
    "spec.hostname": carried,
    "spec.tlsSecret.name": carried,
    "spec.tlsSecret.namespace": carried,
    "spec.tlsContext.name": carried,
    "spec.tls.min_tls_version": carried,
    "spec.tls.max_tls_version": carried,
    "spec.tls.ca_secret": carried,
    "spec.tls.cert_required": carried,
    "spec.tls.crl_secret": carried,
    "spec.tls.alpn_protocols": lost("the protocols of the settings hold", "info"),
    "spec.tls.cipher_suites": lost("the ciphers of the settings hold", "warning", "set tls.cipherSuites"),
    "spec.tls.ecdh_curves": lost("the curves of the settings hold", "info"),
    "spec.requestPolicy.insecure.action": carried,
    "spec.requestPolicy.insecure.additionalPort": ignored,
    "spec.mappingSelector": carried,
    "spec.selector": carried,
    "spec.acmeProvider.authority": changed("certificates are made by cert-manager", "info"),
    "spec.acmeProvider": changed(
      "certificates are made by cert-manager",
      "warning",
      "make a Certificate of cert-manager with the name of the Secret in the result",
    ),
    "spec.previewUrl": ignored,
  },
};

export const contextTable: KindTable = {
  fields: {
    ...id,
    "spec.hosts": carried,
    "spec.secret": carried,
    "spec.ca_secret": carried,
    "spec.crl_secret": carried,
    "spec.cert_required": carried,
    "spec.secret_namespacing": ignored,
    "spec.min_tls_version": carried,
    "spec.max_tls_version": carried,
    "spec.alpn_protocols": lost("the protocols of the settings hold", "info"),
    "spec.cipher_suites": lost("the ciphers of the settings hold", "warning", "set tls.cipherSuites"),
    "spec.ecdh_curves": lost("the curves of the settings hold", "info"),
    "spec.redirect_cleartext_from": ignored,
    "spec.sni": lost("the server name for backends is that of the request", "warning"),
    "spec.cert_chain_file": lost("is a file of the proxy", "error"),
    "spec.private_key_file": lost("is a file of the proxy", "error"),
    "spec.cacert_chain_file": restricts("is a file of the proxy"),
  },
};

export const authTable: KindTable = {
  fields: {
    ...id,
    "spec.auth_service": carried,
    "spec.proto": carried,
    "spec.protocol_version": ignored,
    "spec.path_prefix": carried,
    "spec.timeout_ms": carried,
    "spec.tls": restricts(
      "the authorization service is asked without TLS",
      "write an ExtensionService with protocol h2 and validation",
    ),
    "spec.allowed_request_headers": carried,
    "spec.allowed_authorization_headers": carried,
    "spec.include_body.max_bytes": carried,
    "spec.include_body.allow_partial": carried,
    "spec.failure_mode_allow": carried,
    "spec.status_on_error": lost("without an answer of the service requests get 403", "info"),
    "spec.add_auth_headers": restricts("headers for the authorization service can't be added"),
    "spec.add_linkerd_headers": lost("no header l5d-dst-override is set", "info"),
    "spec.circuit_breakers": breakers,
    "spec.stats_name": ignored,
  },
};

const inSettings = (name: string): Row => lost("is a setting", "warning", `set ${name}`);

export const moduleTable: KindTable = {
  fields: {
    ...id,
    "spec.config.cluster_request_timeout_ms": carried,
    "spec.config.ip_allow": restricts(
      "lets addresses in at every listener, and is not converted",
      "write ipAllowPolicy of each host",
    ),
    "spec.config.ip_deny": restricts(
      "keeps addresses out at every listener, and is not converted",
      "write ipDenyPolicy of each host",
    ),
    "spec.config.lua_scripts": restricts("is a script, which is not read"),
    "spec.config.defaults": lost(
      "defaults of Mappings are not converted",
      "error",
      "write them into each Mapping",
    ),
    "spec.config.auth_enabled": ignored,
    "spec.config.xff_num_trusted_hops": inSettings("network.numTrustedHops"),
    "spec.config.use_remote_address": ignored,
    "spec.config.retry_policy": lost(
      "retries of all Mappings are not converted",
      "warning",
      "write retryPolicy",
    ),
    "spec.config.cors": lost("CORS of all Mappings is not converted", "warning", "write corsPolicy"),
    "spec.config.circuit_breakers": breakers,
    "spec.config.load_balancer": lost(
      "the balancing of all Mappings is not converted",
      "warning",
      "write loadBalancerPolicy",
    ),
    "spec.config.listener_idle_timeout_ms": inSettings("timeouts.connectionIdleTimeout"),
    "spec.config.strip_matching_host_port": ignored,
    "spec.config.gzip": inSettings("compression"),
    "spec.config.diagnostics": ignored,
    "spec.config": lost("is an option of Emissary that is not converted"),
  },
};

/** Kinds that restrict requests and are not converted. */
export const filterTable: KindTable = {
  fields: {
    spec: restricts(
      "keeps requests out, and is not converted",
      "write by hand what it does: jwtProviders, authorization",
    ),
  },
};

/** Kinds whose counterpart is a setting. */
export const serviceTable: KindTable = {
  fields: { spec: lost("is a setting", "warning", "set rateLimitService, tracing or accessLog") },
};

export const listenerTable: KindTable = {
  fields: {
    ...id,
    "spec.port": changed("ports are those of the settings http and https, 80 and 443 in front of them"),
    "spec.protocol": carried,
    "spec.protocolStack": carried,
    "spec.securityModel": carried,
    "spec.l7Depth": lost("is a setting", "warning", "set network.numTrustedHops"),
    "spec.hostBinding": carried,
    "spec.statsPrefix": ignored,
  },
};

export const tcpTable: KindTable = {
  fields: {
    ...id,
    "spec.port": carried,
    "spec.host": carried,
    "spec.address": ignored,
    "spec.service": carried,
    "spec.weight": carried,
    "spec.tls": lost("connections to the Service are without TLS", "error"),
    "spec.idle_timeout_ms": lost("connections end after Envoy's time without bytes", "info"),
    "spec.circuit_breakers": breakers,
    "spec.resolver": ignored,
    "spec.cluster_tag": ignored,
    "spec.stats_name": ignored,
    "spec.enable_ipv4": ignored,
    "spec.enable_ipv6": ignored,
  },
};
