import { either, error, warning } from "./code.js";

/** Valid objects and fields without the effect that they seem to have, and objects that nothing serves. */
export const lintCodes = {
  ClassNotServed: warning(
    "The object names no ingress class, and the settings serve named classes alone. It is not served.",
    "Name a class that is served, or remove the setting `ingressClassNames`.",
    "An HTTPProxy without `ingressClassName` beside the setting `ingressClassNames: [contour]`.",
  ),
  CredentialsForEveryOrigin: warning(
    "With the origin `*`, every site may send requests with the credentials of its visitors and read the answers.",
    "List the origins.",
    '`corsPolicy: {allowOrigin: ["*"], allowCredentials: true}`.',
  ),
  EscapedSlashes: warning(
    "A path decides what protects a route, and `%2f` in paths stays as it is: a backend that decodes it sees another path.",
    "Set `escapedSlashes` to `reject` or `unescape`.",
    "`prefix: /admin` with an `ipAllowPolicy` of its own.",
  ),
  ExactPathNotLast: warning(
    "An exact path counts as a prefix where other conditions follow it, as in Contour.",
    "Put the exact path last.",
    "`conditions: [{exact: /a}, {prefix: /b}]`.",
  ),
  IgnoredField: warning(
    "The field is valid and has no effect where it stands.",
    "Remove the field, or change what the message names beside it.",
    "`timeoutPolicy` beside `requestRedirectPolicy`, which Envoy answers by itself.",
  ),
  KindLeftOut: warning(
    "The setting `disableFeatures` leaves the kind out. The object is not served.",
    "Remove the kind from the setting, or the object.",
    "A TLSRoute beside `disableFeatures: [tlsroutes]`.",
  ),
  LiteralWildcard: warning(
    "A path with `/*` matches the character `*` alone.",
    "Write the path without `*`, with `pathType: Prefix`.",
    "`{path: /api/*, pathType: Prefix}` in an Ingress.",
  ),
  NoParent: warning(
    "A route of the Gateway API has no `parentRefs`, so that nothing serves it.",
    "Name the Gateway in `spec.parentRefs`.",
    "An HTTPRoute with `parentRefs: []`.",
  ),
  OneRule: warning(
    "A TLSRoute is one set of backends: only its first rule counts.",
    "Put the backends into the first rule.",
    "A TLSRoute with two `rules`.",
  ),
  OriginNeverMatches: warning(
    "No browser sends an origin that this entry matches.",
    "Write the origin as browsers send it: `https://shop.example.com`.",
    "`allowOrigin: [https://shop.example.com/]`, with a slash at the end.",
  ),
  Orphaned: either(
    "The object has no virtual host and no object includes it, so that nothing serves it. In a status it is an error, as in Contour.",
    "Include it from a root object, give it a `virtualhost`, or remove it.",
    "An HTTPProxy without `virtualhost` that no `includes` names.",
  ),
  OtherGateway: warning(
    "The settings serve other Gateways: the one of `gatewayRef`, or those of the classes of `gateway.controllerName`. This one is not served.",
    "Name this Gateway or the controller of its class in the settings, or leave it to another controller.",
    "A Gateway `internal` beside `gatewayRef: {namespace: edge, name: public}`.",
  ),
  OtherGroup: warning(
    "The object is of a kind of routes of another group, which another controller reads. It is not served here.",
    "Write the routes with a kind that is served, or leave the object to its controller.",
    "An IngressRoute of `traefik.io/v1alpha1`.",
  ),
  PathNeverMatches: warning(
    "No request has such a path after Envoy has normalised it.",
    "Write the path as Envoy sees it, or a regular expression.",
    "`prefix: /{id}`.",
  ),
  RuleMatchPartiallyConflict: warning(
    "A match of a rule is taken by an earlier rule or route of the host. The rule is left out there.",
    "Make the matches different, or remove the later one.",
    "Two HTTPRoutes of one host with the path `/api`.",
  ),
  SameMatch: warning(
    "Two routes of a host match the same requests. The first one gets them all.",
    "Make the conditions different, or remove one route.",
    "Two routes with `conditions: [{prefix: /api}]`.",
  ),
  UnknownValue: warning(
    "A field has a value that is not one of those that it takes. It has no effect.",
    "Write the value that the message names, in its case.",
    "`loadBalancerPolicy: {strategy: roundrobin}`.",
  ),
  SeveralSecrets: warning(
    "A host has different Secrets in several entries of `spec.tls`. The last good one is used.",
    "Leave one entry for the host.",
    "`tls: [{hosts: [a.example.com], secretName: old}, {hosts: [a.example.com], secretName: new}]`.",
  ),
} as const;

/** Hosts and who has them. */
export const hostCodes = {
  DuplicateVhost: error(
    "Two root objects have one host. Neither is served.",
    "Leave one root for the host; have it include the other.",
    "Two HTTPProxies with `virtualhost: {fqdn: shop.example.com}`.",
  ),
  ErrorIdentifyingListener: error(
    "The object asks for a listener, HTTP or HTTPS, that the settings switch off.",
    "Switch the listener on in the settings, or take away what asks for it.",
    "A host with TLS where the settings have no HTTPS listener.",
  ),
  FQDNNotValid: error(
    "The host is not a name that can be served.",
    "Write a DNS name in lower case.",
    "`virtualhost: {fqdn: '*'}` in an IngressRoute.",
  ),
  HostNotAllowedInNamespace: error(
    "The settings `hostOwners` or `rootNamespaces` give the host to other namespaces.",
    "Use a host of this namespace, or have the operator change the setting.",
    "`shop.example.com` in the namespace `test` where `hostOwners` gives it to `shop`.",
  ),
  HostOfAnotherNamespace: warning(
    "The host belongs to an object of another namespace, which decides about TLS and protection.",
    "Make sure that both teams mean to share the host.",
    "Ingresses of two namespaces with the host `shop.example.com`.",
  ),
  HostOfAnotherObject: error(
    "Another object decides how connections to the host are taken, and this object asks for something else. It is not served there.",
    "Give the object another host, or the same TLS as the owner's.",
    "An Ingress for a host that has an HTTPProxy.",
  ),
  HostShared: warning(
    "Objects of other namespaces add routes to this object's host.",
    "Make sure that they are meant to; the setting `hostOwners` keeps others out.",
    "Ingresses of two namespaces with the host `shop.example.com`.",
  ),
  OverBudget: error(
    "The object makes more hosts, routes, matches or certificates than its namespace may have. It is not served.",
    "Make the object smaller, or have the operator raise the budget that the message names.",
    "Includes that repeat 1,000 routes 1,000 times.",
  ),
  RootIngressRouteNotAllowedInNamespace: error(
    "Root objects are allowed in the namespaces of the setting `rootNamespaces` alone.",
    "Move the root to one of these namespaces, or have the setting changed.",
    "An IngressRoute with `virtualhost` outside of `rootNamespaces`.",
  ),
  RootProxyNotAllowedInNamespace: error(
    "Root objects are allowed in the namespaces of the setting `rootNamespaces` alone.",
    "Move the root to one of these namespaces, or have the setting changed.",
    "An HTTPProxy with `virtualhost` outside of `rootNamespaces`.",
  ),
  TooLarge: error(
    "The configuration of the object is more than Envoy can be sent, and its namespace has the most of it. It is left out.",
    "Make the object smaller, or spread it over several hosts.",
    "A host with 100,000 routes.",
  ),
} as const;
