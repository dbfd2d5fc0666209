import { chosenIn, type ReachedAt } from "../explain/graph.js";
import { addressesIn, gatewayOf, listenerOfTable, parseListenerName } from "../explain/listener-names.js";
import type { Origins } from "../explain/origins.js";
import { originsIn } from "../explain/origins.js";
import type { ListenerChoice } from "../explain/request.js";
import { clustersOf, listenersIn, passedHosts, tablesByHost } from "../explain/served-hosts.js";
import type { Snapshot } from "../link/snapshot.js";
import type { OverviewGateway } from "../verdict/overview.js";
import type { Inspected } from "./inspect.js";

/** A host on the listeners of one Gateway. */
export interface HostEntry {
  readonly host: string;
  /** `namespace/name` of a Gateway of a class; empty for the listeners of the settings and of `gatewayRef`. */
  readonly gateway: string;
  /** Its route tables. */
  readonly tables: readonly string[];
  /** The Envoy listeners that pass its connections on. */
  readonly places: readonly string[];
}

type Listeners = ReturnType<typeof listenersIn>;

interface Known {
  readonly snapshot: Snapshot;
  /** In the order of hosts and Gateways. */
  readonly entries: readonly HostEntry[];
  /** The number of entries of each host. */
  readonly counts: ReadonlyMap<string, number>;
  /** The Gateways of classes that have a listener in Envoy, in the order of their names. */
  readonly gateways: readonly OverviewGateway[];
}

export const byName = (a: HostEntry, b: HostEntry): number =>
  a.host < b.host ? -1 : a.host > b.host ? 1 : a.gateway < b.gateway ? -1 : 1;

/**
 * The served hosts with their route tables, found once for each snapshot. Listeners are read again only after a change
 * of listeners.
 */
export class HostIndex {
  #known: Known | undefined;
  #listeners: { readonly hash: string; readonly all: Listeners } | undefined;

  constructor(private readonly inspected: Inspected) {}

  /** The number of served hosts; 0 before the first publication. */
  get size(): number {
    return this.#index?.counts.size ?? 0;
  }

  /** Whether a host is served. */
  readonly isServed = (host: string): boolean => this.#index?.counts.has(host) ?? false;

  /** Whether several Gateways serve a host. */
  isShared(host: string): boolean {
    return (this.#index?.counts.get(host) ?? 0) > 1;
  }

  /** The entries of a Gateway or an address; without a choice all. */
  chosen(choice: ListenerChoice): readonly HostEntry[] {
    const entries = this.#index?.entries ?? [];
    if (choice.gateway === undefined && choice.address === undefined) return entries;
    const { store, settings, platform } = this.inspected.engine;
    const main = originsIn(store, settings, platform).mainGateway();
    const isChosen = chosenIn({ listeners: this.#parsed }, choice, main);
    return entries.flatMap((entry) => {
      const [tables, places] = [entry.tables.filter(isChosen), entry.places.filter(isChosen)];
      return tables.length + places.length > 0 ? [{ ...entry, tables, places }] : [];
    });
  }

  /** The Gateways of classes that have a listener in Envoy, in the order of their names. */
  get gateways(): readonly OverviewGateway[] {
    return this.#index?.gateways ?? [];
  }

  #gatewaysOf(entries: readonly HostEntry[]): readonly OverviewGateway[] {
    const found = new Map<string, { addresses: Set<string>; listeners: string[] }>();
    for (const [name, listener] of this.#parsed) {
      const [gateway, parsed] = [gatewayOf(name), parseListenerName(name)];
      if (gateway === undefined || !parsed) continue;
      const one = found.get(gateway) ?? { addresses: new Set(), listeners: [] };
      found.set(gateway, one);
      for (const address of addressesIn(listener)) one.addresses.add(address);
      one.listeners.push(`${parsed.family} ${parsed.port}`);
    }
    const hosts = new Map<string, number>();
    for (const { gateway } of entries) hosts.set(gateway, (hosts.get(gateway) ?? 0) + 1);
    return [...found]
      .map(([name, { addresses, listeners }]) => ({
        name,
        addresses: [...addresses].sort(),
        listeners: listeners.sort(),
        hosts: hosts.get(name) ?? 0,
      }))
      .sort((a, b) => (a.name < b.name ? -1 : 1));
  }

  /** What chooses an entry: its Gateway, or an address if another Gateway has the host too. */
  choiceOf({ host, gateway, tables, places }: HostEntry): ListenerChoice {
    if (gateway) return { gateway };
    const [place] = this.isShared(host) ? [...tables, ...places] : [];
    const [address] = place === undefined ? [] : addressesIn(this.#parsed.get(listenerOfTable(place)));
    return address === undefined ? {} : { address };
  }

  /** The listener of a Gateway at a route table or Envoy listener; undefined if it is none of a Gateway. */
  listenerAt(place: string, host: string, origins: Origins): ReachedAt | undefined {
    const seat = origins.seat(place, host);
    return seat && { ...seat, addresses: addressesIn(this.#parsed.get(listenerOfTable(place))) };
  }

  /** The clusters that the routes of an entry use. */
  clustersOf({ host, tables, places }: HostEntry): readonly string[] {
    const { snapshot } = this.#index ?? {};
    const listeners = places.flatMap((place) => this.#parsed.get(place) ?? []);
    return snapshot ? clustersOf(host, { tables, listeners }, snapshot) : [];
  }

  get #index(): Known | undefined {
    const { snapshot } = this.inspected.engine;
    if (!snapshot || this.#known?.snapshot === snapshot) return this.#known;
    const found = entriesOf(snapshot);
    this.#known = { snapshot, ...found, gateways: this.#gatewaysOf(found.entries) };
    return this.#known;
  }

  get #parsed(): Listeners {
    const listeners = this.inspected.engine.snapshot?.sets.listeners;
    if (!listeners) return new Map();
    if (this.#listeners?.hash !== listeners.hash)
      this.#listeners = { hash: listeners.hash, all: listenersIn(listeners) };
    return this.#listeners?.all ?? new Map();
  }
}

function entriesOf(snapshot: Snapshot): Omit<Known, "snapshot" | "gateways"> {
  const found = new Map<string, HostEntry & { tables: string[]; places: string[] }>();
  const at = (host: string, place: string): { tables: string[]; places: string[] } => {
    const gateway = gatewayOf(place) ?? "";
    const key = `${host}\n${gateway}`;
    const one = found.get(key) ?? { host, gateway, tables: [], places: [] };
    found.set(key, one);
    return one;
  };
  for (const [host, tables] of tablesByHost(snapshot))
    for (const table of tables) at(host, table).tables.push(table);
  for (const [host, listeners] of passedHosts(snapshot.sets.listeners))
    for (const listener of listeners) at(host, listener).places.push(listener);
  const entries = [...found.values()].sort(byName);
  const counts = new Map<string, number>();
  for (const { host } of entries) counts.set(host, (counts.get(host) ?? 0) + 1);
  return { entries, counts };
}
