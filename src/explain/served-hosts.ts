import type { Listener, VirtualHost } from "../gen/envoy.js";
import { jsonOf, type ResourceSet } from "../link/resource-set.js";
import type { Snapshot } from "../link/snapshot.js";
import { tcpBackends } from "./chain.js";
import { managerOf } from "./config.js";
import { backendsOf } from "./facts.js";
import { parseListenerName } from "./listener-names.js";

/** Hosts that connections are passed on for, without a route table, each with its listeners; `*` is any. */
export function passedHosts(listeners: ResourceSet): ReadonlyMap<string, readonly string[]> {
  const found = new Map<string, string[]>();
  const add = (host: string, listener: string): void => {
    const names = found.get(host);
    if (!names) found.set(host, [listener]);
    else if (names.at(-1) !== listener) names.push(listener);
  };
  for (const listener of listeners.names()) {
    const resource = parseListenerName(listener) && listeners.get(listener);
    const json = resource && jsonOf(resource);
    if (json === undefined) continue;
    const { filter_chains = [], udp_listener_config: datagrams } = JSON.parse(json) as Listener;
    if (datagrams) add("*", listener);
    for (const chain of filter_chains) {
      const passed = managerOf(chain) ? [] : ["*"];
      for (const host of chain.filter_chain_match?.server_names ?? passed) add(host, listener);
    }
  }
  return found;
}

/** The listeners of a set, parsed. */
export const listenersIn = (set: ResourceSet): ReadonlyMap<string, Listener> =>
  new Map(
    [...set.names()].flatMap((name) => {
      const resource = set.get(name);
      const json = resource && jsonOf(resource);
      return json === undefined ? [] : [[name, JSON.parse(json) as Listener] as const];
    }),
  );

/** The clusters of a host in some whole route tables, and of its connections on some listeners. */
export function clustersOf(
  host: string,
  { tables, listeners }: { readonly tables: readonly string[]; readonly listeners: readonly Listener[] },
  snapshot: Pick<Snapshot, "tables">,
): readonly string[] {
  const parts = [...snapshot.tables].filter(([part]) => tables.includes(part.replace(/\/[01]+$/, "")));
  const ofRoutes = parts.flatMap(([, { hosts }]) => {
    const json = hosts.find(({ name }) => name === host)?.json;
    const { routes = [] } = json === undefined ? {} : (JSON.parse(json) as VirtualHost);
    return routes.flatMap(({ route }) => (route ? backendsOf(route) : []));
  });
  const ofConnections = listeners.flatMap(({ filter_chains = [] }) =>
    filter_chains
      .filter(({ filter_chain_match: match }) => match?.server_names?.includes(host) ?? host === "*")
      .flatMap((chain) => (managerOf(chain) ? [] : tcpBackends(chain))),
  );
  return [...ofRoutes, ...ofConnections].map(({ cluster }) => cluster);
}

/** The route tables of each virtual host, whole tables also where they are served in parts. */
export function tablesByHost({ tables }: Pick<Snapshot, "tables">): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const [part, { hosts }] of tables) {
    const table = part.replace(/\/[01]+$/, "");
    for (const { name } of hosts) {
      const of = found.get(name);
      if (!of) found.set(name, [table]);
      else if (!of.includes(table)) of.push(table);
    }
  }
  return found;
}

/** Names of virtual hosts, and of hosts that connections are passed on for; `*` is any. */
export const servedHosts = ({ tables, sets }: Pick<Snapshot, "sets" | "tables">): string[] =>
  [...new Set([...tablesByHost({ tables }).keys(), ...passedHosts(sets.listeners).keys()])].sort();
