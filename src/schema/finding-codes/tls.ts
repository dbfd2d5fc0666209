import { error, warning } from "./code.js";

/** Certificates, validation, authorization and tokens. */
export const tlsCodes = {
  AuthBadResourceVersion: error(
    "The `apiVersion` of an authorization's `extensionRef` is not supported. The host is not served.",
    "Write `projectcontour.io/v1alpha1`, or leave the field out.",
    "`extensionRef: {apiVersion: v1, name: auth}`.",
  ),
  AuthContextForHTTP: error(
    "`authPolicy.context` is only for authorization over gRPC.",
    "Remove the context, or set `serviceType: grpc`.",
    "`authorization: {serviceType: http, authPolicy: {context: {a: b}}}`.",
  ),
  AuthNotPermitted: error(
    "Authorization requires a host that terminates TLS.",
    "Give the host `tls.secretName`.",
    "`authorization` on a host without `tls`.",
  ),
  AuthResponseTimeoutInvalid: error(
    "The timeout of the authorization can't be read.",
    "Write a duration such as `250ms`, or `infinity`.",
    "`responseTimeout: 5`.",
  ),
  CACertificateNotDelegated: error(
    "The Secret with the CA certificate is in another namespace, which does not delegate it.",
    "Add a TLSCertificateDelegation to that namespace, or use a Secret of this namespace.",
    "`validation: {caSecret: pki/ca, subjectName: web}` without a delegation in `pki`.",
  ),
  CertificateNameMismatch: warning(
    "The certificate is for other hosts: clients refuse it.",
    "Put a certificate for the host in the Secret.",
    "A certificate for `www.example.com` on the host `shop.example.com`.",
  ),
  CertificateOutOfDate: warning(
    "The certificate is expired or not valid yet: clients refuse it.",
    "Renew the certificate.",
    "A certificate that expired yesterday.",
  ),
  ClientValidationInvalid: error(
    "The CA certificate or the revocation list for client certificates is missing or not valid. The host is not served, because it must not be served without the check.",
    "Name a Secret with `ca.crt` (and `crl.pem`).",
    "`clientValidation: {}` without `caSecret`.",
  ),
  DelegationNotPermitted: error(
    "The Secret is in another namespace, which does not delegate it.",
    "Add a TLSCertificateDelegation to that namespace, or use a Secret of this namespace.",
    "`secretName: certs/wildcard` without a delegation in `certs`.",
  ),
  DuplicateProviderName: error(
    "Two JWT providers of a host have the same name.",
    "Give each provider a different name.",
    "`jwtProviders: [{name: a}, {name: a}]`.",
  ),
  ExtensionServiceNotFound: error(
    "The ExtensionService is missing or not valid. The host that requires it is not served.",
    "Create the ExtensionService, or correct its name and namespace.",
    "`extensionRef: {name: auth}` without an ExtensionService `auth`.",
  ),
  FallbackNotDelegated: error(
    "The fallback certificate of the settings is not delegated to the namespace.",
    "Add a TLSCertificateDelegation to the namespace of the certificate.",
    "`enableFallbackCertificate: true` in a namespace without the delegation.",
  ),
  FallbackNotPresent: error(
    "The host enables the fallback certificate, but the settings name none.",
    "Set `tls.fallbackCertificate`, or remove `enableFallbackCertificate`.",
    "`enableFallbackCertificate: true` with default settings.",
  ),
  FallbackNotValid: error(
    "The Secret of the fallback certificate in the settings is missing or not valid.",
    "Put a certificate and its key in the Secret.",
    "A fallback Secret without `tls.key`.",
  ),
  InvalidCertificateRef: error(
    "The certificate of a Gateway listener is missing or not valid. The listener is not served.",
    "Name one Secret with a certificate and its key.",
    "`certificateRefs: [{name: web-tls}]` without the Secret.",
  ),
  InvalidJWTVerificationPolicy: error(
    "A route can't both require a token and disable verification.",
    "Keep one of them.",
    "`jwtVerificationPolicy: {require: a, disabled: true}`.",
  ),
  JWTProviderNotDefined: error(
    "A route requires a token of a provider that the host does not define. Envoy refuses all requests of the route.",
    "Add the provider to `virtualhost.jwtProviders`, or correct the name.",
    "`jwtVerificationPolicy: {require: missing}`.",
  ),
  JWTVerificationNotPermitted: error(
    "Only hosts that terminate TLS can verify tokens.",
    "Give the host `tls.secretName`.",
    "`jwtProviders` on a host without `tls`.",
  ),
  LocalJWKSInvalid: error(
    "The Secret with the keys of a provider is missing or contains no key set.",
    "Put a JSON Web Key Set under the key that `localJWKS` names.",
    "`localJWKS: {name: keys, key: jwks.json}` without the Secret.",
  ),
  MultipleDefaultProvidersSpecified: error(
    "Several JWT providers of a host are the default.",
    "Keep `default: true` on one.",
    "`jwtProviders: [{name: a, default: true}, {name: b, default: true}]`.",
  ),
  NotOverHttp3: warning(
    "HTTP/3 is on, and this host can't have it: it asks clients for certificates, or its maximum TLS version is below 1.3. It is served over TCP, and answers 421 over QUIC.",
    "Nothing, if the host needs its TLS settings; else remove `clientValidation`, or allow TLS 1.3.",
    "A virtual host with `tls.clientValidation` and the setting `http3: {enabled: true}`.",
  ),
  RemoteJWKSCACertificateNotDelegated: error(
    "The CA certificate for the key server is in another namespace, which does not delegate it.",
    "Add a TLSCertificateDelegation to that namespace, or use a Secret of this namespace.",
    "`remoteJWKS.validation: {caSecret: pki/ca, subjectName: idp}` without a delegation in `pki`.",
  ),
  RemoteJWKSPortInvalid: error(
    "The port of the key server is not between 1 and 65535.",
    "Correct the port in the URI.",
    "`uri: https://idp.example.com:70000/jwks`.",
  ),
  RemoteJWKSSchemeInvalid: error(
    "The URI of the key server begins neither with `http://` nor with `https://`.",
    "Begin it with `https://`.",
    "`uri: ftp://idp.example.com/jwks`.",
  ),
  RemoteJWKSURIInvalid: error(
    "The URI of the key server can't be read, or its host is not allowed.",
    "Write `https://HOST[:PORT]/PATH` with a public host.",
    "`uri: https://169.254.169.254/jwks`.",
  ),
  RemoteJWKSUpstreamValidationInvalid: error(
    "The validation of the key server is not valid, or its URI is plain HTTP.",
    "Use an `https` URI, and a CA certificate with a subject name.",
    "`validation` beside `uri: http://idp.example.com/jwks`.",
  ),
  SecretNotValid: error(
    "The Secret is missing, or Envoy can't load its certificate. The hosts that require it are not served over TLS.",
    "Create the Secret with `tls.crt` and `tls.key`; the message has the problem.",
    "`tls: {secretName: shop-tls}` without the Secret.",
  ),
  TLSConfigNotValid: error(
    "The TLS fields of a host contradict each other.",
    "Set one of `secretName` and `passthrough`, and a minimum version below the maximum.",
    "`tls: {secretName: web, passthrough: true}`.",
  ),
  TLSIncompatibleFeatures: error(
    "Two TLS features are incompatible.",
    "Remove the one that the message names.",
    "`enableFallbackCertificate` beside `clientValidation`.",
  ),
  TLSMustBeConfigured: error(
    "A `tcpproxy` requires TLS: the TLS server name selects the host of a connection.",
    "Give the host `tls.secretName` or `tls.passthrough`.",
    "`tcpproxy` on a host without `tls`.",
  ),
  TLSUpstreamValidation: error(
    "The validation of a backend's certificate is not valid.",
    "Name a Secret with `ca.crt`, and a subject name.",
    "`validation: {caSecret: ca, subjectName: web}` without the Secret.",
  ),
} as const;
