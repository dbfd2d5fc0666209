import { either, error, warning } from "./code.js";

/** Valid objects and fields without their apparent effect, and objects that are not served. */
export const lintCodes = {
  ClassNotServed: warning(
    "The object names no ingress class, and the settings select classes by name. The object is not served.",
    "Name a class from the setting `ingressClassNames`, or remove the setting.",
    "An HTTPProxy without `ingressClassName` beside the setting `ingressClassNames: [contour]`.",
  ),
  CredentialsForEveryOrigin: warning(
    "With the origin `*`, every site can send requests with the credentials of its visitors and read the responses.",
    "List the origins.",
    '`corsPolicy: {allowOrigin: ["*"], allowCredentials: true}`.',
  ),
  EscapedSlashes: warning(
    "The protection of a route depends on the path, and Envoy does not decode `%2f` in paths: a backend that decodes it sees another path.",
    "Set `escapedSlashes` to `reject` or `unescape`.",
    "`prefix: /admin` with an `ipAllowPolicy` of its own.",
  ),
  ExactPathNotLast: warning(
    "An exact path is a prefix when other conditions follow it, as in Contour.",
    "Put the exact path last.",
    "`conditions: [{exact: /a}, {prefix: /b}]`.",
  ),
  IgnoredField: warning(
    "The field is valid but has no effect in this place.",
    "Remove the field, or change the other field that the message names.",
    "`timeoutPolicy` beside `requestRedirectPolicy`: Envoy itself answers the request.",
  ),
  KindLeftOut: warning(
    "The setting `disableFeatures` excludes the kind. The object is not served.",
    "Remove the kind from the setting, or the object.",
    "A TLSRoute beside `disableFeatures: [tlsroutes]`.",
  ),
  LiteralWildcard: warning(
    "The `*` in a path with `/*` matches only the character `*`.",
    "Write the path without `*`, with `pathType: Prefix`.",
    "`{path: /api/*, pathType: Prefix}` in an Ingress.",
  ),
  NoParent: warning(
    "A route of the Gateway API has no `parentRefs`, so it is not served.",
    "Name the Gateway in `spec.parentRefs`.",
    "An HTTPRoute with `parentRefs: []`.",
  ),
  OneRule: warning(
    "A TLSRoute has one set of backends: only its first rule is used.",
    "Move the backends to the first rule.",
    "A TLSRoute with two `rules`.",
  ),
  OriginNeverMatches: warning(
    "Browsers never send an origin that this entry matches.",
    "Write the origin as browsers send it: `https://shop.example.com`.",
    "`allowOrigin: [https://shop.example.com/]`, with a slash at the end.",
  ),
  Orphaned: either(
    "The object has no virtual host, and no object includes it, so it is not served. In a status it is an error, as in Contour.",
    "Include it from a root object, give it a `virtualhost`, or remove it.",
    "An HTTPProxy without `virtualhost` that no `includes` names.",
  ),
  OtherGateway: warning(
    "The settings serve other Gateways: the one of `gatewayRef`, or those of the classes of `gateway.controllerName`. This one is not served.",
    "Name this Gateway or the controller of its class in the settings, or leave it to another controller.",
    "A Gateway `internal` beside `gatewayRef: {namespace: edge, name: public}`.",
  ),
  OtherGroup: warning(
    "The object is a route kind of another API group, which another controller reads. Isoline does not serve it.",
    "Use a supported kind, or leave the object to its controller.",
    "An IngressRoute of `traefik.io/v1alpha1`.",
  ),
  PathNeverMatches: warning(
    "No request has this path after Envoy normalizes it.",
    "Write the normalized path, or a regular expression.",
    "`prefix: /{id}`.",
  ),
  RuleMatchPartiallyConflict: warning(
    "An earlier rule or route of the host has a match of this rule. This rule is not used for the match.",
    "Make the matches different, or remove the later one.",
    "Two HTTPRoutes of one host with the path `/api`.",
  ),
  SameMatch: warning(
    "Two routes of a host match the same requests. The first route gets all of them.",
    "Make the conditions different, or remove one route.",
    "Two routes with `conditions: [{prefix: /api}]`.",
  ),
  UnknownValue: warning(
    "The field does not accept the value. It has no effect.",
    "Use the value in the message, with its spelling and case.",
    "`loadBalancerPolicy: {strategy: roundrobin}`.",
  ),
  SeveralSecrets: warning(
    "A host has different Secrets in several entries of `spec.tls`. The last valid one is used.",
    "Keep one entry for the host.",
    "`tls: [{hosts: [a.example.com], secretName: old}, {hosts: [a.example.com], secretName: new}]`.",
  ),
} as const;

/** Hosts and their owners. */
export const hostCodes = {
  DuplicateVhost: error(
    "Two root objects have the same host. Neither is served.",
    "Keep one root for the host, and let it include the other.",
    "Two HTTPProxies with `virtualhost: {fqdn: shop.example.com}`.",
  ),
  ErrorIdentifyingListener: error(
    "The object requires a listener, HTTP or HTTPS, that the settings disable.",
    "Enable the listener in the settings, or remove the field that requires it.",
    "A host with TLS where the settings have no HTTPS listener.",
  ),
  FQDNNotValid: error(
    "The host is not a valid name.",
    "Use a lower-case DNS name.",
    "`virtualhost: {fqdn: '*'}` in an IngressRoute.",
  ),
  HostNotAllowedInNamespace: error(
    "The setting `hostOwners` or `rootNamespaces` reserves the host for other namespaces.",
    "Use a host of this namespace, or ask the operator to change the setting.",
    "`shop.example.com` in the namespace `test` where `hostOwners` reserves it for `shop`.",
  ),
  HostOfAnotherNamespace: warning(
    "The owner of the host is an object of another namespace. It decides about TLS and protection.",
    "Check that both teams intend to share the host.",
    "Ingresses of two namespaces with the host `shop.example.com`.",
  ),
  HostOfAnotherObject: error(
    "The host has another owner with other terms for connections, such as TLS. This object is not served on the host.",
    "Give the object another host, or the same TLS as the owner.",
    "An Ingress for the host of an HTTPProxy.",
  ),
  HostShared: warning(
    "Objects of other namespaces add routes to the host of this object.",
    "Check that this is intended; the setting `hostOwners` restricts the namespaces of a host.",
    "Ingresses of two namespaces with the host `shop.example.com`.",
  ),
  OverBudget: error(
    "The object generates more hosts, routes, matches or certificates than the budget of its namespace allows. It is not served.",
    "Make the object smaller, or ask the operator to raise the budget that the message names.",
    "Includes that repeat 1,000 routes 1,000 times.",
  ),
  RootIngressRouteNotAllowedInNamespace: error(
    "Root objects are allowed only in the namespaces of the setting `rootNamespaces`.",
    "Move the root to one of these namespaces, or ask the operator to change the setting.",
    "An IngressRoute with `virtualhost` outside of `rootNamespaces`.",
  ),
  RootProxyNotAllowedInNamespace: error(
    "Root objects are allowed only in the namespaces of the setting `rootNamespaces`.",
    "Move the root to one of these namespaces, or ask the operator to change the setting.",
    "An HTTPProxy with `virtualhost` outside of `rootNamespaces`.",
  ),
  TooLarge: error(
    "The configuration is larger than Envoy can receive, and the namespace of the object has the largest part. The object is not served.",
    "Make the object smaller, or spread it over several hosts.",
    "A host with 100,000 routes.",
  ),
} as const;
