import type { Ref } from "../../schema/meta.js";
import { append } from "../append.js";
import { withOwner } from "../host-owners.js";
import type { Root } from "../httpproxy.js";
import type { IngressHost } from "../ingress.js";
import { ingressHttp, ingressHttps } from "../listener-names.js";
import { byAge, orderRoutes } from "../order.js";
import { objectsOf, type Reader, type Report } from "../reader.js";
import type { PortHost, Route, TcpBackend, VirtualHost } from "../types.js";
import { type Parent, parentsOf } from "./attach.js";
import {
  type GatewayListener,
  type GatewayView,
  type RouteObject,
  readGateway,
  routeKinds,
} from "./gateway.js";
import { type RuleRoutes, readGrpcRules, readHttpRules } from "./http-route.js";
import { matchKey } from "./matches.js";
import { routeContext } from "./problems.js";
import { readTcpRule } from "./tcp.js";

/** What the routes of the Gateway API do for a host. */
export interface GatewayHost {
  /** Whether the Gateway has listeners for plain HTTP and for TLS at all. */
  readonly serves: { readonly http: boolean; readonly https: boolean };
  /** By Envoy listener. */
  readonly ports: ReadonlyMap<string, PortHost>;
}

/** Undefined without a Gateway. */
export function readGatewayHost(host: string, reader: Reader, report: Report): GatewayHost | undefined {
  const view = readGateway(reader);
  if (!view) return undefined;
  const serving = view.listeners.filter(({ envoy }) => envoy !== undefined);
  const serves = {
    http: serving.some(({ spec }) => spec.protocol === "HTTP"),
    https: serving.some(({ spec }) => spec.protocol !== "HTTP" && spec.protocol !== "TCP"),
  };
  const ports = new Map<string, Port>();
  const attached = new Map(
    routesOf(host, view, reader)
      .map((route) => [route, attachedTo(host, parentsOf(route, view, reader, host))] as const)
      .filter(([, places]) => places.size > 0),
  );
  for (const route of withOwner([...attached.keys()], host, reader, report)) {
    for (const [listener, listeners] of attached.get(route) ?? []) {
      const port = ports.get(listener) ?? new Port(host, report);
      ports.set(listener, port);
      port.attach(route, listeners, reader);
    }
  }
  return {
    serves,
    ports: new Map([...ports].map(([listener, port]) => [listener, port.finish(reader)])),
  };
}

/** What the listeners beside the main ones do for the host. */
export function elsewhereOf(host: string, { ports }: GatewayHost): ReadonlyMap<string, VirtualHost> {
  const found = new Map<string, VirtualHost>();
  for (const [listener, { secure, routes, tls, tcp }] of ports) {
    if (listener === ingressHttp || listener === ingressHttps) continue;
    const ordered = orderRoutes(routes);
    found.set(listener, {
      host,
      http: secure ? [] : ordered,
      https: secure ? ordered : [],
      ...(tls ? { tls } : {}),
      ...(tcp ? { tcp } : {}),
      policies: {},
      jwtProviders: [],
      websockets: true,
    });
  }
  return found;
}

/** What HTTPProxies, IngressRoutes and Ingresses say of a host. */
export interface Others {
  readonly ingress: IngressHost;
  readonly roots: readonly Root[];
}

/** As much of it as the Gateway has listeners for; who asks for another is told, and as with Contour not served at all. */
export function withListeners({ serves }: GatewayHost, { ingress, roots }: Others, report: Report): Others {
  const tell = (about: Ref, kind: "HTTP" | "HTTPS"): void =>
    report.error(about, "ListenerError", "ErrorIdentifyingListener", `no ${kind} listener configured`);
  const served = roots.filter(({ ref, secure }) => {
    if (!serves.http) tell(ref, "HTTP");
    if (secure && !serves.https) tell(ref, "HTTPS");
    return serves.http && (serves.https || !secure);
  });
  if (serves.http)
    return { ingress: serves.https ? ingress : { http: ingress.http, https: [] }, roots: served };
  for (const from of new Set(ingress.http.map((route) => route.from))) tell(from, "HTTP");
  return { ingress: { http: [], https: [] }, roots: served };
}

