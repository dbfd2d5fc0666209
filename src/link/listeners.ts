import type { FilterChain } from "../gen/envoy.js";
import { widerThan } from "../graph/api/gateway/hostnames.js";
import { memoized } from "../schema/memoized.js";
import type { Finding } from "../schema/meta.js";
import type { Resource } from "../store/store.js";
import { isQuicListener } from "../xds/quic.js";
import { filled, type Piece, type TableRoutes } from "../xds/routes-hole.js";
import { fitChains } from "./budget.js";
import { type Resources, unclosed } from "./fragment.js";
import { type Linked, linked, type Pieces, ResourceSet } from "./resource-set.js";

/** Links listeners. `routesOf` gives the fields that select the routes of a table. */
export function linkListeners(
  store: Resources,
  routesOf: (table: string) => TableRoutes,
  findings: Finding[],
): ResourceSet {
  const listeners = new Map<string, Linked>();
  for (const { name, json } of store.resources("listener")) listeners.set(name, linked(name, [json]));
  // As in Contour, there is no listener without hosts.
  for (const { name, json } of store.resources("listener", "http"))
    if (!isEmpty(store.resources("virtual-host", name)))
      listeners.set(name, linked(name, filled(json, routesOf)));
  for (const { name, json } of store.resources("listener", "chains")) {
    const fragments = store.resources("filter-chain", name);
    const linkedChains = isQuicListener(name)
      ? linkFilterChains(withTransports([...fragments]), routesOf, "quic")
      : linkFilterChains(fragments, routesOf);
    const chains = fitChains(store, linkedChains, findings);
    if (chains.size > 0) listeners.set(name, linked(name, listenerOf(json, chains.values())));
  }
  return new ResourceSet(new Map([...listeners].sort(([a], [b]) => (a < b ? -1 : 1))));
}

function listenerOf(json: string, chains: Iterable<readonly Piece[]>): Pieces {
  const pieces: [string, ...Piece[]] = [unclosed(json)];
  for (const chain of chains) {
    pieces.push(pieces.length === 1 ? ',"filter_chains":[' : ",");
    for (const piece of chain) pieces.push(piece);
  }
  pieces.push("]}");
  return pieces;
}

const isEmpty = (items: Iterable<unknown>): boolean => {
  for (const _ of items) return false;
  return true;
};

/** The names of chains without a specific server name (`ResourceType`). */
const anyHost = "*";
const fallback = ".fallback";
const noTls = "";

/**
 * Hosts with equal chains share one chain: a listener for a thousand hosts with one certificate has one chain. The chain
 * of the host `*` accepts all other TLS connections and comes last. The result is keyed by the first host of each chain.
 */
function linkFilterChains(
  fragments: Iterable<Resource>,
  routesOf: (table: string) => TableRoutes,
  transport: "tls" | "quic" = "tls",
): ReadonlyMap<string, readonly Piece[]> {
  const hostsOf = new Map<string, [string, ...string[]]>();
  const special = new Map<string, string>();
  for (const { name, json } of fragments) {
    const hosts = hostsOf.get(json);
    if (name === anyHost || name === fallback || name === noTls) special.set(name, json);
    else if (hosts) hosts.push(name);
    else hostsOf.set(json, [name]);
  }
  const chains = new Map<string, readonly Piece[]>();
  for (const [json, hosts] of hostsOf) {
    const match = `{"server_names":${JSON.stringify(hosts)}}`;
    chains.set(hosts[0], filterChain(hosts[0], match, filled(json.slice(1), routesOf)));
  }
  const rest = special.get(anyHost) ?? special.get(fallback);
  if (rest !== undefined) {
    const members = filled(rest.slice(1), routesOf);
    chains.set(anyHost, filterChain(anyHost, `{"transport_protocol":"${transport}"}`, members));
  }
  const plain = special.get(noTls);
  if (plain !== undefined) chains.set(noTls, [plain]);
  return chains;
}

/** In text of users, quotes are escaped. */
const hasTransport = memoized(({ json }: Resource) => json.includes('"transport_socket":'));

/**
 * Chains of a QUIC listener with a transport each: one without takes that of the chain which would otherwise match its
 * host, and is left out if there is none.
 */
function withTransports(fragments: readonly Resource[]): readonly Resource[] {
  if (fragments.every(hasTransport)) return fragments;
  const byName = new Map(fragments.filter(hasTransport).map((one) => [one.name, one]));
  return fragments.flatMap((one) => {
    if (hasTransport(one)) return one;
    const wider = widerThan(one.name).flatMap((host) => byName.get(host) ?? [])[0];
    if (!wider) return [];
    const { transport_socket: socket } = JSON.parse(wider.json) as FilterChain;
    return { ...one, json: `${unclosed(one.json)},"transport_socket":${JSON.stringify(socket)}}` };
  });
}

/** `members` are those of the chain, with the closing brace. */
const filterChain = (name: string, match: string, members: readonly Piece[]): readonly Piece[] => [
  `{"filter_chain_match":${match},"name":${JSON.stringify(name)},`,
  ...members,
];
