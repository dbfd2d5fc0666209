/** Types of Contour's conditions (`ConditionType*` of its API). */
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

/** Types for findings without a condition: about files, sources, settings, Kubernetes clusters and the compiler. */
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

/** Kinds that claim hosts. HTTPProxy is not one of them, because Contour has the type `VirtualHostError` for it. */
export type ClaimingKind = RouteKind | "Ingress" | "IngressRoute";

/** The `type` of a `Finding`: the area of the error or warning. */
export type FindingType =
  | ContourType
  | GatewayCondition
  | OwnType
  | `${ClaimingKind}Error`
  | `${RouteKind}Warning`;
