import type { Ref } from "../../schema/meta.js";
import type { EndpointMode } from "../../store/store.js";
import type { Reachable } from "../backends/address.js";
import type { KeyPair } from "../certificates/secret.js";
import type { Match } from "../matches/match-types.js";
import type { BackendPolicies, HostPolicies, RoutePolicies } from "../policies/index.js";
import type { IpFilter } from "../policies/ip-filter.js";
import type { PathRewrite } from "../policies/path-rewrite.js";

export interface HealthCheck {
  readonly kind: "http" | "tcp";
  readonly path: string;
  readonly host: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly unhealthyThreshold: number;
  readonly healthyThreshold: number;
  /** Half-open ranges of statuses that count as healthy; absent is 200 alone. */
  readonly expectedStatuses?: readonly { readonly start: number; readonly end: number }[];
}

/** A new endpoint's share grows from `minWeightPercent` to its own within the window. */
export interface SlowStart {
  readonly windowMs: number;
  readonly aggression: number;
  readonly minWeightPercent: number;
}

export type LoadBalancing = "round-robin" | "random" | "least-request" | "ring-hash";

export interface UpstreamValidation {
  /** PEM. */
  readonly ca: string;
  readonly subjectNames: readonly string[];
}

/** One way to reach a Service port. Equal nodes are one Envoy cluster. */
export interface Cluster {
  readonly namespace: string;
  readonly service: string;
  readonly port: number;
  /** `<namespace>/<service>/<port name>[/<name of the health port>]`, or undefined for an ExternalName service. */
  readonly endpoints?: string;
  /** The Service's port that health checks go to, where it is not `port`. */
  readonly healthPort?: number;
  readonly mode?: EndpointMode;
  readonly externalName?: Reachable;
  readonly protocol?: "tls" | "h2" | "h2c";
  /** The host that TLS asks for (`serverName`); absent for `externalName`. */
  readonly sni?: string;
  readonly validation?: UpstreamValidation;
  readonly loadBalancing: LoadBalancing;
  readonly healthCheck?: HealthCheck;
  readonly idleConnectionMs?: number;
  readonly circuitBreakers?: CircuitBreakers;
  readonly slowStart?: SlowStart;
  /** Endpoints come in localities that share requests by weight. */
  readonly weightedLocalities?: true;
  /** The certificate that Envoy shows to the backend. */
  readonly clientCertificate?: CertificateRef;
}

/** `<namespace>/<name>` of a TLS Secret, and the pair itself where it does not travel by SDS. */
export interface CertificateRef {
  readonly secret: string;
  readonly pair?: KeyPair;
}

/** Limits per cluster; absent is Envoy's default. */
export interface CircuitBreakers {
  readonly maxConnections?: number;
  readonly maxPendingRequests?: number;
  readonly maxRequests?: number;
  readonly maxRetries?: number;
  readonly perHostMaxConnections?: number;
}

/** A weighted choice of a cluster; its header policies apply to requests sent there. */
export interface Backend {
  readonly cluster: Cluster;
  readonly weight: number;
  readonly policies: BackendPolicies;
}

/** A cluster that gets a copy of the requests and whose answers count for nothing. */
export interface Mirror {
  readonly cluster: Cluster;
  /** Four digits after the point count. */
  readonly percent: number;
}

export type Action =
  | { readonly kind: "forward"; readonly backends: readonly Backend[]; readonly mirrors?: readonly Mirror[] }
  | {
      readonly kind: "redirect";
      readonly scheme?: string;
      readonly host?: string;
      readonly port?: number;
      readonly path?: string;
      readonly rewrite?: PathRewrite;
      readonly status: number;
    }
  | { readonly kind: "respond"; readonly status: number; readonly body?: string };

export interface Route {
  readonly match: Match;
  readonly action: Action;
  readonly policies: RoutePolicies;
  /** What the plain HTTP listener does with it where the host has TLS. */
  readonly insecure: "serve" | "redirect" | "absent";
  /** Among routes that match alike closely, those of a lower number come first; default 0. */
  readonly priority?: number;
  /** Of a wildcard host: holds for names with more labels than the one that a wildcard stands for, too. */
  readonly spansLabels?: true;
  readonly from: Ref;
  /** Where in that object, such as `spec.routes[1]`. */
  readonly field: string;
}

/** A certificate and the protocol range of one TLS host. */
export interface Tls {
  /** `<namespace>/<name>` of the Secret. */
  readonly secret: string;
  readonly minimum: TlsVersion;
  readonly maximum: TlsVersion;
  readonly clientValidation?: ClientValidation;
}

