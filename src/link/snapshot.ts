import type { EndpointMode, Resource, Store } from "../store/store.js";
import { configSource } from "../xds/config-source.js";

export const xdsTypes = ["clusters", "endpoints", "listeners", "routes", "secrets"] as const;
export type XdsType = (typeof xdsTypes)[number];

/** Name to JSON of the whole resource. */
export type ResourceSet = ReadonlyMap<string, string>;

export interface Snapshot {
  readonly sets: Readonly<Record<XdsType, ResourceSet>>;
  /** What `auto` came to. */
  readonly mode: EndpointMode;
}

export interface LinkOptions {
  readonly endpoints: "auto" | EndpointMode;
  readonly xdsCluster: string;
  /** The mode of the snapshot before this one, so that `auto` does not flap about its limit. */
  readonly previousMode?: EndpointMode;
}

type Resources = Pick<Store, "resources" | "resource">;

/** `auto` uses EDS up to `edsLimit` clusters, and once beyond goes back to it only under `edsReturn`. */
const edsLimit = 200;
const edsReturn = 150;

function chooseMode({ endpoints, previousMode }: LinkOptions, clusters: number): EndpointMode {
  if (endpoints !== "auto") return endpoints;
  const few = previousMode === "inline" ? clusters < edsReturn : clusters <= edsLimit;
  return few ? "eds" : "inline";
}

/** Puts the fragments of a store together. Fragments are flat JSON text and are joined as text. */
export function link(store: Resources, options: LinkOptions): Snapshot {
  const fragments = [...store.resources("cluster")];
  const mode = chooseMode(options, fragments.length);
  const clusters = new Map<string, string>();
  const endpoints = new Map<string, string>();
  const eds = JSON.stringify(configSource(options.xdsCluster));
  for (const cluster of fragments) {
    clusters.set(cluster.name, linkCluster(store, cluster, cluster.mode ?? mode, eds, endpoints));
  }
  return {
    sets: {
      clusters,
      endpoints,
      listeners: linkListeners(store),
      routes: linkRoutes(store),
      secrets: new Map([...store.resources("secret")].map(({ name, json }) => [name, json])),
    },
    mode,
  };
}

/** `{"a":1}` and `"b":2` give `{"a":1,"b":2}`. */
const append = (json: string, members: string): string =>
  json === "{}" ? `{${members}}` : `${json.slice(0, -1)},${members}}`;

/**
 * The load assignment goes under the cluster's own name, not its Service's: Envoy polls EDS once per cluster, and
 * polls for one name that two clusters share could not be told apart.
 */
function linkCluster(
  store: Resources,
  { name, json, endpoints }: Resource,
  mode: EndpointMode,
  eds: string,
  assignments: Map<string, string>,
): string {
  if (endpoints === undefined) return json;
  const localities = store.resource("endpoints", "", endpoints)?.json ?? "[]";
  const quoted = JSON.stringify(name);
  const assignment = `{"cluster_name":${quoted},"endpoints":${localities}}`;
  if (mode === "eds") {
    assignments.set(name, assignment);
    return append(json, `"type":"EDS","eds_cluster_config":{"service_name":${quoted},"eds_config":${eds}}`);
  }
  // A service's own name may be a DNS name; pods are always addresses.
  const type = mode === "service" ? "STRICT_DNS" : "STATIC";
  return append(json, `"type":"${type}","load_assignment":${assignment}`);
}

function linkRoutes(store: Resources): ResourceSet {
  const routes = new Map<string, string>();
  for (const { name, json } of store.resources("route-configuration")) {
    const hosts = [...store.resources("virtual-host", name)].map((host) => host.json);
    routes.set(name, append(json, `"virtual_hosts":[${hosts.join(",")}]`));
  }
  return routes;
}

function linkListeners(store: Resources): ResourceSet {
  const listeners = new Map<string, string>();
  for (const { name, json } of store.resources("listener")) {
    if (name === "ingress_http") {
      // As with Contour, no host means no listener.
      if (!isEmpty(store.resources("virtual-host", name))) listeners.set(name, json);
    } else if (name === "ingress_https") {
      const chains = linkFilterChains(store.resources("filter-chain", name));
      if (chains.length > 0) listeners.set(name, append(json, `"filter_chains":[${chains.join(",")}]`));
    } else listeners.set(name, json);
  }
  return listeners;
}

const isEmpty = (items: Iterable<unknown>): boolean => {
  for (const _ of items) return false;
  return true;
};

const anyHost = "*";

/**
 * Hosts whose chains are the same share one: a listener of a thousand hosts under one certificate has one chain. The
 * chain of host `*` takes all TLS that no other does, and comes last.
 */
function linkFilterChains(fragments: Iterable<Resource>): string[] {
  const hostsOf = new Map<string, string[]>();
  let fallback: string | undefined;
  for (const { name, json } of fragments) {
    const hosts = hostsOf.get(json);
    if (name === anyHost) fallback = json;
    else if (hosts) hosts.push(name);
    else hostsOf.set(json, [name]);
  }
  const chains = [...hostsOf].map(([json, hosts]) =>
    filterChain(hosts[0] ?? "", `{"server_names":${JSON.stringify(hosts)}}`, json),
  );
  if (fallback !== undefined) chains.push(filterChain(anyHost, '{"transport_protocol":"tls"}', fallback));
  return chains;
}

const filterChain = (name: string, match: string, json: string): string =>
  `{"filter_chain_match":${match},"name":${JSON.stringify(name)},${json.slice(1)}`;
