import type { Ref } from "../schema/meta.js";
import type { EndpointMode } from "../store/store.js";
import type { RoutePolicies } from "./policy/index.js";

export type PathKind = "exact" | "regex" | "prefix" | "segment";

/** `prefix` is a string prefix, `segment` a prefix of whole path segments (never ends in `/`). */
export interface PathMatch {
  readonly kind: PathKind;
  readonly value: string;
}

export interface HeaderMatch {
  readonly name: string;
  readonly kind: "exact" | "regex" | "contains" | "present";
  readonly value: string;
  readonly invert: boolean;
  readonly ignoreCase: boolean;
  readonly treatMissingAsEmpty: boolean;
}

export interface QueryMatch {
  readonly name: string;
  readonly kind: "exact" | "regex" | "prefix" | "suffix" | "contains" | "present";
  readonly value: string;
  readonly ignoreCase: boolean;
}

/** Headers and queries are sorted (graph/match.ts). */
export interface Match {
  readonly path: PathMatch;
  readonly headers: readonly HeaderMatch[];
  readonly queries: readonly QueryMatch[];
}

export interface HealthCheck {
  readonly kind: "http" | "tcp";
  readonly path: string;
  readonly host: string;
  readonly intervalSeconds: number;
  readonly timeoutSeconds: number;
  readonly unhealthyThreshold: number;
  readonly healthyThreshold: number;
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
  /** `<namespace>/<service>/<port name>`, or undefined for an ExternalName service. */
  readonly endpoints?: string;
  readonly mode?: EndpointMode;
  readonly externalName?: string;
  readonly protocol?: "tls" | "h2" | "h2c";
  readonly sni?: string;
  readonly validation?: UpstreamValidation;
  readonly loadBalancing: LoadBalancing;
  readonly healthCheck?: HealthCheck;
  readonly idleConnectionMs?: number;
  readonly circuitBreakers?: CircuitBreakers;
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
  readonly policies: Pick<RoutePolicies, "requestHeaders" | "responseHeaders">;
}

export type Action =
  | { readonly kind: "forward"; readonly backends: readonly Backend[] }
  | {
      readonly kind: "redirect";
      readonly scheme?: string;
      readonly host?: string;
      readonly port?: number;
      readonly path?: string;
      readonly prefix?: string;
      readonly status: number;
    }
  | { readonly kind: "respond"; readonly status: number; readonly body?: string };

export interface Route {
  readonly match: Match;
  readonly action: Action;
  readonly policies: RoutePolicies;
  /** What the plain HTTP listener does with it where the host has TLS. */
  readonly insecure: "serve" | "redirect" | "absent";
  readonly from: Ref;
}

/** A certificate and the protocol range of one TLS host. */
export interface Tls {
  /** `<namespace>/<name>` of the Secret. */
  readonly secret: string;
  readonly minimum: TlsVersion;
  readonly maximum: TlsVersion;
}

export type TlsVersion = "1.2" | "1.3";

export interface TcpBackend {
  readonly cluster: Cluster;
  readonly weight: number;
}

/** One host: what the plain HTTP listener and, by SNI, the HTTPS listener do for it. */
export interface VirtualHost {
  /** Lower case; `*` is any host, `*.x` any host with one more label. */
  readonly host: string;
  readonly http: readonly Route[];
  readonly https: readonly Route[];
  /** Absent with `tcp` set is TLS passthrough. */
  readonly tls?: Tls;
  readonly tcp?: readonly TcpBackend[];
}
