import { kindOf, type Ref } from "../../../schema/meta.js";
import { routeKinds } from "../../../schema/routing-kinds.js";
import { append } from "../../core/append.js";
import { anyHost } from "../../core/claims.js";
import { hostUnit, routesKey, tcpUnit } from "../../core/keys.js";
import type { ListenerPlace, Route, Site, Sites, Tls } from "../../core/nodes.js";
import { byAge } from "../../core/order.js";
import { objectsOf, type Reader, type Report } from "../../core/reader.js";
import { hostnamesOf, type Parent, parentsOf } from "./attach.js";
import { type GatewayView, viewOf } from "./gateway.js";
import type { GatewayListener, RouteObject } from "./gateway-listener.js";
import { isUnder, widerThan } from "./hostnames.js";
import type { RuleRoutes } from "./http-route.js";
import { matchKey } from "./matches.js";
import { type RuleOptions, readRules } from "./route-rules.js";
import { secured } from "./session.js";
import { readTcpRule, terminatesTls } from "./tcp.js";
import { rangeOf } from "./tls-options.js";

/** A listener that serves a route, and its Gateway. */
interface Seat {
  readonly listener: GatewayListener;
  readonly view: GatewayView;
}

/** The listeners that serve a route for one host, by site, the closest first. */
type Attachments = ReadonlyMap<string, readonly Seat[]>;

/** Routes of the Gateway API that are attached for a host, ordered by kind, then the oldest first. */
export type AttachedRoutes = ReadonlyMap<RouteObject, Attachments>;

export function attachedRoutes(host: string, reader: Reader): AttachedRoutes {
  return new Map(
    routesOf(host, reader)
      .map((route) => [route, attachedTo(host, parentsOf(route, reader, host))] as const)
      .filter(([, places]) => places.size > 0),
  );
}

/**
 * The sites of a host: from its routes, and from listeners with exactly this hostname even without routes. In each site
 * the closest listener has the host. It determines how connections are accepted, and routes that are attached only to
 * other listeners have no effect.
 */
export function readGatewaySites(
  host: string,
  attached: AttachedRoutes,
  reader: Reader,
  report: Report,
): Sites {
  const closest = new Map<string, Seat>();
  for (const seat of ownSeats(host, reader)) if (seat.listener.site) closest.set(seat.listener.site, seat);
  for (const places of attached.values())
    for (const [site, [first]] of places)
      if (first && first.listener.hostname.length > (closest.get(site)?.listener.hostname.length ?? -1))
        closest.set(site, first);
  const sites = new Map<string, Site>();
  for (const [key, { listener, view }] of closest) {
    const all = [...attached].flatMap(([route, places]) =>
      places.get(key)?.some((seat) => seat.listener === listener) ? route : [],
    );
    const routes = view.isMain ? all : closestFirst(host, ofOneKind(host, listener, all, report));
    const found =
      listener.spec.protocol === "TLS"
        ? readTcpSite({ listener, view }, routes, reader)
        : readHttpSite(host, { listener, view }, routes, reader, report);
    const site = view.isMain ? found : placed(host, listener, view, found, reader);
    if (site) sites.set(key, site);
  }
  return sites;
}

/**
 * Keeps only routes of the same kind as the oldest route: a host of a listener has either HTTPRoutes or GRPCRoutes
 * (Gateway API, GRPCRouteSpec.hostnames). The other routes get a finding.
 */
function ofOneKind(
  host: string,
  { spec }: GatewayListener,
  routes: readonly RouteObject[],
  report: Report,
): readonly RouteObject[] {
  let [oldest] = routes;
  for (const route of routes) if (oldest && byAge(route, oldest) < 0) oldest = route;
  const kept = routes.filter(({ kind }) => kind === oldest?.kind);
  for (const { ref, kind } of routes) {
    if (kind === oldest?.kind) continue;
    const message = `host ${host} of the listener ${spec.name} has routes of kind ${oldest?.kind}, the oldest of which is ${oldest?.ref}; a host has routes of one kind`;
    report.error(ref, "Accepted", "KindConflict", message, "spec.hostnames");
  }
  return kept;
}

/**
 * Routes in the order of their closest hostname, for a host that is the hostname of a listener (Gateway API,
 * HTTPRouteSpec.hostnames: precedence of rules). Elsewhere each hostname of a route has its own virtual host.
 */
function closestFirst(host: string, routes: readonly RouteObject[]): readonly RouteObject[] {
  const closeness = (route: RouteObject): number =>
    Math.max(
      0,
      ...hostnamesOf(route).map((name) =>
        name === host ? name.length + 1 : isUnder(host, name) ? name.length : 0,
      ),
    );
  return routes.length < 2 ? routes : [...routes].sort((a, b) => closeness(b) - closeness(a));
}

/** The listeners of Gateways of classes with exactly this hostname. */
function ownSeats(host: string, reader: Reader): Seat[] {
  if (reader.settings.gateway.controllerName === undefined) return [];
  return viewsFor(host, reader).flatMap((view) =>
    view.isMain
      ? []
      : view.listeners
          .filter(({ hostname, ready, spec }) => ready && isForHosts(spec) && (hostname || "*") === host)
          .map((listener) => ({ listener, view })),
  );
}

