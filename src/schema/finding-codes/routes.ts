import { either, error, warning } from "./code.js";

/** Routes, policies, includes and the Services behind them. */
export const routeCodes = {
  AddressNotAllowed: warning(
    "Envoy must not connect to the address of an endpoint (loopback, metadata services, the API server). The endpoint is left out.",
    "Correct the address; the setting `allowLoopbackEndpoints` allows loopback.",
    "An EndpointSlice with the address `127.0.0.1`.",
  ),
  AmbiguousReplacement: error(
    "A path rewrite has several replacements without a `prefix`.",
    "Keep one replacement without `prefix`.",
    "`replacePrefix: [{replacement: /a}, {replacement: /b}]`.",
  ),
  BackendNotSupported: error(
    "An Ingress names a backend that is not a Service.",
    "Name a Service.",
    "`backend: {resource: {kind: StorageBucket, name: assets}}`.",
  ),
  CookieRewritePoliciesInvalid: error(
    "A rewrite of cookies is not valid. The route is not served.",
    "Rewrite each cookie once, and set at least one attribute.",
    "Two `cookieRewritePolicies` with the same `name`.",
  ),
  DelegationCycle: error(
    "A delegation leads back to an object of its own chain, or the chain is too long.",
    "Remove one delegation of the cycle.",
    "IngressRoute `a` delegates to `b`, and `b` to `a`.",
  ),
  DirectResponseNotValid: error(
    "The body of a direct response is longer than 4096 bytes.",
    "Shorten the body, or serve it from a backend.",
    "`directResponsePolicy: {statusCode: 503, body: ...}` with a long page.",
  ),
  DuplicateMatchConditions: error(
    "Two includes of an object have the same conditions. The second is not served.",
    "Make the conditions different.",
    "Two `includes` with `conditions: [{prefix: /api}]`.",
  ),
  DuplicateReplacement: error(
    "A path rewrite has two replacements for the same prefix.",
    "Keep one replacement for the prefix.",
    "`replacePrefix: [{prefix: /a, replacement: /b}, {prefix: /a, replacement: /c}]`.",
  ),
  HeaderMatchConditionsNotValid: error(
    "Header conditions of a route contradict each other, or a regular expression can't be used.",
    "Correct the condition that the message names.",
    "Two `exact` conditions on one header.",
  ),
  HealthCheckPolicyInvalid: error(
    "A health check is not valid.",
    "Correct the field that the message names.",
    "`expectedStatuses: [{start: 300, end: 200}]`.",
  ),
  IncludeCreatesCycle: error(
    "An include leads back to an object of its own chain, or the chain is too long.",
    "Remove one include of the cycle.",
    "HTTPProxy `a` includes `b`, and `b` includes `a`.",
  ),
  IncludeNotFound: error(
    "The included HTTPProxy is missing or not valid.",
    "Create it, or correct the name and namespace.",
    "`includes: [{name: team-a, namespace: team-a}]` without the object.",
  ),
  IncludeNotPermitted: error(
    "The annotation `isoline.dev/included-by` of the included object, or the setting `requireIncludedBy`, forbids the include.",
    "Ask the owner of the included object to add this object to its annotation.",
    "An include of an object whose annotation names other objects.",
  ),
  IncompatibleIPAddressFilters: error(
    "A host or route has both an allow list and a deny list of addresses.",
    "Keep one of them.",
    "`ipAllowPolicy` beside `ipDenyPolicy`.",
  ),
  InconsistentProtocol: error(
    "An ExtensionService validates certificates over a protocol without TLS.",
    "Set `protocol: h2`, or remove `validation`.",
    "`protocol: h2c` beside `validation`.",
  ),
  InvalidCIDR: error(
    "An address range of a filter can't be read.",
    "Write a range such as `10.0.0.0/8`.",
    "`ipAllowPolicy: [{source: Peer, cidr: 10.0.0}]`.",
  ),
  IPFilterPolicyNotValid: error(
    "The address filter of a host is not valid. The host is not served, because it must not be served without the filter.",
    "Correct the entries that other findings of the object name.",
    "`ipAllowPolicy: [{source: Peer, cidr: office}]`.",
  ),
  MustHavePrefix: error(
    "A route replaces prefixes and has no prefix condition.",
    "Add a `prefix` condition, or remove `pathRewritePolicy`.",
    "`pathRewritePolicy` on a route with `exact: /a`.",
  ),
  NoServicesAndInclude: error(
    "A `tcpproxy` has both Services and an include.",
    "Keep one of them.",
    "`tcpproxy: {services: [...], include: {name: b}}`.",
  ),
  NothingDefined: either(
    "The object defines nothing to serve. This is a warning when only an included object is empty.",
    "Add routes, includes or a `tcpproxy`.",
    "An HTTPProxy with `virtualhost` alone.",
  ),
  OnlyOneMirror: error(
    "Several Services of a route are mirrors.",
    "Keep `mirror: true` on one.",
    "`services: [{name: a, mirror: true}, {name: b, mirror: true}]`.",
  ),
  PathMatchConditionsNotValid: error(
    "Path conditions of a route or include can't be used.",
    "Use one `prefix`, `exact` or `regex` that begins with `/`.",
    "`conditions: [{prefix: api}]`.",
  ),
  PathMatchNotValid: error(
    "The path of a delegated route is outside of the delegated path.",
    "Begin the path with the path of the parent.",
    "`match: /b` in an IngressRoute to which `/a` is delegated.",
  ),
  PathReplacementNotValid: error(
    "A route has a `replaceRegex` that can't be used.",
    "Write a regular expression that RE2 accepts, and a replacement that begins with `/` and names groups of the expression. Keep either `replaceRegex` or `replacePrefix`.",
    "`replaceRegex: {regex: ^/a, replacement: /\\1}`.",
  ),
  PathNotValid: error(
    "A path of an Ingress can't be used.",
    "Write a path that begins with `/`, or a regular expression that RE2 accepts.",
    "`path: /(a`, with `pathType: ImplementationSpecific`.",
  ),
  PolicyDidNotParse: error(
    "The CORS policy of a host can't be read.",
    "Correct the field that the message names.",
    "`corsPolicy: {maxAge: forever}`.",
  ),
  QueryParameterMatchConditionsNotValid: error(
    "Query conditions of a route contradict each other, or a regular expression can't be used.",
    "Correct the condition that the message names.",
    "Two `exact` conditions on one parameter.",
  ),
  RateLimitPolicyNotValid: error(
    "A rate limit can't be read. The route or host is not served without it.",
    "Correct the field that the message names.",
    "`local: {requests: 0, unit: second}`.",
  ),
  RequestHeadersPolicyInvalid: error(
    "A change of request headers is not valid.",
    "Correct the header that the message names.",
    "`set: [{name: Host, value: a}]` twice.",
  ),
  RequestRedirectPolicy: error(
    "A redirect is not valid.",
    "Set one of `path` and `prefix`.",
    "`requestRedirectPolicy: {path: /a, prefix: /b}`.",
  ),
  ResponseHeaderPolicyInvalid: error(
    "A route's change of response headers is not valid.",
    "Correct the header that the message names.",
    "`remove: [Host, Host]`.",
  ),
  ResponseHeadersPolicyInvalid: error(
    "A Service's change of response headers is not valid.",
    "Correct the header that the message names.",
    "`set: [{name: 'a b', value: c}]`.",
  ),
  RootDelegatesToRoot: error(
    "A root IngressRoute delegates to another root.",
    "Remove `virtualhost` from the target, or the delegation.",
    "`delegate: {name: other}`, an IngressRoute with `virtualhost`.",
  ),
  RootIncludesRoot: error(
    "A root HTTPProxy includes another root.",
    "Remove `virtualhost` from the included object, or the include.",
    "`includes: [{name: other}]`, an HTTPProxy with `virtualhost`.",
  ),
  RouteActionCountNotValid: error(
    "A route must have exactly one of Services, a redirect and a direct response.",
    "Set exactly one.",
    "`services` beside `requestRedirectPolicy`.",
  ),
  ServicePortInvalid: error(
    "The port of a Service is not between 1 and 65535.",
    "Correct the port.",
    "`services: [{name: web, port: 0}]`.",
  ),
  ServicesAndDelegate: error(
    "A route of an IngressRoute has both Services and a delegation.",
    "Keep one of them.",
    "`{match: /, services: [...], delegate: {name: b}}`.",
  ),
  ServiceUnresolvedReference: error(
    "The Service, or its port, is missing.",
    "Create the Service, or correct its name and port. If it is in another repository, see `--assume-missing` and `--known`.",
    "`services: [{name: web, port: 8080}]` where the Service has the port 80.",
  ),
  SlowStartInvalid: error(
    "A slow start is not valid.",
    "Write a window such as `30s`, and use a load balancing strategy that supports slow start.",
    "`slowStartPolicy` with the strategy `Random`.",
  ),
  TimeoutPolicyNotValid: either(
    "A timeout can't be read. In an annotation of an Ingress it is a warning, and the default is used.",
    "Write a duration with a unit, such as `30s`, or `infinity`.",
    "`timeoutPolicy: {response: 30}`.",
  ),
  TooManyClusters: error(
    "The routes of a namespace require more clusters for its Services than its budget allows.",
    "Use the same ports, timeouts, health checks and validation in several routes, or raise `budgets.clusters`.",
    "1,000 routes to one Service, each with a different `idleConnection`.",
  ),
  TooManyEndpoints: error(
    "A Service has more endpoints than the limit per port. The others are left out.",
    "Spread the endpoints over several Services.",
    "A Service with 100,000 endpoints.",
  ),
  UnsupportedServiceType: error(
    "An ExtensionService names a Service of the type ExternalName.",
    "Name a Service with endpoints.",
    "`services: [{name: external, port: 443}]` in an ExtensionService.",
  ),
} as const;
