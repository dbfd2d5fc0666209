import { proofs } from "./proofs.js";
import { proved, type Row, shown, tested } from "./row.js";

const reason = (type: string, name: string, golden: string, ...words: readonly string[]): Row =>
  shown(`${type}/${name}`, `the reason ${name}`, golden, `reason: ${name}`, ...words);
/** The schema refuses it before, as the cluster's CRDs do. */
const refused = (type: string, name: string, golden: string, ...words: readonly string[]): Row =>
  shown(
    `${type}/${name}`,
    `refused by the schema in place of ${name}`,
    golden,
    "type: SchemaError",
    ...words,
  );

const authorization: readonly Row[] = [
  refused("AuthError", "AuthBadAllowedHeader", "reasons/authorization", "allowedAuthorizationHeaders[0]"),
  reason("AuthError", "AuthBadResourceVersion", "authorization/invalid"),
  reason("AuthError", "AuthContextForHTTP", "authorization/invalid"),
  reason("AuthError", "AuthNotPermitted", "authorization/invalid"),
  reason("AuthError", "AuthResponseTimeoutInvalid", "reasons/authorization"),
  reason("AuthError", "ExtensionServiceNotFound", "authorization/invalid"),
];

const filters: readonly Row[] = [
  reason("CORSError", "PolicyDidNotParse", "cors/policies"),
  reason("IPFilterError", "IPFilterPolicyNotValid", "ip-filter/host-and-route"),
  reason("IPFilterError", "IncompatibleIPAddressFilters", "ip-filter/host-and-route"),
  reason("IPFilterError", "InvalidCIDR", "ip-filter/host-and-route"),
];

const includes: readonly Row[] = [
  reason("IncludeError", "DuplicateMatchConditions", "includes/failures"),
  reason("IncludeError", "IncludeCreatesCycle", "includes/failures"),
  reason("IncludeError", "IncludeNotFound", "includes/failures"),
  reason("IncludeError", "PathMatchConditionsNotValid", "fields/every-place", "type: IncludeError"),
  reason("IncludeError", "RootIncludesRoot", "includes/failures"),
];

const jwt = "JWTVerificationError";
const tokens: readonly Row[] = [
  reason(jwt, "DuplicateProviderName", "jwt/invalid"),
  reason(jwt, "InvalidJWTVerificationPolicy", "jwt/invalid"),
  refused(jwt, "JWKSSourceConflict", "reasons/jwt", "HTTPProxy/default/conflict"),
  refused(jwt, "JWKSSourceMissing", "reasons/jwt", "HTTPProxy/default/no-source"),
  reason(jwt, "JWTProviderNotDefined", "jwt/invalid"),
  reason(jwt, "JWTVerificationNotPermitted", "jwt/invalid"),
  reason(jwt, "LocalJWKSInvalid", "jwt/invalid"),
  reason(jwt, "MultipleDefaultProvidersSpecified", "jwt/invalid"),
  reason(jwt, "RemoteJWKSCACertificateNotDelegated", "reasons/jwt"),
  refused(jwt, "RemoteJWKSCacheDurationInvalid", "reasons/jwt", "remoteJWKS.cacheDuration"),
  refused(jwt, "RemoteJWKSDNSLookupFamilyInvalid", "reasons/jwt", "remoteJWKS.dnsLookupFamily"),
  reason(jwt, "RemoteJWKSPortInvalid", "jwt/invalid"),
  reason(jwt, "RemoteJWKSSchemeInvalid", "jwt/invalid"),
  refused(jwt, "RemoteJWKSTimeoutInvalid", "reasons/jwt", "remoteJWKS.timeout"),
  reason(jwt, "RemoteJWKSURIInvalid", "reasons/jwt"),
  reason(jwt, "RemoteJWKSUpstreamValidationInvalid", "jwt/invalid"),
];

const roots: readonly Row[] = [
  shown(
    "ListenerError/ErrorIdentifyingListener",
    "no HTTP or no HTTPS listener",
    ["gateway-listeners/without-http-listener", "gateway-listeners/without-https-listener"],
    "ErrorIdentifyingListener",
  ),
  tested("Orphaned/Orphaned", "an object that nothing reaches", proofs.statusOrphans),
  reason("RootNamespaceError", "RootProxyNotAllowedInNamespace", "reasons/roots"),
  reason("SpecError", "NothingDefined", "reasons/roots"),
  reason("VirtualHostError", "DuplicateVhost", "duplicate-fqdn/two-roots"),
  refused("VirtualHostError", "FQDNNotSpecified", "reasons/roots", "HTTPProxy/default/nameless"),
  reason("VirtualHostError", "RateLimitPolicyNotValid", "rate-limit/local", "type: VirtualHostError"),
];