/** The Gateways with a listener of exactly this hostname. */
function viewsFor(host: string, reader: Reader): GatewayView[] {
  const views = new Map<Ref, GatewayView>();
  const add = (namespace: string, name: string): void => {
    const view = viewOf(namespace, name, reader);
    if (view) views.set(view.gateway.ref, view);
  };
  for (const ref of reader.claimants(hostUnit(host))) {
    const [kind, namespace = "", name = ""] = ref.split("/");
    if (kind === "Gateway") add(namespace, name);
    const parent = kind === "ListenerSet" && reader.get("ListenerSet", namespace, name)?.spec.parentRef;
    if (parent) add(parent.namespace || namespace, parent.name);
  }
  return [...views.values()];
}

const isForHosts = ({ protocol }: GatewayListener["spec"]): boolean =>
  protocol !== "TCP" && protocol !== "UDP";

/**
 * The site of a host on a listener of a Gateway of a class. Without routes it also exists: no other listener may serve
 * the host.
 */
function placed(
  host: string,
  listener: GatewayListener,
  view: GatewayView,
  found: Site | undefined,
  reader: Reader,
): Site | undefined {
  const { envoy = "", secret, spec } = listener;
  const isOwn = (listener.hostname || "*") === host;
  if (spec.protocol === "TLS")
    return (
      found ??
      (isOwn
        ? { terms: { kind: "none", owner: listener.owner.ref }, routes: [], place: { envoy } }
        : undefined)
    );
  const place: ListenerPlace =
    secret !== undefined && isOwn ? { envoy, door: { others: othersOn(view, listener) } } : { envoy };
  if (found) return { ...found, place };
  const common = { owner: listener.owner.ref, policies: {} };
  const terms: Site["terms"] =
    secret === undefined
      ? { kind: "http", ...common }
      : { kind: "https", ...common, tls: tlsOf(listener, secret, reader) };
  return { terms, routes: [], place };
}

/**
 * The route tables of the other HTTPS listeners on the port that need an entry for the hostname of this listener. Where a
 * listener for any host has an entry in all of them, it stands for all hosts outside a listener's own hostname: the
 * number of entries then grows with the listeners, not with their square.
 */
function othersOn({ listeners }: GatewayView, { envoy, site: own, hostname }: GatewayListener): string[] {
  const onPort = listeners.filter((one) => one.ready && one.envoy === envoy && one.spec.protocol === "HTTPS");
  const isCovered = hostname !== "" && onPort.some((one) => one.hostname === "");
  return onPort.flatMap(({ site, hostname: other }) => {
    const needs = !isCovered || other === "" || isUnder(hostname, other);
    return site !== undefined && site !== own && needs ? site : [];
  });
}

const tlsOf = (
  { moreSecrets, clientValidation, range }: GatewayListener,
  secret: string,
  { settings }: Reader,
): Tls => ({
  secret,
  ...(moreSecrets ? { moreSecrets } : {}),
  ...(clientValidation ? { clientValidation } : {}),
  ...(range ?? rangeOf(settings)),
});

/** The oldest route with backends gets the connections. */
function readTcpSite(
  { listener, view }: Seat,
  routes: readonly RouteObject[],
  reader: Reader,
): Site | undefined {
  for (const route of routes) {
    const terminated = terminatesTls(listener) ? { certificate: view.backendCertificate?.secret } : undefined;
    const backends = readTcpRule(route, reader, terminated);
    if (!backends) continue;
    const { secret } = listener;
    const tls = secret === undefined ? {} : { tls: tlsOf(listener, secret, reader) };
    return { terms: { kind: "tcp", owner: route.ref, ...tls, backends }, routes: [] };
  }
  return undefined;
}

/** Undefined if no object adds a route: the configuration of the host by other objects stays unchanged. */
function readHttpSite(
  host: string,
  { listener, view }: Seat,
  objects: readonly RouteObject[],
  reader: Reader,
  report: Report,
): Site | undefined {
  const { secret } = listener;
  const rules = new Rules(host, report);
  const options: RuleOptions = {
    grpcProtocol: secret !== undefined && view.isMain ? "h2" : "h2c",
    certificate: view.backendCertificate?.secret,
  };
  for (const route of objects) rules.add(rulesOf(route, options, reader));
  const routes = rules.routes().map((route) => {
    const here = withListenerPort(route, listener, view.isMain ? undefined : host);
    return secret === undefined ? here : secured(here);
  });
  const owners = new Set(routes.map(({ from }) => from));
  const owner = objects.find(({ ref }) => owners.has(ref))?.ref;
  if (owner === undefined) return undefined;
  const common = { owner, policies: {} };
  return secret === undefined
    ? { terms: { kind: "http", ...common }, routes }
    : { terms: { kind: "https", ...common, tls: tlsOf(listener, secret, reader) }, routes };
}

/**
 * The port of a redirect (Gateway API, HTTPRequestRedirectFilter.port): that of the filter, else the usual one of its scheme, else the listener's. A usual
 * port is not in `Location`: Envoy would keep an unusual port of the request, or add the port of the filter. `host` is the host of the routes.
 */
