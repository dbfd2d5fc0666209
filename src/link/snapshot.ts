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

const edsLimit = 200;
const edsReturn = 150;

function chooseMode({ endpoints, previousMode }: LinkOptions, clusters: number): EndpointMode {
  if (endpoints !== "auto") return endpoints;
  const limit = previousMode && previousMode !== "eds" ? edsReturn : edsLimit;
  return clusters <= limit ? "eds" : "inline";
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
  const routes = linkRoutes(store);
  return {
    sets: {
      clusters,
      endpoints,
      listeners: linkListeners(store),
      routes: routes,
      secrets: new Map([...store.resources("secret")].map(({ name, json }) => [name, json])),
    },
    mode,
  };
}

/** `{"a":1}` and `"b":2` give `{"a":1,"b":2}`. */
const append = (json: string, members: string): string =>
  json === "{}" ? `{${members}}` : `${json.slice(0, -1)},${members}}`;

function linkCluster(
  store: Resources,
  { name, json, endpoints: key }: Resource,
  mode: EndpointMode,
  eds: string,
  assignments: Map<string, string>,
): string {
  if (key === undefined) return json;
  const localities = store.resource("endpoints", "", key)?.json ?? "[]";
  const service = JSON.stringify(key);
  if (mode === "eds") {
    assignments.set(key, `{"cluster_name":${service},"endpoints":${localities}}`);
    return append(json, `"type":"EDS","eds_cluster_config":{"service_name":${service},"eds_config":${eds}}`);
  }
  // A service's own name may be a DNS name; pods are always addresses.
  const type = mode === "service" ? "STRICT_DNS" : "STATIC";
  const assignment = `{"cluster_name":${JSON.stringify(name)},"endpoints":${localities}}`;
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

/** Hosts whose chains are the same share one: a listener of a thousand hosts under one certificate has one chain. */
function linkFilterChains(fragments: Iterable<Resource>): string[] {
  const hostsOf = new Map<string, string[]>();
  for (const { name, json } of fragments) {
    const hosts = hostsOf.get(json);
    if (hosts) hosts.push(name);
    else hostsOf.set(json, [name]);
  }
  return [...hostsOf].map(([json, hosts]) => {
    const match = `"filter_chain_match":{"server_names":${JSON.stringify(hosts)}}`;
    return append(json, `"name":${JSON.stringify(hosts[0])},${match}`);
  });
}
