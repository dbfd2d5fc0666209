import { either, error, warning } from "./code.js";

/** The Gateway API. */
export const gatewayCodes = {
  AddressNotAssigned: error(
    "The Gateway has no address. It is not served.",
    "Set `gateway.addressPool` to a larger block of addresses, or give the Gateway `spec.addresses`.",
    "A Gateway without `spec.addresses` where the setting `gateway.addressPool` is missing.",
  ),
  AddressNotUsable: error(
    "The Gateway asks for an address that it may not have. It is not served.",
    "Use an address of the setting `gateway.staticAddresses`, or add the address to it.",
    "`addresses: [{value: 192.0.2.1}]` with `gateway.staticAddresses: [10.0.0.0/8]`.",
  ),
  AllBackendRefsHaveZeroWeights: error(
    "All backends of a rule have the weight 0.",
    "Give one backend a weight.",
    "`backendRefs: [{name: web, port: 80, weight: 0}]`.",
  ),
  BackendNotFound: error(
    "The Service, its port, or a reference of its BackendTLSPolicy is missing. Requests get the answer 500.",
    "Create the Service, or correct its name and port. If it is in another repository, see `--assume-missing` and `--known`.",
    "`backendRefs: [{name: web, port: 8080}]` where the Service has the port 80.",
  ),
  Conflicted: error(
    "An older policy is for the same Service or port. This one has no effect there.",
    "Leave one policy for each Service and port.",
    'Two BackendTLSPolicies with `targetRefs: [{group: "", kind: Service, name: web}]`.',
  ),
  Degraded: error(
    "A part of a rule can't be used. Requests of the rule get the answer 500.",
    "Correct the field that the message names.",
    "`backendRefs: [{name: web}]` without `port`.",
  ),
  GatewayNotFound: warning(
    "The Gateway in the setting `gatewayRef` is missing: no route of the Gateway API is served.",
    "Create the Gateway, or correct the setting.",
    "`gatewayRef: {namespace: edge, name: public}` without the Gateway.",
  ),
  HostnameConflict: error(
    "Two listeners with the same port have the same hostname.",
    "Give each listener a different hostname.",
    "Two listeners of port 443 without `hostname`.",
  ),
  IncompatibleFilters: error(
    "A rule has filters that can't be used together. Requests of the rule get the answer 500.",
    "Move one of the filters to a rule of its own.",
    "`filters: [{type: URLRewrite, …}, {type: RequestRedirect, …}]`.",
  ),
  InvalidCACertificateKind: error(
    "A CA certificate is neither in a ConfigMap nor in a Secret.",
    "Name a ConfigMap or a Secret that holds `ca.crt`.",
    '`caCertificateRefs: [{group: "", kind: Service, name: web}]`.',
  ),
  InvalidCACertificateRef: error(
    "A CA certificate is missing or can't be read.",
    "Correct the name, or the `ca.crt` of the object.",
    '`caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]` without the ConfigMap.',
  ),
  InvalidClientCertificateRef: error(
    "The certificate that a Gateway shows to backends is missing or can't be used.",
    "Name a TLS Secret in `spec.tls.backend.clientCertificateRef`.",
    "`clientCertificateRef: {name: gateway}` without the Secret.",
  ),
  InvalidKind: error(
    "A backend is not a Service.",
    "Name a Service.",
    "`backendRefs: [{group: example.com, kind: Bucket, name: a}]`.",
  ),
  InvalidParameters: error(
    "The GatewayClass of the Gateway is missing: the Gateway is not served. Or the ConfigMap of a `parametersRef` is missing, of another kind, or has keys or values that are not supported.",
    "Create the GatewayClass, or correct `gatewayClassName`, `parametersRef` or the ConfigMap.",
    "`gatewayClassName: isoline` without the GatewayClass.",
  ),
  InvalidRouteKinds: error(
    "A listener allows a route kind that its protocol does not support.",
    "Correct `allowedRoutes.kinds`.",
    "`kinds: [{kind: TCPRoute}]` on a listener of protocol HTTP.",
  ),
  InvalidRouteRules: error("A TCPRoute has several rules.", "Keep one rule.", "A TCPRoute with two `rules`."),
  KindConflict: error(
    "A host of a listener has HTTPRoutes and GRPCRoutes. Those of the oldest route's kind are served there.",
    "Give the routes of each kind hosts of their own.",
    "An HTTPRoute and a GRPCRoute with `hostnames: [api.example.com]` on one listener.",
  ),
  NoGateway: warning(
    "Objects of the Gateway API exist, but the settings name no Gateway: the objects are not served.",
    "Set `gatewayRef` or `gateway.controllerName`.",
    "An HTTPRoute with default settings.",
  ),
  NotAllowed: error(
    "The Gateway does not let ListenerSets of this namespace in. The ListenerSet is not served.",
    "Have the owner of the Gateway change `allowedListeners`.",
    "A ListenerSet beside a Gateway without `allowedListeners`.",
  ),
  NoMatchingListenerHostname: error(
    "No hostname of the route matches the listener's hostname. The listener does not serve the route.",
    "Correct the route's `hostnames`, or the listener's `hostname`.",
    "`hostnames: [a.example.org]` on a listener with the hostname `*.example.com`.",
  ),
  NoMatchingParent: either(
    "No parent of the route is a listener of the served Gateway. This is a warning when the route names only other parents, and an error when it names a listener that is missing or not ready.",
    "Correct `parentRefs`: name, namespace, `sectionName` and `port`.",
    "`parentRefs: [{name: public, sectionName: htps}]`.",
  ),
  NotAllowedByListeners: error(
    "The listener does not allow routes of this namespace or kind.",
    "Ask the owner of the Gateway to change `allowedRoutes`.",
    "A route in another namespace than a Gateway with `allowedRoutes: {namespaces: {from: Same}}`.",
  ),
  NoValidCACertificate: error(
    "Certificates are to be checked, and no CA for that can be used.",
    "Correct the CA certificates that the message before names.",
    '`validation: {caCertificateRefs: [{group: "", kind: ConfigMap, name: ca}]}` without the ConfigMap.',
  ),
  PortUnavailable: error(
    "The port of a listener is the port of another listener or of Envoy itself.",
    "Use another port.",
    "A listener on the port of Envoy's admin interface.",
  ),
  ProtocolConflict: error(
    "Two listeners with the same port have incompatible protocols.",
    "Give one of the listeners another port.",
    "HTTP and TLS on port 443.",
  ),
  RefNotPermitted: error(
    "The object is in another namespace without a ReferenceGrant that allows the reference.",
    "Add a ReferenceGrant to that namespace, or use an object of this namespace.",
    "`backendRefs: [{namespace: shop, name: web, port: 80}]` from the namespace `edge`.",
  ),
  UnsupportedAddress: error(
    "The Gateway asks for an address of a type that is not supported. It is not served.",
    "Use the type `IPAddress`.",
    "`addresses: [{type: Hostname, value: edge.example.com}]`.",
  ),
  UnsupportedProtocol: error(
    "The protocol of a listener, or the `appProtocol` of a Service, is not supported.",
    "Use one that the message lists.",
    "A listener with `protocol: SCTP`.",
  ),
  UnsupportedValue: either(
    "A value is valid in the Gateway API, but not supported. Error: the listener, rule or backend with it is not served. Warning: the rule is served without the field.",
    "Use a value that the message lists.",
    "A filter of type `ExtensionRef`.",
  ),
} as const;