function withListenerPort(
  route: Route,
  { spec: { port: own, protocol } }: GatewayListener,
  host: string | undefined,
): Route {
  const { action } = route;
  if (action.kind !== "redirect") return route;
  const isUsual = own === (protocol === "HTTPS" ? 443 : 80);
  const usual = (action.scheme ?? (protocol === "HTTPS" ? "https" : "http")) === "https" ? 443 : 80;
  const isPlain = action.port === usual || (action.scheme !== undefined && !action.port);
  // Envoy needs a host to leave out the port, and a wildcard has none.
  if (isPlain && host !== undefined) {
    const { port: _, ...rest } = action;
    if (action.host) return { ...route, action: rest };
    if (!host.includes("*")) return { ...route, action: { ...rest, host } };
    return isUsual && !action.port ? route : { ...route, action: { ...action, port: usual } };
  }
  if (isUsual || action.scheme || action.port || !action.host) return route;
  return { ...route, action: { ...action, port: own } };
}

/** The rules of an attached route; the units that they need are kept. */
function rulesOf(route: RouteObject, options: RuleOptions, reader: Reader): readonly RuleRoutes[] {
  if (route.kind !== "HTTPRoute" && route.kind !== "GRPCRoute") return [];
  const { rules, needs } = readRules(route, options, reader);
  for (const unit of needs) reader.need(unit);
  return rules;
}

/** The Envoy listeners (plain HTTP and TLS) for which the Gateway has no listener. */
export function missingListeners({ listeners }: GatewayView): ReadonlySet<"HTTP" | "HTTPS"> {
  const serving = listeners.filter(({ envoy }) => envoy !== undefined);
  const missing = new Set<"HTTP" | "HTTPS">();
  if (!serving.some(({ spec }) => spec.protocol === "HTTP")) missing.add("HTTP");
  if (!serving.some(({ spec }) => !["HTTP", "TCP", "UDP"].includes(spec.protocol))) missing.add("HTTPS");
  return missing;
}

/** Routes that may have the host, ordered by kind, then the oldest first. */
function routesOf(host: string, reader: Reader): RouteObject[] {
  const own = viewsFor(host, reader).flatMap(({ listeners }) =>
    listeners.filter(({ hostname }) => (hostname || "*") === host),
  );
  // Routes with wider hostnames apply only to a host that is the hostname of a listener.
  const wider = own.length > 0 ? widerThan(host) : [];
  // A route with the hostname claims the host, too, so that its list needs no read of its own.
  const exact = reader.claimants(host === anyHost ? routesKey(host) : hostUnit(host));
  const refs = [...exact, ...wider.flatMap((key) => reader.claimants(routesKey(key)))];
  if (own.some(({ spec }) => spec.protocol === "TLS")) append(refs, reader.claimants(tcpUnit));
  if (refs.length === 0) return [];
  const different = wider.length === 0 ? refs : [...new Set(refs)];
  return routeKinds.flatMap((kind): readonly RouteObject[] => {
    const routes: RouteObject[] = objectsOf(kind, different, reader);
    return routes.sort(byAge);
  });
}

/** The listeners that serve a route for the host, by site, the closest first. */
function attachedTo(host: string, parents: readonly Parent[]): Map<string, Seat[]> {
  const found = new Map<string, Seat[]>();
  for (const { attached, view } of parents)
    for (const { listener, hosts } of attached) {
      if (listener.site === undefined || !isForHosts(listener.spec) || !hosts.includes(host)) continue;
      const seats = found.get(listener.site) ?? [];
      seats.push({ listener, view });
      found.set(listener.site, seats);
    }
  for (const seats of found.values())
    seats.sort((a, b) => b.listener.hostname.length - a.listener.hostname.length);
  return found;
}

/** Collects the rules of a host, those of the oldest route first. */
class Rules {
  readonly #byMatch = new Map<string, Route>();
  /**
   * The number of rules so far. Among equally specific matches, the rules of the oldest route come first, then their
   * order counts.
   */
  #read = 0;

  constructor(
    private readonly host: string,
    private readonly report: Report,
  ) {}

  /** Leaves out a match that a route of the same kind already has; the other matches of its rule stay. */
  add(rules: readonly RuleRoutes[]): void {
    for (const rule of rules) {
      const priority = this.#read++;
      for (const route of rule) {
        const key = `${kindOf(route.from)} ${matchKey(route.match)}`;
        if (this.#byMatch.has(key)) this.#reportTaken(key, route);
        else this.#byMatch.set(key, route.priority === priority ? route : { ...route, priority });
      }
    }
  }

  #reportTaken(key: string, { from, field }: Route): void {
    const other = this.#byMatch.get(key);
    if (other?.from === from && other.field === field) return;
    const where = other?.from === from ? other.field : other?.from;
    const message = `host ${this.host}: ${where} has a match of this rule already; the match is left out`;
    this.report.warn(from, "PartiallyInvalid", "RuleMatchPartiallyConflict", message, field);
  }

  routes(): readonly Route[] {
    return [...this.#byMatch.values()];
  }
}
