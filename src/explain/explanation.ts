import type { RouteOrigin } from "../graph/core/route-origins.js";
import type { Ref } from "../schema/meta.js";
import type { Fact } from "../xds/policies/policy.js";
import type { Applied } from "./applied.js";
import type { TlsSeen } from "./chain.js";

/** A route that was looked at. */
export interface RouteSeen {
  /** Its place among the routes of its host, from 0. */
  readonly index: number;
  /** In words. */
  readonly match: string;
  readonly origin?: RouteOrigin;
}

/** A route that a request was not for. */
export interface RouteTried extends RouteSeen {
  readonly why: string;
  /** Whether the path at least was its own. */
  readonly near: boolean;
}

export interface BackendSeen {
  readonly cluster: string;
  readonly weight: number;
  /** Of the requests, 0 to 100. */
  readonly percent: number;
  /** How many there are to choose from; 0 answers 503, unless `endpointsUnknown`. */
  readonly endpoints: number;
  /** The objects that hold the endpoints are not among those that were compiled. */
  readonly endpointsUnknown?: true;
}

/**
 * - `forward`, `redirect`, `respond`: what the route does.
 * - `tcp`: the connection is passed on, whatever is in it.
 * - `closed`: nothing takes the connection.
 * - `refused`: Envoy takes the request for a bad one (400).
 * - `misdirected`: the Host header is not the server name of the connection (421).
 * - `not-found`: no host or no route (404).
 */
export type Outcome =
  | "forward"
  | "redirect"
  | "respond"
  | "tcp"
  | "closed"
  | "refused"
  | "misdirected"
  | "not-found";

/** What becomes of a request, and why. */
export interface Explanation {
  readonly outcome: Outcome;
  /** The outcome in one sentence. */
  readonly summary: string;
  /** What Envoy itself answers, unless an earlier filter refuses. */
  readonly status?: number;
  /** `Location` of a redirect. */
  readonly location?: string;
  readonly listener?: {
    readonly name: string;
    readonly address: string;
    readonly port: number;
    /** The Gateway's port for it. */
    readonly gatewayPort?: number;
  };
  readonly chain?: { readonly name: string; readonly facts: readonly Fact[] };
  readonly virtualHost?: { readonly name: string; readonly domain: string; readonly table: string };
  readonly route?: RouteSeen;
  /** Where the request goes, by share. */
  readonly backends: readonly BackendSeen[];
  /** What the backend sees for the path, when it is rewritten. */
  readonly path?: string;
  readonly facts: readonly Fact[];
  /** How the connection is taken; absent without TLS. */
  readonly tls?: TlsSeen;
  /** What the facts say, in values; absent where nothing is done to the request. */
  readonly applied?: Applied;
  /** Objects that speak for the host, where they are known. */
  readonly claimants?: readonly Ref[];
  /** Routes before the one that won, in order. */
  readonly tried: readonly RouteTried[];
  /** What may have been meant. */
  readonly hints: readonly string[];
}