const routes: readonly Row[] = [
  reason("PrefixReplaceError", "MustHavePrefix", "path-rewrite/prefix-pairs"),
  reason("PrefixReplaceError", "DuplicateReplacement", "reasons/routes"),
  reason("PrefixReplaceError", "AmbiguousReplacement", "invalid-routes/drop-object"),
  reason("RouteError", "CookieRewritePoliciesInvalid", "cookie-rewrite/route-and-service"),
  reason("RouteError", "HeaderMatchConditionsNotValid", "reasons/routes"),
  reason("RouteError", "HealthCheckPolicyInvalid", "health-check/health-port-and-statuses"),
  reason("RouteError", "PathMatchConditionsNotValid", "conditions/invalid"),
  reason("RouteError", "QueryParameterMatchConditionsNotValid", "reasons/routes"),
  reason("RouteError", "RateLimitPolicyNotValid", "rate-limit/global"),
  reason("RouteError", "RequestHeadersPolicyInvalid", "reasons/routes"),
  reason("RouteError", "RequestRedirectPolicy", "reasons/routes"),
  reason("RouteError", "ResponseHeaderPolicyInvalid", "reasons/routes"),
  reason("RouteError", "RouteActionCountNotValid", "reasons/routes"),
  reason("RouteError", "TimeoutPolicyNotValid", "reasons/routes"),
];

const services: readonly Row[] = [
  reason("ServiceError", "OnlyOneMirror", "mirror/one-and-two"),
  reason("ServiceError", "RequestHeadersPolicyInvalid", "reasons/services"),
  reason("ServiceError", "ResponseHeadersPolicyInvalid", "reasons/services"),
  refused("ServiceError", "ServicePortInvalid", "reasons/services", "found 70000"),
  reason("ServiceError", "ServiceUnresolvedReference", "reasons/services"),
  reason("ServiceError", "SlowStartInvalid", "slow-start/windows"),
  reason("ServiceError", "TLSUpstreamValidation", "upstream-validation/protocols"),
  refused("ServiceError", "UnsupportedProtocol", "reasons/services", 'found "h3"'),
];

const connections: readonly Row[] = [
  reason("TCPProxyError", "NoServicesAndInclude", "reasons/tcpproxy"),
  reason("TCPProxyError", "NothingDefined", "reasons/tcpproxy"),
  reason("TCPProxyError", "ServiceUnresolvedReference", "reasons/tcpproxy"),
  reason("TCPProxyError", "TLSMustBeConfigured", "tcpproxy/passthrough-and-terminated"),
  reason("TCPProxyIncludeError", "IncludeCreatesCycle", "reasons/tcpproxy"),
  reason("TCPProxyIncludeError", "IncludeNotFound", "reasons/tcpproxy"),
  reason("TCPProxyIncludeError", "RootIncludesRoot", "reasons/tcpproxy"),
  reason("TCPProxyError (warning)", "IgnoredField", "reasons/tcpproxy", "severity: warning"),
  reason("SpecError (warning)", "IgnoredField", "load-balancer/hash-entries", "severity: warning"),
];

const tls: readonly Row[] = [
  reason("TLSError", "CACertificateNotDelegated", "upstream-validation/protocols"),
  reason("TLSError", "ClientValidationInvalid", "client-validation/invalid"),
  reason("TLSError", "DelegationNotPermitted", "tls/delegation"),
  reason("TLSError", "FallbackNotDelegated", "fallback-certificate/not-delegated"),
  reason("TLSError", "FallbackNotPresent", "fallback-certificate/not-configured"),
  reason("TLSError", "FallbackNotValid", "reasons/tls"),
  reason("TLSError", "SecretNotValid", "reasons/tls"),
  reason("TLSError", "TLSConfigNotValid", "reasons/tls", "neither Passthrough nor SecretName"),
  reason("TLSError", "TLSIncompatibleFeatures", "fallback-certificate/opted-in"),
];

const extensions: readonly Row[] = [
  reason("ExtensionService ServiceError", "ServiceUnresolvedReference", "extension-service/invalid"),
  reason("ExtensionService ServiceError", "UnsupportedServiceType", "extension-service/invalid"),
  reason("ExtensionService SpecError", "InconsistentProtocol", "extension-service/invalid"),
  reason("ExtensionService SpecError", "TLSUpstreamValidation", "extension-service/invalid"),
  reason("ExtensionService SpecError", "TimeoutPolicyNotValid", "reasons/extension-service"),
  reason("ExtensionService TLSError", "CACertificateNotDelegated", "extension-service/invalid"),
  reason("ExtensionService TLSError", "SecretNotValid", "reasons/extension-service"),
  reason("ExtensionService SpecError (warning)", "IgnoredField", "extension-service/invalid"),
];

const written: readonly Row[] = [
  tested("HTTPProxy status", "valid", proofs.statusValid),
  tested("HTTPProxy status", "invalid, with each error and warning", proofs.statusInvalid),
  tested("HTTPProxy status", "of what can't be read", proofs.statusUnreadable),
  tested("HTTPProxy status", "orphaned", proofs.statusOrphans),
  tested("HTTPProxy status", "of another class: none", proofs.statusForeign),
  tested("ExtensionService status", "the condition Valid", proofs.statusExtension),
  proved(
    shown("IngressRoute status", "one word and one error", "reasons/ingressroute", "type: IngressRouteError"),
    proofs.statusIngressRoute,
  ),
  tested("load balancer status", "by the setting", proofs.statusIngress, proofs.statusValid),
  tested("load balancer status", "by Envoy's Service", proofs.addresses),
  tested("conditions of the Gateway API", "of gateways and routes", {
    file: "test/unit/gateway-status.test.ts",
    title: "a Gateway tells of each listener, and has addresses",
  }),
];

/** Types and reasons of statuses. */
export const statusRows: readonly Row[] = [
  ...written,
  ...authorization,
  ...filters,
  ...includes,
  ...tokens,
  ...roots,
  ...routes,
  ...services,
  ...connections,
  ...tls,
  ...extensions,
];
