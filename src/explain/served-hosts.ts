import type { Listener } from "../gen/envoy.js";
import { jsonOf, type ResourceSet } from "../link/resource-set.js";
import type { Snapshot } from "../link/snapshot.js";
import { managerOf } from "./config.js";
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
