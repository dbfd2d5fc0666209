import type { Listener } from "../gen/envoy.js";
import { ingressHttp, ingressHttps } from "../graph/core/listener-names.js";
import type { EnvoyConfig } from "./config.js";
import { parseListenerName } from "./listener-names.js";
import { serviceOf } from "./names.js";

/** Names of clusters or listeners of one side, with the names for the comparison. */
export type CommonNames = ReadonlyMap<string, string>;

/**
 * Common names for the clusters of two configurations. A cluster's name contains a hash of its content, so a changed
 * cluster has another name: where a service has one removed and one new cluster, the two correspond.
 */
export function clusterNames(
  before: EnvoyConfig,
  after: EnvoyConfig,
): { before: CommonNames; after: CommonNames } {
  const gone = byService([...before.clusters.keys()].filter((name) => !after.clusters.has(name)));
  const fresh = byService([...after.clusters.keys()].filter((name) => !before.clusters.has(name)));
  const all = byService(new Set([...before.clusters.keys(), ...after.clusters.keys()]));
  const names = { before: new Map<string, string>(), after: new Map<string, string>() };
  for (const [service, clusters] of all) {
    const [old, now] = [gone.get(service) ?? [], fresh.get(service) ?? []];
    const paired = old.length === 1 && now.length === 1;
    const alone = clusters.length - (paired ? 1 : 0) === 1;
    for (const name of clusters) {
      const common = alone ? service : paired && name === now[0] ? (old[0] ?? name) : name;
      names.before.set(name, common);
      names.after.set(name, common);
    }
  }
  return names;
}

function byService(names: Iterable<string>): Map<string, string[]> {
  const found = new Map<string, string[]>();
  for (const name of names) {
    const service = serviceOf(name);
    found.set(service, [...(found.get(service) ?? []), name]);
  }
  return found;
}

/**
 * Common names for the listeners of two configurations. When a Gateway gets or loses a lower port, another listener
 * becomes the main one, and the listener of one port has different names on the two sides.
 */
export function listenerNames(
  before: EnvoyConfig,
  after: EnvoyConfig,
): { before: CommonNames; after: CommonNames } {
  return { before: furtherNames(before, after), after: furtherNames(after, before) };
}

function furtherNames(config: EnvoyConfig, other: EnvoyConfig): CommonNames {
  const names = new Map<string, string>();
  for (const main of [ingressHttp, ingressHttps]) {
    const port = portOf(config.listeners.get(main));
    const further = [...other.listeners].find(
      ([name, listener]) =>
        parseListenerName(name)?.family === parseListenerName(main)?.family && portOf(listener) === port,
    );
    if (port !== undefined && further) names.set(main, further[0]);
  }
  return names;
}

const portOf = (listener: Listener | undefined): number | undefined =>
  listener?.address?.socket_address?.port_value;

/** A copy of JSON with the common names of clusters and listeners. */
export function renamed<T>(value: T, names: CommonNames): T {
  return JSON.parse(JSON.stringify(value), (_, inner: unknown) =>
    typeof inner === "string" ? (names.get(inner) ?? inner) : inner,
  ) as T;
}
