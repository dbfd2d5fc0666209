import type { HttpConnectionManager, Route, RouteConfiguration, VirtualHost } from "../gen/envoy.js";
import { fallbackTable, ingressHttps } from "../graph/core/listener-names.js";
import type { ConfigChange, Place } from "./change.js";
import { type EnvoyConfig, managerOf } from "./config.js";
import { placeLabel } from "./config-index.js";
import { protectionFacts, routeFacts } from "./facts.js";
import { type Detail, differences, factDifferences } from "./leaves.js";
import { parseListenerName } from "./listener-names.js";
import { describeMatch } from "./match.js";
import { selectChain } from "./select.js";

/** A virtual host with its connection manager. */
interface Host {
  readonly place: Place;
  readonly virtualHost: VirtualHost;
  readonly manager: HttpConnectionManager | undefined;
}

/** Hosts and routes of all tables that differ, by host. */
export function diffHosts(before: EnvoyConfig, after: EnvoyConfig): ConfigChange[] {
  const [a, b] = [hosts(before), hosts(after)];
  return [...new Set([...a.keys(), ...b.keys()])]
    .sort()
    .flatMap((host) => diffHost(host, a.get(host), b.get(host)));
}

function hosts(config: EnvoyConfig): Map<string, Host> {
  const found = new Map<string, Host>();
  for (const [name, table] of config.tables)
    for (const virtualHost of table.virtual_hosts ?? []) {
      const place = { domain: virtualHost.name ?? "", listener: name };
      const manager = managerFor(config, table, virtualHost);
      found.set(placeLabel(place), { place, virtualHost, manager });
    }
  return found;
}

function managerFor(
  { listeners }: EnvoyConfig,
  { name = "" }: RouteConfiguration,
  host: VirtualHost,
): HttpConnectionManager | undefined {
  const listener = listeners.get(name === fallbackTable ? ingressHttps : name);
  const chain =
    listener && selectChain(listener, parseListenerName(name)?.family === "https" ? (host.name ?? "") : "");
  return chain && managerOf(chain);
}

function diffHost(host: string, before: Host | undefined, after: Host | undefined): ConfigChange[] {
  const { place } = before ?? after ?? {};
  const common = { kind: "host", name: host, host, ...place } as const;
  if (!before) return after ? [{ ...common, change: "added", details: contents(after, "after") }] : [];
  if (!after) return [{ ...common, change: "removed", details: contents(before, "before") }];
  const own = hostDetails(before, after);
  return [
    ...(own.length > 0 ? [{ ...common, change: "changed", details: own } as const] : []),
    ...diffRoutes(host, before, after),
  ];
}

/** The routes of a host that exists on one side only. */
const contents = (host: Host, side: "before" | "after"): Detail[] =>
  (host.virtualHost.routes ?? []).map((route) => ({
    what: describeMatch(route.match ?? {}),
    [side]:
      factsOf(route, host).find(({ what }) => /^(?:backends|redirect|response)$/.test(what))?.value ?? "",
  }));

const factsOf = (route: Route, host: Host): ReturnType<typeof routeFacts> =>
  routeFacts(route, { ...host, nameOf: (cluster) => cluster });

/** Differences of the host itself, described for a forwarded request. */
function hostDetails(before: Host, after: Host): Detail[] {
  const [{ routes: _, ...a }, { routes: __, ...b }] = [before.virtualHost, after.virtualHost];
  const found = differences(a, b);
  if (found.length === 0) return [];
  const facts = factDifferences(
    protectionFacts({ route: {} }, before),
    protectionFacts({ route: {} }, after),
  );
  return facts.length > 0 ? facts : found;
}

function diffRoutes(host: string, before: Host, after: Host): ConfigChange[] {
  const [a, b] = [routes(before), routes(after)];
  const common = { kind: "route", host, ...after.place } as const;
  const order = orderDetails(a, b);
  const moved: ConfigChange[] =
    order.length > 0 ? [{ ...common, name: "order of routes", change: "changed", details: order }] : [];
  const changes = [...new Set([...a.keys(), ...b.keys()])].flatMap((key): ConfigChange[] => {
    const [old, now] = [a.get(key), b.get(key)];
    const details = routeDetails(old, now, before, after);
    if (details.length === 0) return [];
    const change = old ? (now ? "changed" : "removed") : "added";
    return [{ ...common, name: describeMatch((now ?? old)?.match ?? {}), change, details }];
  });
  return [...changes, ...moved];
}

/** Routes of both sides whose order differs: the first matching route handles a request. */
function orderDetails(before: ReadonlyMap<string, Route>, after: ReadonlyMap<string, Route>): Detail[] {
  const old = [...before.keys()].filter((key) => after.has(key));
  const now = [...after.keys()].filter((key) => before.has(key));
  const first = old.findIndex((key, i) => key !== now[i]);
  if (first < 0) return [];
  const last = old.findLastIndex((key, i) => key !== now[i]);
  const textOf = (keys: readonly string[]): string =>
    keys
      .slice(first, last + 1)
      .map((key) => describeMatch(before.get(key)?.match ?? {}))
      .join("; ");
  return [{ what: "order", before: textOf(old), after: textOf(now) }];
}

/** Routes by their match, without names and metadata, which have no effect on requests. */
function routes({ virtualHost }: Host): Map<string, Route> {
  const found = new Map<string, Route>();
  for (const { name: _, metadata, ...route } of virtualHost.routes ?? []) {
    const match = JSON.stringify(route.match);
    let key = match;
    // Where values are hidden, several matches may look the same.
    for (let i = 1; found.has(key); i++) key = `${match} ${i}`;
    found.set(key, route);
  }
  return found;
}

function routeDetails(old: Route | undefined, now: Route | undefined, before: Host, after: Host): Detail[] {
  const found = old && now ? differences(old, now) : undefined;
  if (found?.length === 0) return [];
  const facts = factDifferences(old ? factsOf(old, before) : [], now ? factsOf(now, after) : []);
  return facts.length > 0 ? facts : (found ?? []);
}
