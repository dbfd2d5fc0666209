import type { Explanation, HeaderChange, Outcome, TlsSeen } from "../explain/explanation.js";
import type { Protections } from "../explain/guards.js";
import { serviceOf } from "../explain/names.js";

/** The result of a request, in the form that tests check. */
export interface Observed {
  readonly outcome: Outcome;
  /** The outcome in one sentence. */
  readonly summary: string;
  /** The status of Envoy's own answer; undefined when a backend answers. */
  readonly status: number | undefined;
  readonly location: string | undefined;
  /** Backends that get requests, as `namespace/name/port`. */
  readonly backends: readonly { readonly service: string; readonly weight: number }[];
  /** No backend has an endpoint: HTTP requests get 503, other connections are closed. */
  readonly isEmpty: boolean;
  /** The path in the request to the backends; undefined without one. */
  readonly path: string | undefined;
  readonly query: string | undefined;
  readonly hosts: readonly string[];
  readonly requestHeaders: readonly HeaderChange[];
  readonly responseHeaders: readonly HeaderChange[];
  readonly tls: TlsSeen | undefined;
  readonly protections: Protections;
}

/** Converts an explanation of a request. `query` is the query of the request. */
export function observe(explanation: Explanation, query: string | undefined): Observed {
  const { outcome, summary, location, tls, applied } = explanation;
  const backends = explanation.backends.filter(({ weight }) => weight > 0);
  const isEmpty =
    backends.length > 0 &&
    backends.every(({ endpoints, endpointsUnknown }) => endpoints === 0 && !endpointsUnknown);
  const isHttp = outcome === "forward";
  return {
    outcome,
    summary: isEmpty ? `${isHttp ? "503: " : ""}${summary}, which has no endpoints` : summary,
    isEmpty,
    status: isEmpty && isHttp ? 503 : explanation.status,
    location,
    backends: backends.map(({ cluster, weight }) => ({ service: serviceOf(cluster), weight })),
    path: applied?.forwarded?.path,
    query,
    hosts: applied?.forwarded?.hosts ?? [],
    requestHeaders: applied?.requestHeaders ?? [],
    responseHeaders: applied?.responseHeaders ?? [],
    tls,
    protections: applied?.protections ?? {},
  };
}
