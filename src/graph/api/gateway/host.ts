import { kindOf } from "../../../schema/meta.js";
import { routeKinds } from "../../../schema/routing-kinds.js";
import { append } from "../../core/append.js";
import { routesKey, tcpUnit } from "../../core/keys.js";
import type { Route, Site, Sites, Tls } from "../../core/nodes.js";
import { byAge } from "../../core/order.js";
import { type ObjectByKind, objectsOf, type Reader, type Report } from "../../core/reader.js";
import { type Parent, parentsOf } from "./attach.js";
import type { GatewayListener, GatewayView, RouteObject } from "./gateway.js";
import { widerThan } from "./hostnames.js";
import { type RuleRoutes, readGrpcRules, readHttpRules } from "./http-route.js";
import { matchKey } from "./matches.js";
import { routeContext } from "./problems.js";
import { readTcpRule } from "./tcp.js";

/** Which listeners serve a route for one host, by Envoy listener, the closest first. */
type Attachments = ReadonlyMap<string, readonly GatewayListener[]>;

/** Routes of the Gateway API that are attached for a host: by kind, then the oldest first. */
export type AttachedRoutes = ReadonlyMap<RouteObject, Attachments>;

export function attachedRoutes(host: string, view: GatewayView, reader: Reader): AttachedRoutes {
  return new Map(
    routesOf(host, view, reader)
      .map((route) => [route, attachedTo(host, parentsOf(route, view, reader, host))] as const)
      .filter(([, places]) => places.size > 0),
  );
}

/**
 * What the routes make of a host on each Envoy listener. The closest of the Gateway's listeners there has the host: how
 * connections are taken is its, and routes that are attached to others alone have no say.
 */
export function readGatewaySites(
  host: string,
  attached: AttachedRoutes,
  reader: Reader,
  report: Report,
): Sites {
  const closest = new Map<string, GatewayListener>();
  for (const places of attached.values())
    for (const [envoy, [first]] of places)
      if (first && first.hostname.length > (closest.get(envoy)?.hostname.length ?? -1))
        closest.set(envoy, first);
  const sites = new Map<string, Site>();
  for (const [envoy, listener] of closest) {
    const routes = [...attached].flatMap(([route, places]) =>
      places.get(envoy)?.includes(listener) ? route : [],
    );
    const site =
      listener.spec.protocol === "TLS"
        ? readTcpSite(listener, routes, reader)
        : readHttpSite(host, listener, routes, reader, report);
    if (site) sites.set(envoy, site);
  }
  return sites;
}

const tlsOf = (secret: string, { settings: { tls } }: Reader): Tls => ({
  secret,
  minimum: tls.minimumProtocolVersion,
  maximum: tls.maximumProtocolVersion,
});

/** The oldest route with backends has the bytes. */
function readTcpSite(
  { secret }: GatewayListener,
  routes: readonly RouteObject[],
  reader: Reader,
): Site | undefined {
  for (const route of routes) {
    const backends = readTcpRule(route, reader);
    if (!backends) continue;
    const tls = secret === undefined ? {} : { tls: tlsOf(secret, reader) };
    return { terms: { kind: "tcp", owner: route.ref, ...tls, backends }, routes: [] };
  }
  return undefined;
}

/** Undefined where all routes come to nothing: they change nothing that others make of the host. */
function readHttpSite(
  host: string,
  { secret }: GatewayListener,
  objects: readonly RouteObject[],
  reader: Reader,
  report: Report,
): Site | undefined {
  const rules = new Rules(host, report);
  for (const route of objects) rules.add(rulesOf(route, secret === undefined ? "h2c" : "h2", reader));
  const routes = rules.routes();
  const owner = objects.find(({ ref }) => routes.some(({ from }) => from === ref))?.ref;
  if (owner === undefined) return undefined;
  const common = { owner, policies: {} };
  return secret === undefined
    ? { terms: { kind: "http", ...common }, routes }
    : { terms: { kind: "https", ...common, tls: tlsOf(secret, reader) }, routes };
}

/** Read once for a unit: the same rules may be on several Envoy listeners. */
function rulesOf(route: RouteObject, grpcProtocol: "h2" | "h2c", reader: Reader): readonly RuleRoutes[] {
  const { unitCache } = reader;
  if (route.kind === "HTTPRoute") return unitCache.once(readHttpRoute, route.ref, route, reader);
  if (route.kind !== "GRPCRoute") return [];
  return unitCache.once(readGrpcRoute, `${route.ref} ${grpcProtocol}`, route, grpcProtocol, reader);
}

const readHttpRoute = (route: ObjectByKind<"HTTPRoute">, reader: Reader): readonly RuleRoutes[] =>
  readHttpRules(route, routeContext(route, reader));

const readGrpcRoute = (
  route: ObjectByKind<"GRPCRoute">,
  usualProtocol: "h2" | "h2c",
  reader: Reader,
): readonly RuleRoutes[] => readGrpcRules(route, routeContext(route, reader), usualProtocol);

/** The Envoy listeners for plain HTTP and for TLS that the Gateway has none for. */
export function missingListeners({ listeners }: GatewayView): ReadonlySet<"HTTP" | "HTTPS"> {
  const serving = listeners.filter(({ envoy }) => envoy !== undefined);
  const missing = new Set<"HTTP" | "HTTPS">();
  if (!serving.some(({ spec }) => spec.protocol === "HTTP")) missing.add("HTTP");
  if (!serving.some(({ spec }) => spec.protocol !== "HTTP" && spec.protocol !== "TCP")) missing.add("HTTPS");
  return missing;
}

/** Routes that may have the host: by kind, then the oldest first. */
function routesOf(host: string, { listeners }: GatewayView, reader: Reader): RouteObject[] {
  const keys = [host];
  const own = listeners.filter(({ hostname }) => (hostname || "*") === host);
  // Only to a host that a listener has do routes of wider hostnames come.
  if (own.length > 0) keys.push(...widerThan(host));
  const refs = keys.flatMap((key) => reader.claimants(routesKey(key)));
  if (own.some(({ spec }) => spec.protocol === "TLS")) append(refs, reader.claimants(tcpUnit));
  return routeKinds.flatMap((kind): readonly RouteObject[] => {
    const routes: readonly RouteObject[] = objectsOf(kind, [...new Set(refs)], reader);
    return [...routes].sort(byAge);
  });
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

/** Collects the rules of a host, the oldest route's first. */
class Rules {
  readonly #byMatch = new Map<string, Route>();
  /** Rules that were read so far: among matches that are alike close, those of the oldest route come first, then in their order. */
  #read = 0;

  constructor(
    private readonly host: string,
    private readonly report: Report,
  ) {}

  /** As in Contour, a rule with a match that a route of its kind has already is left out. */
  add(rules: readonly RuleRoutes[]): void {
    for (const rule of rules) {
      const priority = this.#read++;
      const keyed = rule.map((route) => [`${kindOf(route.from)} ${matchKey(route.match)}`, route] as const);
      const taken = keyed.find(([key]) => this.#byMatch.has(key));
      if (taken) this.#reportTaken(...taken);
      else for (const [key, route] of keyed) this.#byMatch.set(key, { ...route, priority });
    }
  }

  #reportTaken(key: string, { from, field }: Route): void {
    const other = this.#byMatch.get(key);
    const where = other?.from === from ? other.field : other?.from;
    const message = `host ${this.host}: ${where} has a match of this rule already; the rule is left out`;
    this.report.warn(from, "PartiallyInvalid", "RuleMatchPartiallyConflict", message, field);
  }

  routes(): readonly Route[] {
    return [...this.#byMatch.values()];
  }
}
