import type { Match } from "../graph/matches/match-types.js";
import type { Ref } from "../schema/meta.js";
import type { SourceObject } from "./source.js";

export type RemarkSeverity = "info" | "warning" | "error";

/** A place in an object of the input. */
export interface SourcePart {
  readonly object: SourceObject;
  /** As `pathText` prints it; empty for the whole object. */
  readonly path: string;
}

/** Something that is to be said of the conversion. */
export interface Remark {
  readonly severity: RemarkSeverity;
  readonly about: Ref;
  readonly path: string;
  readonly message: string;
  readonly todo?: string;
  /** Hosts whose requests it is about. */
  readonly hosts: readonly string[];
  /** Routes answer 503 because of it. */
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
  /** Another prefix in the place of the matched one. */
  | { readonly kind: "prefix"; readonly value: string }
  /** Another path, whatever was matched. */
  | { readonly kind: "full"; readonly value: string };

export interface Redirect {
  readonly scheme?: "http" | "https";
  readonly hostname?: string;
  readonly port?: number;
  readonly status: number;
  readonly path?: SourceRewrite;
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

/** Who may use a route. What a target can't say closes the route. */
export type AccessRule = { readonly part: SourcePart } & (
  | {
      readonly kind: "addresses";
      readonly allow: readonly string[];
      readonly deny: readonly string[];
      /** `Peer` is the connection's other end, `Remote` the client as trusted proxies say it. */
      readonly source: "Peer" | "Remote";
    }
  | { readonly kind: "external"; readonly service: ExternalAuth }
  | { readonly kind: "external-off" }
);

/** An authorization service that Envoy asks in its own way. */
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

/** What is done to requests of a route beside sending them on. */
export interface RouteFilters {
  readonly rewrite?: SourceRewrite;
  readonly host?: string;
  readonly requestHeaders: HeaderChanges;
  readonly responseHeaders: HeaderChanges;
  /** For the whole response, such as `15s`; `infinity` for none, absent for Envoy's own. */
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

/** One way of requests through a host. */
export interface SourceRoute {
  /** Places of the input that it comes from, the one to name in a comment first. */
  readonly parts: readonly SourcePart[];
  /** Lower case; `*` is any host. */
  readonly hosts: readonly string[];
  readonly match: Match;
  readonly action: SourceAction;
  readonly filters: RouteFilters;
  readonly access: readonly AccessRule[];
  /** Over HTTP: served, a redirect to HTTPS with this status, or nothing. */
  readonly http: "serve" | "none" | 301 | 302 | 303 | 307 | 308;
  /** Whether it is there over HTTPS, where its host has a certificate. */
  readonly https: boolean;
  /** The source tries routes with a lower number first, those of one number in the order of the list. */
  readonly precedence?: number;
  /** It answers 503, because of a remark that its reader has made. */
  readonly closed?: boolean;
}

export const byPrecedence = (a: SourceRoute, b: SourceRoute): number =>
  (a.precedence ?? 0) - (b.precedence ?? 0);

/** How connections to a host are taken. */
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
  /** What TCP connections are sent to. */
  readonly tcp?: readonly SourceBackend[];
}

export interface ClientCertificates {
  readonly ca?: Name;
  readonly crl?: Name;
  readonly optional: boolean;
  /** Any certificate is let through. */
  readonly unchecked?: boolean;
  readonly forward?: readonly ("subject" | "cert" | "chain" | "dns" | "uri")[];
}

/** A port whose connections go to Services, without a host. */
export interface TcpPort {
  readonly part: SourcePart;
  readonly port: number;
  readonly backends: readonly SourceBackend[];
}
