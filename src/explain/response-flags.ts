/** A response flag of Envoy's access log (`%RESPONSE_FLAGS%`), which says why Envoy answered by itself. */
export interface ResponseFlag {
  readonly flag: string;
  readonly meaning: string;
  /** What to look at. */
  readonly look: string;
  /** The counters that rise with it, as they end; each may be of a listener or a cluster. */
  readonly counters: readonly string[];
}

/** The flags that come up in practice, the most frequent first. */
export const responseFlags: readonly ResponseFlag[] = [
  {
    flag: "NR",
    meaning: "no route takes the request: 404, or a connection that no filter chain takes",
    look: "isoline explain METHOD URL: it names the routes that were tried, and hosts that are spelt alike",
    counters: ["no_route", "no_filter_chain_match"],
  },
  {
    flag: "UH",
    meaning: "the cluster has no healthy endpoint: 503",
    look: "the Service's EndpointSlices (are Pods ready?), and the health check policy of the route",
    counters: ["upstream_cx_none_healthy"],
  },
  {
    flag: "UF",
    meaning: "no connection to the endpoint: 503",
    look: "the port of the Service and of the Pod, network policies, and TLS to the backend (protocol, validation)",
    counters: ["upstream_cx_connect_fail"],
  },
  {
    flag: "UC",
    meaning: "the endpoint closed the connection during a request: 503",
    look: "the backend's log, and its idle timeout, which has to be longer than Envoy's",
    counters: ["upstream_cx_destroy_remote_with_active_rq"],
  },
  {
    flag: "UT",
    meaning: "the backend did not answer in time: 504",
    look: "timeoutPolicy.response of the route, and what the backend is slow at",
    counters: ["upstream_rq_timeout", "upstream_rq_per_try_timeout"],
  },
  {
    flag: "UO",
    meaning: "a circuit breaker is open: 503",
    look: "the circuit breakers of the Service (annotations, setting circuitBreakers), and whether the backend keeps up",
    counters: ["upstream_cx_overflow", "upstream_rq_pending_overflow"],
  },
  {
    flag: "URX",
    meaning: "all retries are used up, or as many connections failed as may",
    look: "retryPolicy of the route, and the flag of the last attempt",
    counters: ["upstream_rq_retry_limit_exceeded"],
  },
  {
    flag: "NC",
    meaning: "the route names a cluster that this Envoy does not have: 503",
    look: "isoline status: whether this Envoy refuses clusters or is behind",
    counters: ["no_cluster"],
  },
  {
    flag: "UAEX",
    meaning: "an authorization service refused the request, or could not be asked: 403",
    look: "the log of the service, authorization and failOpen of the virtual host, and whether its ExtensionService has endpoints",
    counters: ["ext_authz.denied", "ext_authz.error"],
  },
  {
    flag: "RL",
    meaning: "a rate limit refused the request: 429",
    look: "rateLimitPolicy of the route and the virtual host",
    counters: ["rate_limited", "ratelimit.over_limit"],
  },
  {
    flag: "DC",
    meaning: "the client closed the connection before the answer",
    look: "timeouts of clients and of load balancers before Envoy",
    counters: ["downstream_cx_destroy_remote_active_rq"],
  },
  {
    flag: "DPE",
    meaning: "the client broke the protocol: 400",
    look: "what reaches the port: TLS on a port for plain HTTP, or the proxy protocol where it is not expected",
    counters: ["downstream_cx_protocol_error", "downstream_cx_http1_protocol_error"],
  },
  {
    flag: "SI",
    meaning: "nothing moved on the stream for too long: 408 or 504",
    look: "timeoutPolicy.idle of the route, and the setting for idle streams",
    counters: ["downstream_rq_idle_timeout"],
  },
  {
    flag: "OM",
    meaning: "Envoy protects itself from overload: 503",
    look: "memory of Envoy, and --overload-max-heap of its bootstrap",
    counters: ["downstream_rq_overload_close", "downstream_cx_overload_reject"],
  },
];

/** Counters that have risen, with the flag that they stand for. */
export interface RaisedFlag extends ResponseFlag {
  readonly total: number;
  /** The listeners and clusters with the most, such as `cluster shop/web/80`; at most `maxPlaces`. */
  readonly places: readonly { readonly place: string; readonly count: number }[];
}

const maxPlaces = 5;

/** Flags whose counters are above 0 since an Envoy started, by the counters of its admin interface. */
export function raisedFlags(counters: Iterable<readonly [name: string, value: number]>): RaisedFlag[] {
  const all = [...counters];
  return responseFlags.flatMap((flag) => {
    const places = new Map<string, number>();
    for (const [name, value] of all) {
      const end = flag.counters.find((counter) => name === counter || name.endsWith(`.${counter}`));
      if (end === undefined || value <= 0) continue;
      const place = placeOf(name.slice(0, -end.length));
      places.set(place, (places.get(place) ?? 0) + value);
    }
    const total = [...places.values()].reduce((sum, count) => sum + count, 0);
    if (total === 0) return [];
    const sorted = [...places].sort(([, a], [, b]) => b - a).slice(0, maxPlaces);
    return [{ ...flag, total, places: sorted.map(([place, count]) => ({ place, count })) }];
  });
}

/** `cluster shop/web/80` of `cluster.shop/web/80/0123456789abcdef.`. */
function placeOf(prefix: string): string {
  const [kind = "", ...rest] = prefix.replace(/\.+$/, "").split(".");
  const name = rest.join(".").replace(/\/[0-9a-f]{16}/, "");
  return name === "" ? kind || "Envoy" : `${kind} ${name}`;
}
