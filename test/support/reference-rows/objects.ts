import { leftOut, type Row, shown } from "./row.js";

export const serviceObjectRows: readonly Row[] = [
  shown(
    "Service annotations max-*",
    "circuit breakers",
    "services/circuit-breakers",
    "max_pending_requests: 2",
    "track_remaining: true",
  ),
  shown(
    "Service annotations max-*",
    "what is no number is none",
    "services/circuit-breakers",
    "max-connections: many",
    "name: default/bad/80/",
  ),
  shown(
    "Service annotation per-host-max-connections",
    "for each endpoint",
    "services/circuit-breakers",
    "per_host_thresholds:",
  ),
  shown(
    "Service annotation upstream-protocol.h2",
    "by the port's name",
    "services/protocols",
    'upstream-protocol.h2: "other,grpc"',
    "alpn_protocols:",
  ),
  shown(
    "Service annotation upstream-protocol.h2c",
    "by its number",
    "services/protocols",
    'upstream-protocol.h2c: "80"',
    "http2_protocol_options: {}",
  ),
  shown(
    "Service annotation upstream-protocol.tls",
    "TLS to the backend",
    "services/protocols",
    "upstream-protocol.tls: web",
    "UpstreamTlsContext",
  ),
  shown(
    "Service appProtocol",
    "instead of annotations",
    "services/protocols",
    "appProtocol: kubernetes.io/h2c",
    "appProtocol: example.com/own",
    "name: default/app-other/80/f95dfe1309fa1c93",
  ),
];

export const delegationRows: readonly Row[] = [
  shown(
    "TLSCertificateDelegation delegations[]",
    "a Secret for a namespace",
    "tls/delegation",
    "targetNamespaces: [default]",
    "name: certs/cert",
  ),
  shown(
    "TLSCertificateDelegation targetNamespaces",
    "any namespace, when it is the only word",
    "ingress/tls-cert-namespace",
    "elsewhere",
    "name: open/cert",
    'Secret "others/cert" is invalid',
  ),
  shown("TLSCertificateDelegation", "host certificates", "tls/delegation", "DelegationNotPermitted"),
  shown(
    "TLSCertificateDelegation",
    "client authorities",
    "client-validation/invalid",
    "caSecret: other/ca",
    "DelegationNotPermitted",
  ),
  shown(
    "TLSCertificateDelegation",
    "backend authorities",
    "upstream-validation/protocols",
    "CACertificateNotDelegated",
  ),
  shown(
    "TLSCertificateDelegation",
    "authorities of key servers",
    "reasons/jwt",
    "RemoteJWKSCACertificateNotDelegated",
  ),
  shown(
    "TLSCertificateDelegation",
    "the fallback certificate",
    "fallback-certificate/not-delegated",
    "FallbackNotDelegated",
  ),
  shown(
    "TLSCertificateDelegation",
    "authorities of an ExtensionService",
    "extension-service/invalid",
    "CACertificateNotDelegated",
  ),
  shown(
    "TLSCertificateDelegation",
    "not for Envoy's own certificate",
    "client-certificate/shown-to-tls-backends",
    "name: infra/cert",
  ),
  shown(
    "TLSCertificateDelegation",
    "never for local key sets",
    "reasons/jwt",
    "Secret default/closed/keys not found",
  ),
  leftOut("TLSCertificateDelegation status", "conditions", "Contour declares them and writes none"),
];

const extension = (field: string): string => `ExtensionService spec.${field}`;

export const extensionServiceRows: readonly Row[] = [
  shown(
    "ExtensionService metadata.name",
    "the cluster's name",
    "extension-service/weights-and-options",
    "name: extension/infra/even",
    "alt_stat_name: extension_infra_even",
  ),
  shown(
    extension("services[]"),
    "a locality each, with its weight",
    "extension-service/weights-and-options",
    "load_balancing_weight: 3",
  ),
  shown(
    extension("services[]"),
    "missing, or of another type",
    "extension-service/invalid",
    "ServiceUnresolvedReference",
    "UnsupportedServiceType",
  ),
  shown(
    extension("protocol"),
    "h2, h2c or HTTP/1.1",
    "extension-service/weights-and-options",
    "protocol: http/1.1",
    "http2_protocol_options: {}",
    "http_protocol_options: {}",
  ),
  shown(
    extension("validation"),
    "its authority and names",
    "extension-service/weights-and-options",
    "sni: one.infra",
    "trusted_ca:",
  ),
  shown(
    extension("validation"),
    "with h2 alone",
    "extension-service/invalid",
    "InconsistentProtocol",
    "TLSUpstreamValidation",
  ),
  shown(
    extension("loadBalancerPolicy"),
    "without hashes",
    "extension-service/invalid",
    "strategy: Cookie",
    "IgnoredField",
  ),
  shown(
    extension("timeoutPolicy"),
    "answers and idle connections",
    "extension-service/weights-and-options",
    "idle_timeout: 10s",
  ),
  shown(
    extension("timeoutPolicy.idle"),
    "is told to have no effect",
    "extension-service/invalid",
    "timeoutPolicy: {idle: 3s}",
    "IgnoredField",
  ),
  shown(extension("protocolVersion"), "v3", "fields/extension-service", "protocolVersion: v3"),
  shown(
    extension("circuitBreakerPolicy"),
    "limits, before the settings'",
    "extension-service/weights-and-options",
    "max_connections: 7",
  ),
  shown(
    "users of an ExtensionService",
    "authorization of all",
    "authorization/global",
    "extensionService: infra/auth",
  ),
  shown("users of an ExtensionService", "rate limits", "rate-limit/global", "extensionService: infra/rls"),
  shown("users of an ExtensionService", "traces", "tracing/opentelemetry", "extensionService: infra/otel"),
];
