import type { Finding } from "../schema/meta.js";
import type { EndpointMode, Resource } from "../store/store.js";
import { fitClusters } from "./budget.js";
import { areSameFragments, isSameFragment, type Resources, unclosed } from "./fragment.js";
import { type Linked, linked, ResourceSet } from "./resource-set.js";

export interface ClusterOptions {
  readonly mode: EndpointMode;
  /** JSON of the ConfigSource of endpoints. */
  readonly eds: string;
}

/** Clusters and endpoints with the fragments that they were made of. */
export interface ClusterSection extends ClusterOptions {
  readonly clusters: ResourceSet;
  readonly endpoints: ResourceSet;
  /** About clusters for which there is no room. */
  readonly findings: readonly Finding[];
  readonly fragments: readonly Resource[];
  /** All endpoints, and those of each cluster in turn. */
  readonly pods: readonly Resource[];
  readonly podsOf: readonly (Resource | undefined)[];
}

/** Links the clusters of a store; takes over from `before` those whose fragments are the same. */
export function linkClusters(
  store: Resources,
  fragments: readonly Resource[],
  options: ClusterOptions,
  before?: ClusterSection,
): ClusterSection {
  const pods = [...store.resources("endpoints")];
  const known = before?.mode === options.mode && before.eds === options.eds ? before : undefined;
  if (known && areSameFragments(known.fragments, fragments) && areSameFragments(known.pods, pods))
    return known;
  const podsByName = new Map(pods.map((one) => [one.name, one]));
  const podsOf = fragments.map(({ endpoints }) =>
    endpoints === undefined ? undefined : podsByName.get(endpoints),
  );
  const clusters = new Map<string, Linked>();
  const endpoints = new Map<string, Linked>();
  let old = 0;
  for (const [i, fragment] of fragments.entries()) {
    const { name } = fragment;
    while (known && (known.fragments[old]?.name ?? name) < name) old++;
    const cluster =
      isSameFragment(known?.fragments[old], fragment) && isSameFragment(known?.podsOf[old], podsOf[i])
        ? known?.clusters.get(name)
        : undefined;
    if (cluster) {
      const assignment = known?.endpoints.get(name);
      clusters.set(name, cluster);
      if (assignment) endpoints.set(name, assignment);
    } else linkCluster(fragment, podsOf[i], options, clusters, endpoints);
  }
  const findings: Finding[] = [];
  return {
    ...options,
    clusters: new ResourceSet(fitClusters(clusters, findings)),
    findings,
    endpoints: new ResourceSet(endpoints),
    fragments,
    pods,
    podsOf,
  };
}

/**
 * The load assignment goes under the cluster's own name, not its Service's: Envoy polls EDS once per cluster, and
 * polls for one name that two clusters share could not be told apart.
 */
function linkCluster(
  { name, json, ...fragment }: Resource,
  pods: Resource | undefined,
  options: ClusterOptions,
  clusters: Map<string, Linked>,
  endpoints: Map<string, Linked>,
): void {
  if (fragment.endpoints === undefined) {
    clusters.set(name, linked(name, [json]));
    return;
  }
  const mode = fragment.mode ?? options.mode;
  const quoted = JSON.stringify(name);
  const head = `{"cluster_name":${quoted},"endpoints":`;
  const list = pods?.json ?? "[]";
  const body = unclosed(json);
  if (mode === "eds") {
    endpoints.set(name, linked(name, [head, list, "}"]));
    const config = `,"type":"EDS","eds_cluster_config":{"service_name":${quoted},"eds_config":${options.eds}}}`;
    clusters.set(name, linked(name, [body, config]));
    return;
  }
  // A service's own name may be a DNS name; pods are always addresses.
  const type = mode === "service" ? "STRICT_DNS" : "STATIC";
  clusters.set(name, linked(name, [body, `,"type":"${type}","load_assignment":${head}`, list, "}}"]));
}
