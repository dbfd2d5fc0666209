import type { RouteConfiguration } from "../gen/envoy.js";
import type { Finding } from "../schema/meta.js";
import { distance } from "../schema/spelling.js";
import { managerOf, type RequestConfig } from "./config.js";
import { type GatewayPorts, gatewayOf, inOrder, parseListenerName, reachOf } from "./listener-names.js";
import type { Claims } from "./origins.js";
import { type ClientRequest, hostName } from "./request.js";
import { selectChain, selectVirtualHost } from "./select.js";

const maxNear = 3;
const maxFindings = 5;

/** Facts about the host of a request. */
export interface HintsKnown {
  /** The listener without the host. */
  readonly asked?: string | undefined;
  readonly claims?: Claims | undefined;
  /** Why valid objects for the host are not served. */
  readonly unserved?: readonly Finding[] | undefined;
  readonly ports?: GatewayPorts | undefined;
}

/** Why a host may not be served, and which similar hosts exist. */
export function hostHints(
  config: RequestConfig,
  { authority }: ClientRequest,
  { asked, claims, unserved, ports }: HintsKnown,
): string[] {
  const host = hostName(authority);
  const found: string[] = [];
  if (claims?.claimants.length) found.push(`${host} is claimed by ${claims.claimants.join(", ")}`);
  found.push(...findingHints(claims?.findings), ...findingHints(unserved));
  const others = [...config.listeners.keys()].filter(
    (name) => name !== asked && isServed(config, host, name),
  );
  const places = inOrder(others, ports).map((name) => reachOf(name, ports));
  if (places.length > 0) found.push(`${host} is served over ${places.join(", ")}`);
  const near = nearHosts(config, host);
  if (near.length > 0) found.push(`nearest hosts: ${near.join(", ")}`);
  return found;
}

export const findingHints = (findings: readonly Finding[] = []): string[] =>
  findings.slice(0, maxFindings).map(describeFinding);

export const describeFinding = ({ about, path, message }: Finding): string =>
  `${about}${path ? ` ${path}` : ""}: ${message}`;

function isServed(config: RequestConfig, host: string, name: string): boolean {
  const table = config.tables.get(name);
  const found = table && selectVirtualHost(table, host)?.virtualHost;
  // A listener of a Gateway of a class answers 404 for the hosts that it has no route for.
  if (found && (gatewayOf(name) === undefined || (found.routes ?? []).length > 0)) return true;
  const listener = parseListenerName(name)?.family === "https" ? config.listeners.get(name) : undefined;
  const chain = listener && selectChain(listener, host);
  return chain !== undefined && (chain.filter_chain_match?.server_names !== undefined || !managerOf(chain));
}

const namesOf = (table: RouteConfiguration): string[] =>
  (table.virtual_hosts ?? []).flatMap(({ domains = [] }) => domains);

/** Hosts that differ in a few letters. */
function nearHosts(config: RequestConfig, host: string): string[] {
  const names = new Set([...config.tables.values()].flatMap(namesOf));
  for (const { filter_chains = [] } of config.listeners.values())
    for (const chain of filter_chains)
      for (const name of chain.filter_chain_match?.server_names ?? []) names.add(name);
  names.delete(host);
  const limit = Math.max(2, Math.floor(host.length / 4));
  return [...names]
    .filter((name) => Math.abs(name.length - host.length) <= limit)
    .map((name) => ({ name, letters: distance(host, name) }))
    .filter(({ letters }) => letters <= limit)
    .sort((a, b) => a.letters - b.letters || (a.name < b.name ? -1 : 1))
    .slice(0, maxNear)
    .map(({ name }) => name);
}
