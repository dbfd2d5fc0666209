import { either, error, warning } from "./code.js";

/** The Gateway API. */
export const gatewayCodes = {
  AllBackendRefsHaveZeroWeights: error(
    "All backends of a rule have the weight 0.",
    "Give one backend a weight.",
    "`backendRefs: [{name: web, port: 80, weight: 0}]`.",
  ),
  BackendNotFound: error(
    "The Service, its port, or what its BackendTLSPolicy needs, is missing. Requests are answered 500.",
    "Create the Service, or correct its name and port. Where it is in another repository, see `--assume-missing` and `--known`.",
    "`backendRefs: [{name: web, port: 8080}]` where the Service has the port 80.",
  ),
  Degraded: error(
    "A part of a rule can't be used. Requests of the rule are answered 500.",
    "Correct the field that the message names.",
    "`backendRefs: [{name: web}]` without `port`.",
  ),
  GatewayNotFound: warning(
    "The setting `gatewayRef` names a Gateway that is missing: no route of the Gateway API is served.",
    "Create the Gateway, or correct the setting.",
    "`gatewayRef: {namespace: edge, name: public}` without the Gateway.",
  ),
  HostnameConflict: error(
    "Two listeners of one port have the same hostname.",
    "Give each listener a hostname of its own.",
    "Two listeners of port 443 without `hostname`.",
  ),
  InvalidKind: error(
    "A backend is no Service.",
    "Name a Service.",
    "`backendRefs: [{group: example.com, kind: Bucket, name: a}]`.",
  ),
  InvalidParameters: error(
    "The GatewayClass of the Gateway is missing. The Gateway is not served.",
    "Create the GatewayClass, or correct `gatewayClassName`.",
    "`gatewayClassName: isoline` without the GatewayClass.",
  ),
  InvalidRouteKinds: error(
    "A listener allows a kind of routes that its protocol does not have.",
    "Correct `allowedRoutes.kinds`.",
    "`kinds: [{kind: TCPRoute}]` on a listener of protocol HTTP.",
  ),
  InvalidRouteRules: error(
    "A TCPRoute has several rules.",
    "Leave one rule.",
    "A TCPRoute with two `rules`.",
  ),
  NoGateway: warning(
    "There are objects of the Gateway API, and the settings name no Gateway: they are not served.",
    "Set `gatewayRef`.",
    "An HTTPRoute with default settings.",
  ),
  NoMatchingListenerHostname: error(
    "No hostname of the route is one of the listener's. The route is not served there.",
    "Correct the route's `hostnames`, or the listener's `hostname`.",
    "`hostnames: [a.example.org]` on a listener of `*.example.com`.",
  ),
  NoMatchingParent: either(
    "No parent of the route is a listener of the Gateway that is served. A warning where the route names other parents alone, an error where it names a listener that is missing or not ready.",
    "Correct `parentRefs`: name, namespace, `sectionName` and `port`.",
    "`parentRefs: [{name: public, sectionName: htps}]`.",
  ),
  NotAllowedByListeners: error(
    "The listener does not allow routes of this namespace or kind.",
    "Have the owner of the Gateway change `allowedRoutes`.",
    "A route in another namespace than a Gateway with `allowedRoutes: {namespaces: {from: Same}}`.",
  ),
  PortUnavailable: error(
    "A listener's port is another listener's or Envoy's own.",
    "Use another port.",
    "A listener on the port of Envoy's admin interface.",
  ),
  ProtocolConflict: error(
    "Two listeners of one port have protocols that exclude each other.",
    "Give one of them another port.",
    "HTTP and TLS on the port 443.",
  ),
  RefNotPermitted: error(
    "The object is in another namespace, where no ReferenceGrant allows the reference.",
    "Add a ReferenceGrant there, or use an object of this namespace.",
    "`backendRefs: [{namespace: shop, name: web, port: 80}]` from the namespace `edge`.",
  ),
  UnsupportedProtocol: error(
    "The protocol of a listener, or the `appProtocol` of a Service, is not supported.",
    "Use one that the message names.",
    "A listener with `protocol: UDP`.",
  ),
  UnsupportedValue: error(
    "A value is valid in the Gateway API and not supported. What needs it is not served.",
    "Use a value that the message names.",
    "A filter of type `ExtensionRef`.",
  ),
} as const;
