/** What Contour calls a condition of one of its objects (`ConditionType*` of its API). */
type ContourType =
  | "AuthError"
  | "CORSError"
  | "IPFilterError"
  | "IncludeError"
  | "JWTVerificationError"
  | "ListenerError"
  | "Orphaned"
  | "PrefixReplaceError"
  | "RootNamespaceError"
  | "RouteError"
  | "ServiceError"
  | "SpecError"
  | "TCPProxyError"
  | "TCPProxyIncludeError"
  | "TLSError"
  | "VirtualHostError";

/** Conditions of the Gateway API. */
type GatewayCondition = "Accepted" | "Conflicted" | "PartiallyInvalid" | "Programmed" | "ResolvedRefs";

/** What is no condition of an object of the cluster: files, sources, settings, the cluster itself, and the compiler. */
type OwnType =
  | "ClusterError"
  | "EndpointError"
  | "FileError"
  | "InternalError"
  | "LintError"
  | "NotReady"
  | "SchemaError"
  | "SettingsError"
  | "SourceError"
  | "StatusError"
  | "SuppressionError";

type RouteKind = "HTTPRoute" | "GRPCRoute" | "TLSRoute" | "TCPRoute" | "UDPRoute";

/** Kinds of objects that claim hosts, without HTTPProxy, for which Contour has `VirtualHostError`. */
export type ClaimingKind = RouteKind | "Ingress" | "IngressRoute";

/** What a finding is an error or a warning of: the `type` of a `Finding`. */
export type FindingType =
  | ContourType
  | GatewayCondition
  | OwnType
  | `${ClaimingKind}Error`
  | `${RouteKind}Warning`;
