import type { Finding } from "../schema/meta.js";
import { isSame } from "../schema/same.js";
import type { EndpointMode, Resource } from "../store/store.js";
import { fitClusters } from "./budget.js";
import { type Resources, unclosed } from "./fragment.js";
import { type Linked, linked, ResourceSet } from "./resource-set.js";

export interface ClusterLinkOptions {
  readonly mode: EndpointMode;
  /** JSON of the ConfigSource of endpoints. */
  readonly eds: string;
  /** In the mode `inline`, clusters whose endpoints change get them by EDS from then on. */
  readonly changingByEds: boolean;
}

/** Endpoints inline mean that Envoy reads all clusters when one has another pod: as many clusters are spared that. */
const maxChanging = 64;

/** Clusters and endpoints with the fragments that they were made of. */
export interface ClusterSection {
  readonly options: ClusterLinkOptions;
  readonly clusters: ResourceSet;
  readonly endpoints: ResourceSet;
  /** About clusters for which there is no room. */
  readonly findings: readonly Finding[];
  readonly fragments: readonly Resource[];
  /** All endpoints, and those of each cluster in turn. */
  readonly endpointFragments: readonly Resource[];
  readonly endpointsOf: readonly (Resource | undefined)[];
  /** Names of clusters whose endpoints have changed, that of the latest change last. */
  readonly changing: ReadonlySet<string>;
}

/** Links the clusters of a store; takes over from `before` those whose fragments are the same. */
export function linkClusters(
  store: Resources,
  fragments: readonly Resource[],
  options: ClusterLinkOptions,
  before?: ClusterSection,
): ClusterSection {
  const pods = [...store.resources("endpoints")];
  const known = isSame(before?.options, options) ? before : undefined;
  if (known && isSame(known.fragments, fragments) && isSame(known.endpointFragments, pods)) return known;
  const podsByName = new Map(pods.map((one) => [one.name, one]));
  const podsOf = fragments.map(({ endpoints }) =>
    endpoints === undefined ? undefined : podsByName.get(endpoints),
  );
  const clusters = new Map<string, Linked>();
  const endpoints = new Map<string, Linked>();
  const olds = placesIn(known, fragments);
  const lively = options.changingByEds ? changingOf(fragments, podsOf, known, olds) : new Set<string>();
  for (const [i, fragment] of fragments.entries()) {
    const { name } = fragment;
    const old = olds[i] ?? -1;
    const cluster =
      isSame(known?.fragments[old], fragment) &&
      isSame(known?.endpointsOf[old], podsOf[i]) &&
      known?.changing.has(name) === lively.has(name)
        ? known?.clusters.get(name)
        : undefined;
    if (cluster) {
      const assignment = known?.endpoints.get(name);
      clusters.set(name, cluster);
      if (assignment) endpoints.set(name, assignment);
    } else {
      const mode = fragment.mode ?? (lively.has(name) ? "eds" : options.mode);
      linkCluster(fragment, podsOf[i], { ...options, mode }, clusters, endpoints);
    }
  }
  const findings: Finding[] = [];
  return {
    options,
    clusters: new ResourceSet(fitClusters(clusters, findings)),
    findings,
    endpoints: new ResourceSet(endpoints),
    fragments,
    endpointFragments: pods,
    endpointsOf: podsOf,
    changing: lively,
  };
}

/** Where each fragment was before, as far as its name was there; both are in the order of their names. */
function placesIn(known: ClusterSection | undefined, fragments: readonly Resource[]): readonly number[] {
  if (!known) return [];
  let old = 0;
  return fragments.map(({ name }) => {
    while ((known.fragments[old]?.name ?? name) < name) old++;
    return known.fragments[old]?.name === name ? old : -1;
  });
}

/** The clusters that were lively before and those whose endpoints are others now. */
function changingOf(
  fragments: readonly Resource[],
  podsOf: readonly (Resource | undefined)[],
  known: ClusterSection | undefined,
  olds: readonly number[],
): ReadonlySet<string> {
  const lively = new Set<string>(known?.changing);
  const names = new Set<string>();
  for (const [i, { name, mode }] of fragments.entries()) {
    const old = olds[i] ?? -1;
    if (lively.has(name)) names.add(name);
    if (old < 0 || mode !== undefined || isSame(known?.endpointsOf[old], podsOf[i])) continue;
    names.add(name);
    lively.delete(name);
    lively.add(name);
  }
  for (const name of lively) if (!names.has(name)) lively.delete(name);
  for (const name of lively) if (lively.size > maxChanging) lively.delete(name);
  return lively;
}

/**
 * The load assignment goes under the cluster's own name, not its Service's: Envoy polls EDS once per cluster, and
 * polls for one name that two clusters share could not be told apart.
 */
function linkCluster(
  { name, json, ...fragment }: Resource,
  pods: Resource | undefined,
  options: ClusterLinkOptions,
  clusters: Map<string, Linked>,
  endpoints: Map<string, Linked>,
): void {
  if (fragment.endpoints === undefined) {
    clusters.set(name, linked(name, [json]));
    return;
  }
  const { mode } = options;
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
