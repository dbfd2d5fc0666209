import type { Match } from "../graph/matches/match-types.js";
import type { Ref } from "../schema/meta.js";
import type { SourceObject } from "./source.js";

export type RemarkSeverity = "info" | "warning" | "error";

/** A place in an object of the input. */
export interface SourcePart {
  readonly object: SourceObject;
  /** In the form of `pathText`; empty for the whole object. */
  readonly path: string;
}

/** A note about the conversion, for the report. */
export interface Remark {
  readonly severity: RemarkSeverity;
  readonly about: Ref;
  readonly path: string;
  readonly message: string;
  readonly todo?: string;
  /** The hosts whose requests it concerns. */
  readonly hosts: readonly string[];
  /** Whether routes answer 503 because of it. */
  readonly closes: boolean;
}

export interface Name {
  readonly namespace: string;
  readonly name: string;
}

export interface Validation {
  readonly caSecret: string;
  readonly subjectName: string;
}

export interface SourceBackend extends Name {
  readonly port: number | string;
  readonly weight?: number;
  readonly protocol?: "tls" | "h2" | "h2c";
  readonly validation?: Validation;
  readonly requestHeaders?: HeaderChanges;
  readonly responseHeaders?: HeaderChanges;
}

export interface HeaderChanges {
  readonly set: readonly (readonly [name: string, value: string])[];
  readonly add: readonly (readonly [name: string, value: string])[];
  readonly remove: readonly string[];
}

export const noHeaders: HeaderChanges = { set: [], add: [], remove: [] };

export type SourceRewrite =
  /** Replaces the matched prefix. */
  | { readonly kind: "prefix"; readonly value: string }
  /** Replaces the whole path. */
  | { readonly kind: "full"; readonly value: string }
  /** Replaces each match in the path. The replacement has groups as in RE2: `\1`. */
  | PathSubstitution;

/** A rewrite by a regular expression. */
export interface PathSubstitution {
  readonly kind: "regex";
  readonly regex: string;
  readonly replacement: string;
}

export interface Redirect {
  readonly scheme?: "http" | "https";
  readonly hostname?: string;
  readonly port?: number;
  readonly status: number;
  readonly path?: Exclude<SourceRewrite, PathSubstitution>;
}

export type SourceAction =
  | { readonly kind: "forward"; readonly backends: readonly SourceBackend[] }
  | { readonly kind: "redirect"; readonly redirect: Redirect }
  | { readonly kind: "respond"; readonly status: number; readonly body: string };

export interface Cors {
  readonly allowOrigin: readonly string[];
  readonly allowMethods: readonly string[];
  readonly allowHeaders: readonly string[];
  readonly exposeHeaders: readonly string[];
  readonly maxAge?: string;
  readonly allowCredentials: boolean;
}

export interface Retry {
  readonly count: number;
  readonly perTry?: string;
  readonly on: readonly string[];
  readonly statusCodes?: readonly number[];
}

/** A restriction of access to a route. If the target cannot express it, the route is closed. */
export type AccessRule = { readonly part: SourcePart } & (
  | {
      readonly kind: "addresses";
      readonly allow: readonly string[];
      readonly deny: readonly string[];
      /** `Peer` is the address of the connection; `Remote` is the client address that trusted proxies report. */
      readonly source: "Peer" | "Remote";
    }
  | { readonly kind: "external"; readonly service: ExternalAuth }
  | { readonly kind: "external-off" }
);

/** An authorization service with Envoy's ext_authz protocol. */
export interface ExternalAuth extends Name {
  readonly port: number;
  readonly protocol: "h2" | "h2c" | "http";
  readonly kind: "grpc" | "http";
  readonly pathPrefix: string;
  readonly timeout?: string;
  readonly failOpen: boolean;
  readonly requestHeaders: readonly string[];
  readonly responseHeaders: readonly string[];
  readonly maxBytes?: number;
}

export interface SourceBalancing {
  readonly strategy: "RoundRobin" | "Random" | "WeightedLeastRequest" | "Cookie" | "RequestHash";
  readonly hash?: readonly (
    | { readonly header: string }
    | { readonly query: string }
    | { readonly source: true }
  )[];
}

export interface SourceHealthCheck {
  readonly path: string;
  readonly host?: string;
  readonly intervalSeconds?: number;
  readonly timeoutSeconds?: number;
  readonly unhealthyThresholdCount?: number;
  readonly healthyThresholdCount?: number;
}

/** Changes to requests and responses of a route, and options for forwarding them. */
export interface RouteFilters {
  readonly rewrite?: SourceRewrite;
  readonly host?: string;
  readonly requestHeaders: HeaderChanges;
  readonly responseHeaders: HeaderChanges;
  /** The timeout of the whole response, such as `15s`. `infinity` disables it; if absent, Envoy's default applies. */
  readonly timeout?: string;
  readonly idle?: string;
  readonly retry?: Retry;
  readonly cors?: Cors;
  readonly balancing?: SourceBalancing;
  readonly healthCheck?: SourceHealthCheck;
  readonly mirrors: readonly { readonly backend: SourceBackend; readonly percent: number }[];
  readonly websockets: boolean;
}

export const noFilters = (timeout: string | undefined): RouteFilters => ({
  requestHeaders: noHeaders,
  responseHeaders: noHeaders,
  ...(timeout === undefined ? {} : { timeout }),
  mirrors: [],
  websockets: true,
});

/** A route for one or several hosts. */
export interface SourceRoute {
  /** The places in the input that it comes from. Comments name the first one. */
  readonly parts: readonly SourcePart[];
  /** Lower case; `*` is any host. */
  readonly hosts: readonly string[];
  readonly match: Match;
  readonly action: SourceAction;
  readonly filters: RouteFilters;
  readonly access: readonly AccessRule[];
  /** The treatment of HTTP requests: served, not served, or redirected to HTTPS with this status. */
  readonly http: "serve" | "none" | 301 | 302 | 303 | 307 | 308;
  /** Whether the route is served over HTTPS if its host has a certificate. */
  readonly https: boolean;
  /** The source tries routes with lower numbers first. Routes with equal numbers keep the order of the list. */
  readonly precedence?: number;
  /** Whether the route answers 503 because of a remark of its reader. */
  readonly closed?: boolean;
}

export const byPrecedence = (a: SourceRoute, b: SourceRoute): number =>
  (a.precedence ?? 0) - (b.precedence ?? 0);

/** A host with its TLS configuration and its backends for TCP. */
export interface SourceSite {
  readonly part: SourcePart;
  readonly host: string;
  readonly tls:
    | {
        readonly kind: "terminate";
        readonly secret: Name;
        readonly minimum?: "1.2" | "1.3";
        readonly maximum?: "1.2" | "1.3";
        readonly client?: ClientCertificates;
      }
    | { readonly kind: "passthrough" };
  /** The backends of TCP connections. */
  readonly tcp?: readonly SourceBackend[];
}

export interface ClientCertificates {
  readonly ca?: Name;
  readonly crl?: Name;
  readonly optional: boolean;
  /** Whether client certificates are accepted without verification. */
  readonly unchecked?: boolean;
  readonly forward?: readonly ("subject" | "cert" | "chain" | "dns" | "uri")[];
}

/** A port that forwards TCP connections to Services, without a host. */
export interface TcpPort {
  readonly part: SourcePart;
  readonly port: number;
  readonly backends: readonly SourceBackend[];
}