/** What a client's certificate has to be. */
export interface ClientValidation {
  /** PEM. */
  readonly ca?: string;
  /** PEM. */
  readonly crl?: string;
  readonly crlLeafOnly: boolean;
  readonly optional: boolean;
  /** Any certificate will do. */
  readonly skipVerification: boolean;
  /** What the backend is told in `x-forwarded-client-cert`; absent: nothing. */
  readonly forward?: {
    readonly subject: boolean;
    readonly cert: boolean;
    readonly chain: boolean;
    readonly dns: boolean;
    readonly uri: boolean;
  };
}

export type TlsVersion = "1.2" | "1.3";

export interface TcpBackend {
  readonly cluster: Cluster;
  readonly weight: number;
}

/**
 * How connections to a host are taken on one Envoy listener: whether and under which certificate TLS ends, what is asked of
 * clients, and where bytes go. All of it is what one object, the owner of the host there, says; nothing puts two together.
 */
export type Terms = HttpTerms | HttpsTerms | TcpTerms | NoTerms;

export interface HttpTerms {
  readonly kind: "http";
  readonly owner: Ref;
  readonly policies: HostPolicies;
}

export interface HttpsTerms {
  readonly kind: "https";
  readonly owner: Ref;
  readonly policies: HostPolicies;
  readonly tls: Tls;
  /** `<namespace>/<name>` of the certificate for clients without SNI, if they may have this host. */
  readonly fallback?: string;
  /** Who is asked about requests. */
  readonly authorization?: Authorization;
  readonly jwtProviders: readonly JwtProvider[];
}

export interface TcpTerms {
  readonly kind: "tcp";
  readonly owner: Ref;
  readonly ipFilter?: IpFilter;
  /** Absent is TLS passthrough. */
  readonly tls?: Tls;
  /** At least one. */
  readonly backends: readonly TcpBackend[];
}

/** The owner has the host there and serves nothing. */
export interface NoTerms {
  readonly kind: "none";
  readonly owner: Ref;
}

/** What one Envoy listener does for a host. */
export interface Site {
  readonly terms: Terms;
  /** Of HTTP and HTTPS. */
  readonly routes: readonly Route[];
}

/** What a host is on each Envoy listener that has it, by the listener's name. */
export type Sites = ReadonlyMap<string, Site>;

/** One host. */
export interface VirtualHost {
  /** Lower case; `*` is any host, `*.x` any host with one more label. */
  readonly host: string;
  readonly sites: Sites;
  /**
   * Envoy listeners on which the host is kept from a wider one, which has HTTP or bytes there: requests are answered 404,
   * connections are closed.
   */
  readonly closed: ReadonlyMap<string, "http" | "tcp">;
  /** All requests for an upgrade to a websocket are let through, as with Contour on listeners of a Gateway. */
  readonly websockets?: true;
}

/** How an authorization service is asked about requests. */
export interface Authorization {
  /** The Envoy cluster of the service. */
  readonly cluster: string;
  /** The `:authority` of gRPC calls. */
  readonly authority: string;
  /** Absent: gRPC. */
  readonly http?: HttpAuthorization;
  /** In ms; 0 is for ever, absent Envoy's default. */
  readonly timeoutMs?: number;
  /** Lets requests through when the service does not answer. */
  readonly failOpen: boolean;
  readonly body?: { readonly maxBytes: number; readonly allowPartial: boolean; readonly asBytes: boolean };
}

export interface HttpAuthorization {
  readonly pathPrefix?: string;
  /** Headers of the request that the service gets. */
  readonly requestHeaders: readonly AllowedHeader[];
  /** Headers of the service's answer that the backend gets. */
  readonly upstreamHeaders: readonly AllowedHeader[];
}

export interface AllowedHeader {
  readonly kind: "exact" | "prefix" | "suffix" | "contains";
  readonly value: string;
  readonly ignoreCase: boolean;
}

/** Who signs the tokens that a virtual host accepts. */
export interface JwtProvider {
  readonly name: string;
  readonly issuer?: string;
  readonly audiences: readonly string[];
  /** Whether the backend gets the token. */
  readonly forward: boolean;
  readonly keys:
    | { readonly kind: "local"; readonly jwks: string }
    | ({ readonly kind: "remote" } & RemoteKeys);
}

export interface RemoteKeys {
  readonly uri: string;
  readonly timeoutMs: number;
  readonly cacheMs?: number;
  readonly server: JwksServer;
}

/** Where a key set is fetched from. Equal nodes are one Envoy cluster. */
export interface JwksServer {
  readonly scheme: "http" | "https";
  readonly host: Reachable;
  readonly port: number;
  readonly family: "auto" | "v4" | "v6" | "all";
  readonly validation?: UpstreamValidation;
}
