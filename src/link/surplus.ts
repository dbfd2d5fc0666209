import type { Finding } from "../schema/meta.js";
import type { Resource } from "../store/store.js";

/** Clusters of one Service, in the order of their names. */
type Group = Resource[];

/**
 * The clusters of a store without those that are too many: an Envoy cluster takes some 50 KB, and few bytes ask for one (another port,
 * another timeout). Each Service has one; beyond these, the Services of a namespace have `most` in all. Of more, the
 * Services with most clusters keep as many each as there is room for, whatever the order in which objects come. Routes to a
 * cluster that is left out answer 503.
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
    // Of other forms are the clusters of ExtensionServices, of key sets and of Isoline itself.
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
      const left = group.sort((a, b) => (a.name < b.name ? -1 : 1)).slice(kept);
      for (const cluster of left) out.add(cluster);
      findings.push(tooMany(namespace, service, group.length, kept, most));
    }
  }
  return out.size === 0 ? clusters : clusters.filter((cluster) => !out.has(cluster));
}

/** Clusters of all Services beyond one each. Those of one Service follow each other, as a store lists them by name. */
function surplusIn(clusters: readonly Resource[]): number {
  let surplus = 0;
  let service = "";
  for (const { name } of clusters) {
    if (service !== "" && name.startsWith(service)) surplus++;
    else service = name.slice(0, name.indexOf("/", name.indexOf("/") + 1) + 1);
  }
  return surplus;
}

/** How many clusters a Service may have, so that all together have at most `most` beyond one each; at least one. */
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
  message: `routes ask for ${count} clusters of this Service and ${kept} are served: the Services of namespace ${namespace} may have ${most} beyond one each (setting budgets.clusters); let routes share ports, timeouts, health checks, validation and Host headers, or raise the setting`,
});
