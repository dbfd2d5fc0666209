import type { Ref } from "../../schema/meta.js";
import type { Cluster } from "../backends/cluster.js";
import type { Match } from "../matches/match-types.js";
import type { ClientValidation } from "../policies/client-validation.js";
import type { BackendPolicies, HostPolicies, RoutePolicies } from "../policies/index.js";
import type { IpFilter } from "../policies/ip-filter.js";
import type { PathRewrite } from "../policies/path-rewrite.js";

/** A weighted choice of a cluster; its header policies apply to requests sent there. */
export interface Backend {
  readonly cluster: Cluster;
  readonly weight: number;
  readonly policies: BackendPolicies;
}

/** A cluster that receives a copy of the requests; its responses are ignored. */
export interface Mirror {
  readonly cluster: Cluster;
  /** With up to four decimal places. */
  readonly percent: number;
}

export type Action =
  | {
      readonly kind: "forward";
      readonly backends: readonly Backend[];
      readonly mirrors?: readonly Mirror[];
      /** The weight beside that of the backends of requests that are answered 500. */
      readonly lost?: number;
    }
  | {
      readonly kind: "redirect";
      readonly scheme?: string;
      readonly host?: string;
      readonly port?: number;
      readonly path?: string;
      readonly rewrite?: PathRewrite;
      /** The query of the request does not go on. */
      readonly stripQuery?: true;
      readonly status: number;
    }
  | { readonly kind: "respond"; readonly status: number; readonly body?: string };

export interface Route {
  readonly match: Match;
  readonly action: Action;
  readonly policies: RoutePolicies;
  /** What the plain HTTP listener does with the route if the host has TLS. */
  readonly insecure: "serve" | "redirect" | "absent";
  /** Among equally specific routes, a lower number comes first; default 0. */
  readonly priority?: number;
  /**
   * Among routes of one path, those of a lower number come first, whatever their conditions; default 0. Those of ingress-nginx have a
   * higher one, so that they come after all others of their path.
   */
  readonly rank?: number;
  /** For a wildcard host: the route also matches names with more than one label in place of the wildcard. */
  readonly spansLabels?: true;
  readonly from: Ref;
  /** Field path in that object, such as `spec.routes[1]`. */
  readonly field: string;
}

/** A certificate and the protocol range of one TLS host. */
export interface Tls {
  /** `<namespace>/<name>` of the Secret. */
  readonly secret: string;
  /** Those of further certificates. */
  readonly moreSecrets?: readonly string[];
  readonly minimum: TlsVersion;
  readonly maximum: TlsVersion;
  readonly clientValidation?: ClientValidation;
}

export type TlsVersion = "1.2" | "1.3";

export interface TcpBackend {
  /** Absent: connections are closed. */
  readonly cluster?: Cluster;
  readonly weight: number;
}

/**
 * How one Envoy listener takes connections to a host: whether TLS ends there and with which certificate, how clients
 * are validated, and the destination of bytes. All of it comes from one object, the owner of the host on the listener;
 * the values of two objects are never combined.
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
  /** `<namespace>/<name>` of the certificate for clients without SNI, if they may use this host. */
  readonly fallback?: string;
}

export interface TcpTerms {
  readonly kind: "tcp";
  readonly owner: Ref;
  readonly ipFilter?: IpFilter;
  /** Without it: TLS passthrough. */
  readonly tls?: Tls;
  /** At least one. */
  readonly backends: readonly TcpBackend[];
}

/** The owner has the host on the listener and serves nothing. */
export interface NoTerms {
  readonly kind: "none";
  readonly owner: Ref;
}

/** A host on one Envoy listener. */
export interface Site {
  readonly terms: Terms;
  /** Only with terms of HTTP and HTTPS. */
  readonly routes: readonly Route[];
  /** Of a host of a Gateway of a class; absent: as hosts of HTTPProxies are. */
  readonly place?: ListenerPlace;
}

/** How a host of a listener of a Gateway is served: what no route takes answers 404, whatever wider hosts have. */
export interface ListenerPlace {
  /** The Envoy listener. */
  readonly envoy: string;
  /** Where this is the hostname of a listener behind TLS. */
  readonly door?: {
    /** Route tables of the other listeners on the port: a request for the host that comes over a connection of theirs is answered 421. */
    readonly others: readonly string[];
  };
}

/** What a host is in each place that has it, by the name of the Envoy listener or of the route table. */
export type Sites = ReadonlyMap<string, Site>;

/** One host. */
export interface VirtualHost {
  /** Lower case; `*` is any host, `*.x` any host with one label before `.x`. */
  readonly host: string;
  readonly sites: Sites;
  /**
   * Envoy listeners on which a wider host would serve HTTP or TCP for this reserved host: requests get a 404 response,
   * connections are closed.
   */
  readonly closed: ReadonlyMap<string, "http" | "tcp">;
  /** Allows all websocket upgrades, as Contour does on listeners of a Gateway. */
  readonly websockets?: true;
}
