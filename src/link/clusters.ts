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
  /** In the mode `inline`, clusters with frequently changing endpoints get them by EDS. */
  readonly changingByEds: boolean;
}

/**
 * The limit of clusters that get endpoints by EDS in the mode `inline`. With inline endpoints, Envoy reads all
 * clusters again when one endpoint changes.
 */
const maxChanging = 64;

/** Linked clusters and endpoints, with their fragments. */
export interface ClusterSection {
  readonly options: ClusterLinkOptions;
  readonly clusters: ResourceSet;
  readonly endpoints: ResourceSet;
  /** Findings about clusters that are left out because the answer is too large. */
  readonly findings: readonly Finding[];
  readonly fragments: readonly Resource[];
  readonly endpointFragments: readonly Resource[];
  /** The endpoints of each cluster, in the order of `fragments`. */
  readonly endpointsOf: readonly (Resource | undefined)[];
  /** The names of clusters with frequently changing endpoints, ordered by their latest change. */
  readonly changing: ReadonlySet<string>;
}

/** Links the clusters of a store. Reuses those of `before` whose fragments are equal. */
export function linkClusters(
  store: Resources,
  fragments: readonly Resource[],
  options: ClusterLinkOptions,
  before?: ClusterSection,
): ClusterSection {
  const endpointFragments = [...store.resources("endpoints")];
  const known = isSame(before?.options, options) ? before : undefined;
  if (known && isSame(known.fragments, fragments) && isSame(known.endpointFragments, endpointFragments))
    return known;
  const endpointsByName = new Map(endpointFragments.map((one) => [one.name, one]));
  const endpointsOf = fragments.map(({ endpoints }) =>
    endpoints === undefined ? undefined : endpointsByName.get(endpoints),
  );
  const clusters = new Map<string, Linked>();
  const endpoints = new Map<string, Linked>();
  const olds = placesIn(known, fragments);
  const changing = options.changingByEds
    ? changingOf(fragments, endpointsOf, known, olds)
    : new Set<string>();
  for (const [i, fragment] of fragments.entries()) {
    const { name } = fragment;
    const old = olds[i] ?? -1;
    const cluster =
      isSame(known?.fragments[old], fragment) &&
      isSame(known?.endpointsOf[old], endpointsOf[i]) &&
      known?.changing.has(name) === changing.has(name)
        ? known?.clusters.get(name)
        : undefined;
    if (cluster) {
      const assignment = known?.endpoints.get(name);
      clusters.set(name, cluster);
      if (assignment) endpoints.set(name, assignment);
    } else {
      const mode = fragment.mode ?? (changing.has(name) ? "eds" : options.mode);
      linkCluster(fragment, endpointsOf[i], { ...options, mode }, clusters, endpoints);
    }
  }
  const findings: Finding[] = [];
  return {
    options,
    clusters: new ResourceSet(fitClusters(clusters, findings)),
    findings,
    endpoints: new ResourceSet(endpoints),
    fragments,
    endpointFragments,
    endpointsOf,
    changing,
  };
}

/** The previous index of each fragment, -1 for a new name. Both lists are sorted by name. */
function placesIn(known: ClusterSection | undefined, fragments: readonly Resource[]): readonly number[] {
  if (!known) return [];
  let old = 0;
  return fragments.map(({ name }) => {
    while ((known.fragments[old]?.name ?? name) < name) old++;
    return known.fragments[old]?.name === name ? old : -1;
  });
}

/** The clusters that changed frequently before, and those whose endpoints have changed now. */
function changingOf(
  fragments: readonly Resource[],
  endpointsOf: readonly (Resource | undefined)[],
  known: ClusterSection | undefined,
  olds: readonly number[],
): ReadonlySet<string> {
  const changing = new Set<string>(known?.changing);
  const names = new Set<string>();
  for (const [i, { name, mode }] of fragments.entries()) {
    const old = olds[i] ?? -1;
    if (changing.has(name)) names.add(name);
    if (old < 0 || mode !== undefined || isSame(known?.endpointsOf[old], endpointsOf[i])) continue;
    names.add(name);
    changing.delete(name);
    changing.add(name);
  }
  for (const name of changing) if (!names.has(name)) changing.delete(name);
  for (const name of changing) if (changing.size > maxChanging) changing.delete(name);
  return changing;
}

/** Envoy requires a name of inline endpoints, and does not use it for addresses. The type STATIC is the default. */
const inlineHead = ',"load_assignment":{"cluster_name":"-",';

/**
 * The load assignment has the name of the cluster, not of its Service: Envoy polls EDS once per cluster, and polls of two
 * clusters for the same name could not be distinguished.
 */
function linkCluster(
  { name, json, ...fragment }: Resource,
  list: Resource | undefined,
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
  const listJson = list?.json ?? "[]";
  const body = unclosed(json);
  if (mode === "eds") {
    endpoints.set(name, linked(name, [`{"cluster_name":${quoted},"endpoints":`, listJson, "}"]));
    const config = `,"type":"EDS","eds_cluster_config":{"service_name":${quoted},"eds_config":${options.eds}}}`;
    clusters.set(name, linked(name, [body, config]));
    return;
  }
  // The mode `service` has the DNS name of the Service; endpoints are always addresses.
  const assignment =
    mode === "service" ? `,"type":"STRICT_DNS","load_assignment":{"cluster_name":${quoted},` : inlineHead;
  clusters.set(name, linked(name, [body, assignment, '"endpoints":', listJson, "}}"]));
}
