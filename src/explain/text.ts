import type { RouteOrigin } from "../graph/core/route-origins.js";
import { plural } from "../schema/words.js";
import type { BackendSeen, Explanation, RouteSeen, RouteTried } from "./explanation.js";
import type { GatewaySeat } from "./gateway-seat.js";

/** The place of an origin, such as `a.yaml:12`; empty when it is not known. */
export type PlaceOf = (origin: RouteOrigin) => string;

const maxTried = 10;

/**
 * An explanation for people: the outcome, the configuration that leads to it, the facts, and the routes that were
 * tried before.
 */
export function formatExplanation(explanation: Explanation, title: string, placeOf: PlaceOf): string {
  const { listener, chain, virtualHost, route, origin, backends, facts, hints } = explanation;
  const rows: [string, string][] = [];
  if (listener) rows.push(["listener", describeListener(listener)]);
  if (listener?.seat) rows.push(["Gateway", describeSeat(listener.seat)]);
  if (chain) rows.push(["filter chain", chain.name]);
  for (const { what, value } of chain?.facts ?? []) rows.push([what, value]);
  if (virtualHost) rows.push(["virtual host", describeHost(virtualHost)]);
  if (route)
    rows.push(["route", `${route.match} (number ${route.index + 1})`], ...originRows(route, placeOf));
  if (origin) rows.push(["from", formatOrigin(origin, placeOf)]);
  for (const backend of backends) rows.push(["backend", describeBackend(backend, backends.length)]);
  for (const { what, value } of facts) if (what !== "backends") rows.push([what, value]);
  for (const hint of hints) rows.push(["hint", hint]);
  return [
    title,
    `  ${explanation.summary}`,
    "",
    ...table(rows),
    ...formatTried(explanation.tried, placeOf),
    "",
  ].join("\n");
}

function describeListener({
  name,
  address,
  moreAddresses = [],
  port,
  gatewayPort,
}: NonNullable<Explanation["listener"]>): string {
  const places = [address, ...moreAddresses].map((one) => `${one.includes(":") ? `[${one}]` : one}:${port}`);
  const gateway = gatewayPort === undefined ? "" : `, port ${gatewayPort} of the Gateway`;
  return `${name} ${places.join(", ")}${gateway}`;
}

const describeSeat = ({ gateway, listener, listenerSet }: GatewaySeat): string =>
  `${gateway}, listener ${listener}${listenerSet === undefined ? "" : ` of ListenerSet ${listenerSet}`}`;

function originRows({ origin }: RouteSeen, placeOf: PlaceOf): [string, string][] {
  return origin ? [["from", formatOrigin(origin, placeOf)]] : [];
}

function formatOrigin(origin: RouteOrigin, placeOf: PlaceOf): string {
  const place = placeOf(origin);
  return `${origin.ref} ${origin.field}${place ? ` (${place})` : ""}`;
}

const describeHost = ({ name, domain, table }: NonNullable<Explanation["virtualHost"]>): string =>
  `${name}${domain === name ? "" : ` by ${domain}`} of ${table}`;

function describeBackend(backend: BackendSeen, count: number): string {
  const share = count > 1 ? `  ${backend.percent} %` : "";
  return `${backend.cluster}${share}  ${describeEndpoints(backend)}`;
}

function describeEndpoints({ endpoints, endpointsUnknown }: BackendSeen): string {
  if (endpointsUnknown) return "endpoints unknown: no EndpointSlices among the files";
  return endpoints === 0 ? "no endpoints: 503" : plural(endpoints, "endpoint");
}

function table(rows: readonly (readonly [string, string])[]): string[] {
  const width = Math.max(0, ...rows.map(([label]) => label.length));
  return rows.map(([label, value]) => `  ${label.padEnd(width)}  ${value}`);
}

/** All routes with the same path come first, with their origins; then some of the others. */
function formatTried(tried: readonly RouteTried[], placeOf: PlaceOf): string[] {
  if (tried.length === 0) return [];
  const near = tried.filter((route) => route.near);
  const others = tried.filter((route) => !route.near);
  const shown = others.slice(0, Math.max(0, maxTried - near.length));
  const lines = [...near, ...shown].flatMap(({ match, why, origin, near }) => [
    `    ${match}: ${why}`,
    ...(near && origin ? [`      ${formatOrigin(origin, placeOf)}`] : []),
  ]);
  const rest = others.length - shown.length;
  const more = rest > 0 ? [`    and ${rest} more whose path does not match`] : [];
  return ["", "  tried before", ...lines, ...more];
}
