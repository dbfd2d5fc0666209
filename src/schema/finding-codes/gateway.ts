import { either, error, warning } from "./code.js";

/** The Gateway API. */
export const gatewayCodes = {
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
  InvalidKind: error(
    "A backend is not a Service.",
    "Name a Service.",
    "`backendRefs: [{group: example.com, kind: Bucket, name: a}]`.",
  ),
  InvalidParameters: error(
    "The GatewayClass of the Gateway is missing. The Gateway is not served.",
    "Create the GatewayClass, or correct `gatewayClassName`.",
    "`gatewayClassName: isoline` without the GatewayClass.",
  ),
  InvalidRouteKinds: error(
    "A listener allows a route kind that its protocol does not support.",
    "Correct `allowedRoutes.kinds`.",
    "`kinds: [{kind: TCPRoute}]` on a listener of protocol HTTP.",
  ),
  InvalidRouteRules: error("A TCPRoute has several rules.", "Keep one rule.", "A TCPRoute with two `rules`."),
  NoGateway: warning(
    "Objects of the Gateway API exist, but the settings name no Gateway: the objects are not served.",
    "Set `gatewayRef`.",
    "An HTTPRoute with default settings.",
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
  UnsupportedProtocol: error(
    "The protocol of a listener, or the `appProtocol` of a Service, is not supported.",
    "Use one that the message lists.",
    "A listener with `protocol: UDP`.",
  ),
  UnsupportedValue: error(
    "A value is valid in the Gateway API, but not supported. The listener, rule or backend with it is not served.",
    "Use a value that the message lists.",
    "A filter of type `ExtensionRef`.",
  ),
} as const;
