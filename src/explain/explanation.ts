import type { RouteOrigin } from "../graph/core/route-origins.js";
import type { Ref } from "../schema/meta.js";
import type { Fact, Protections } from "../xds/policies/facts.js";
import type { GatewaySeat } from "./gateway-seat.js";

/** A route that was evaluated. */
export interface RouteSeen {
  /** Its index among the routes of its host, from 0. */
  readonly index: number;
  /** A description of the match. */
  readonly match: string;
  readonly origin?: RouteOrigin;
}

/** A route that does not match the request. */
export interface RouteTried extends RouteSeen {
  readonly why: string;
  /** Whether its path matches. */
  readonly near: boolean;
}

export interface BackendSeen {
  readonly cluster: string;
  readonly weight: number;
  /** Share of the requests, from 0 to 100. */
  readonly percent: number;
  /** Number of endpoints; with 0 the answer is 503, unless `endpointsUnknown`. */
  readonly endpoints: number;
  /** The objects with the endpoints are not among the compiled ones. */
  readonly endpointsUnknown?: true;
}

/**
 * - `forward`, `redirect`, `respond`: the action of the route.
 * - `tcp`: the connection is passed through with any content.
 * - `udp`: the datagrams are passed through.
 * - `closed`: nothing accepts the connection.
 * - `refused`: Envoy rejects the request as malformed (400).
 * - `misdirected`: the Host header differs from the server name of the connection (421).
 * - `not-found`: no host or no route (404).
 */
export type Outcome =
  | "forward"
  | "redirect"
  | "respond"
  | "tcp"
  | "udp"
  | "closed"
  | "refused"
  | "misdirected"
  | "not-found";

/** The TLS parameters of a filter chain, as values. */
export type TlsSeen =
  | "passthrough"
  | {
      /** Such as `1.2`. */
      readonly minimum: string;
      readonly maximum: string;
      /** Secrets, as `namespace/name`; undefined for inline certificates. */
      readonly certificates: readonly string[] | undefined;
      readonly clientCertificate: "required" | "optional" | "none";
      /** Whether a client certificate of any authority is accepted. */
      readonly acceptsAny: boolean;
    };

/** A header that a route changes. */
export interface HeaderChange {
  /** Lower case. */
  readonly name: string;
  readonly action: "set" | "add" | "remove";
  /** Without Envoy's escapes: `%` is literal, unless it begins a variable such as `%REQ(x-a)%`. */
  readonly value?: string;
  /** The only backend with this change; absent for all backends. */
  readonly service?: string;
}

/** The effect on a request and its response, as values. */
export interface Applied {
  /** The request as backends receive it; only for forwarded requests. */
  readonly forwarded?: {
    /** Without the query. */
    readonly path: string;
    /** Host headers without duplicates: weighted backends may receive different ones. */
    readonly hosts: readonly string[];
  };
  readonly requestHeaders: readonly HeaderChange[];
  readonly responseHeaders: readonly HeaderChange[];
  readonly protections: Protections;
}

/** The result of a request, with the reasons. */
export interface Explanation {
  readonly outcome: Outcome;
  /** The outcome in one sentence. */
  readonly summary: string;
  /** The status of Envoy's own answer, unless an earlier filter refuses the request. */
  readonly status?: number;
  /** `Location` of a redirect. */
  readonly location?: string;
  readonly listener?: {
    readonly name: string;
    readonly address: string;
    readonly port: number;
    /** Further IP addresses. */
    readonly moreAddresses?: readonly string[];
    /** The corresponding port of the Gateway that the setting `gatewayRef` names. */
    readonly gatewayPort?: number;
    /** The listener of a Gateway that has the host. */
    readonly seat?: GatewaySeat;
  };
  readonly chain?: { readonly name: string; readonly facts: readonly Fact[] };
  readonly virtualHost?: { readonly name: string; readonly domain: string; readonly table: string };
  readonly route?: RouteSeen;
  /** The route of a TCP or UDP listener. */
  readonly origin?: RouteOrigin;
  /** The backends of the request, with their shares. */
  readonly backends: readonly BackendSeen[];
  /** The path that the backend receives, if it is rewritten. */
  readonly path?: string;
  readonly facts: readonly Fact[];
  /** The TLS parameters of the connection; absent without TLS. */
  readonly tls?: TlsSeen;
  /** The facts as values; absent where the request is not changed. */
  readonly applied?: Applied;
  /** Objects that claim the host, where known. */
  readonly claimants?: readonly Ref[];
  /** Non-matching routes before the selected one, in order. */
  readonly tried: readonly RouteTried[];
  /** Possible causes and alternatives. */
  readonly hints: readonly string[];
}