/** Routes that may have the host: by kind, then the oldest first. */
function routesOf(host: string, { listeners }: GatewayView, reader: Reader): RouteObject[] {
  const keys = [host];
  const own = listeners.filter(({ hostname }) => (hostname || "*") === host);
  // Only to a host that a listener has do routes of wider hostnames come.
  if (own.length > 0) keys.push(...widerThan(host));
  const refs = keys.flatMap((key) => reader.claimants(`routes:${key}`));
  if (own.some(({ spec }) => spec.protocol === "TLS")) append(refs, reader.claimants("tcp:"));
  return routeKinds.flatMap((kind): readonly RouteObject[] => {
    const routes: readonly RouteObject[] = objectsOf(kind, [...new Set(refs)], reader);
    return [...routes].sort(byAge);
  });
}

/** `*.b.c` and `*.c` for `a.b.c`, and `*`, which stands for routes without hostnames. */
function widerThan(host: string): string[] {
  const labels = host.split(".").slice(1);
  return [...labels.map((_, i) => `*.${labels.slice(i).join(".")}`), "*"].filter((wider) => wider !== host);
}

/** The listeners that serve a route for the host, by Envoy listener, the closest first. */
function attachedTo(host: string, parents: readonly Parent[]): Map<string, GatewayListener[]> {
  const found = new Map<string, GatewayListener[]>();
  for (const { listener, hosts } of parents.flatMap(({ attached }) => attached)) {
    if (!listener.envoy || listener.spec.protocol === "TCP" || !hosts.includes(host)) continue;
    const listeners = found.get(listener.envoy) ?? [];
    listeners.push(listener);
    found.set(listener.envoy, listeners);
  }
  for (const listeners of found.values()) listeners.sort((a, b) => b.hostname.length - a.hostname.length);
  return found;
}

const isOfOneKind = (a: Route | undefined, b: Route): boolean =>
  a?.from.split("/")[0] === b.from.split("/")[0];

/** Collects what one Envoy listener does for the host; what comes first stays. */
class Port {
  readonly #rules = new Map<string, Route>();
  /** Rules that were read so far: among matches that are alike close, those of the oldest route come first, then in their order. */
  #read = 0;
  #closest: GatewayListener | undefined;
  #tcp: readonly TcpBackend[] | undefined;

  constructor(
    private readonly host: string,
    private readonly report: Report,
  ) {}

  attach(route: RouteObject, listeners: readonly GatewayListener[], reader: Reader): void {
    const [first] = listeners;
    if (!first) return;
    if (!this.#closest || first.hostname.length > this.#closest.hostname.length) this.#closest = first;
    const context = routeContext(route, reader);
    if (route.kind === "HTTPRoute") this.#add(readHttpRules(route, context));
    else if (route.kind === "GRPCRoute")
      this.#add(readGrpcRules(route, context, first.secret ? "h2" : "h2c"));
    else this.#tcp ??= readTcpRule(route, reader);
  }

  /** As in Contour, a rule with a match that a route of its kind has already is left out. */
  #add(rules: readonly RuleRoutes[]): void {
    for (const rule of rules) {
      const priority = this.#read++;
      const keyed = rule.map((route) => [matchKey(route.match), route] as const);
      const taken = keyed.find(([key, route]) => isOfOneKind(this.#rules.get(key), route));
      if (taken) this.#tellTaken(...taken);
      else for (const [key, route] of keyed) this.#rules.set(key, { ...route, priority });
    }
  }

  #tellTaken(key: string, { from, field }: Route): void {
    const other = this.#rules.get(key);
    const message = `host ${this.host}: ${other?.from} ${other?.field} has a match of this rule already; the rule is left out`;
    this.report.warn(from, "PartiallyInvalid", "RuleMatchPartiallyConflict", message, field);
  }

  finish({ settings: { tls } }: Reader): PortHost {
    const routes = [...this.#rules.values()];
    // Routes that come to nothing change no certificate that an HTTPProxy has for the host.
    const secret = routes.length > 0 || this.#tcp ? this.#closest?.secret : undefined;
    return {
      secure: this.#closest?.spec.protocol !== "HTTP",
      routes,
      ...(secret
        ? { tls: { secret, minimum: tls.minimumProtocolVersion, maximum: tls.maximumProtocolVersion } }
        : {}),
      ...(this.#tcp ? { tcp: this.#tcp } : {}),
    };
  }
}
