import type { Snapshot } from "../link/snapshot.js";
import { managerOf } from "./config.js";
import { parseListenerName } from "./listener-names.js";
import { configFor, wholeTables } from "./served-config.js";

/** Names of virtual hosts, and of hosts that connections are passed on for; `*` is any. */
export function servedHosts({ tables, sets }: Pick<Snapshot, "sets" | "tables">): string[] {
  const names = new Set<string>();
  for (const hosts of wholeTables(tables).values()) for (const name of hosts.keys()) names.add(name);
  const { listeners } = configFor({ sets, tables: new Map() }, "");
  for (const { name = "", filter_chains = [] } of listeners.values()) {
    if (!parseListenerName(name)) continue;
    for (const chain of filter_chains) {
      const passed = managerOf(chain) ? [] : ["*"];
      for (const host of chain.filter_chain_match?.server_names ?? passed) names.add(host);
    }
  }
  return [...names].sort();
}
