import type { Resource } from "../store/store.js";
import { type Resources, unclosed } from "./fragment.js";
import { type Linked, linked, ResourceSet } from "./resource-set.js";

export function linkListeners(store: Resources): ResourceSet {
  const listeners = new Map<string, Linked>();
  for (const { name, json } of store.resources("listener")) {
    if (name === "ingress_http") {
      // As with Contour, no host means no listener.
      if (!isEmpty(store.resources("virtual-host", name))) listeners.set(name, linked(name, [json]));
    } else if (name === "ingress_https") {
      const chains = linkFilterChains(store.resources("filter-chain", name));
      const list = `,"filter_chains":[${chains.join(",")}]}`;
      if (chains.length > 0) listeners.set(name, linked(name, [unclosed(json), list]));
    } else listeners.set(name, linked(name, [json]));
  }
  return new ResourceSet(listeners);
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
