import type { Finding } from "../schema/meta.js";
import type { Resource } from "../store/store.js";

/** The clusters of one Service, sorted by name. */
type Group = Resource[];

/**
 * Removes the clusters above the budget: an Envoy cluster takes some 50 KB, and a few bytes of an object create one (another
 * port, another timeout). Each Service has one cluster; in addition, the Services of a namespace have at most `most` in
 * total. Above that, the Services with the most clusters are cut to an equal number, independent of the order of
 * objects. Routes to a removed cluster answer 503.
 */
export function withoutSurplus(
  clusters: readonly Resource[],
  most: number,
  findings: Finding[],
): readonly Resource[] {
  if (surplusIn(clusters) <= most) return clusters;
  const namespaces = new Map<string, { groups: Map<string, Group>; surplus: number }>();
  for (const cluster of clusters) {
    const [namespace = "", service = "", port, hash] = cluster.name.split("/");
    // Names of other forms are the clusters of ExtensionServices, key sets and Isoline itself.
    if (port === undefined || hash === undefined || namespace === "dnsname") continue;
    const known = namespaces.get(namespace) ?? { groups: new Map<string, Group>(), surplus: 0 };
    namespaces.set(namespace, known);
    const group = known.groups.get(service);
    if (group) group.push(cluster);
    else known.groups.set(service, [cluster]);
    if (group) known.surplus++;
  }
  const out = new Set<Resource>();
  for (const [namespace, { groups, surplus }] of namespaces) {
    if (surplus <= most) continue;
    const kept = keptOfEach([...groups.values()], most);
    for (const [service, group] of groups) {
      if (group.length <= kept) continue;
      const removed = group.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(kept);
      for (const cluster of removed) out.add(cluster);
      findings.push(tooMany(namespace, service, group.length, kept, most));
    }
  }
  return out.size === 0 ? clusters : clusters.filter((cluster) => !out.has(cluster));
}

/**
 * The number of clusters beyond one per Service. The clusters of a Service are adjacent, because a store lists them
 * by name.
 */
function surplusIn(clusters: readonly Resource[]): number {
  let surplus = 0;
  let service = "";
  for (const { name } of clusters) {
    if (service !== "" && name.startsWith(service)) surplus++;
    else service = name.slice(0, name.indexOf("/", name.indexOf("/") + 1) + 1);
  }
  return surplus;
}

/** The limit of clusters per Service (at least 1) with which all Services have at most `most` in total beyond one each. */
function keptOfEach(groups: readonly Group[], most: number): number {
  const surplusWith = (kept: number): number =>
    groups.reduce((sum, { length }) => sum + Math.min(length, kept) - 1, 0);
  let [good, bad] = [1, groups.reduce((most, { length }) => Math.max(most, length), 1)];
  while (bad - good > 1) {
    const kept = (good + bad) >> 1;
    if (surplusWith(kept) <= most) good = kept;
    else bad = kept;
  }
  return good;
}

const tooMany = (namespace: string, service: string, count: number, kept: number, most: number): Finding => ({
  about: `Service/${namespace}/${service}`,
  severity: "error",
  type: "ServiceError",
  reason: "TooManyClusters",
  message: `routes require ${count} clusters for this Service, and ${kept} are served: the Services of namespace ${namespace} may have ${most} beyond one each (setting budgets.clusters); use the same ports, timeouts, health checks, validation and Host headers in several routes, or raise the setting`,
});
