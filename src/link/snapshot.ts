import type { Finding } from "../schema/meta.js";
import type { EndpointMode, Resource } from "../store/store.js";
import { configSource } from "../xds/config-source.js";
import { inParts, shardScopes } from "../xds/route-shards.js";
import { fitHosts, hasRoom } from "./budget.js";
import { type ClusterSection, linkClusters } from "./clusters.js";
import type { Resources } from "./fragment.js";
import { linkListeners } from "./listeners.js";
import { type Linked, linked, ResourceSet } from "./resource-set.js";
import { isSplit, type RouteShards } from "./split.js";
import { withoutSurplus } from "./surplus.js";
import { linkTable, splitTable, type Table } from "./table.js";

export const xdsTypes = ["clusters", "endpoints", "listeners", "routes", "scoped-routes", "secrets"] as const;
export type XdsType = (typeof xdsTypes)[number];

export interface Snapshot {
  readonly sets: Readonly<Record<XdsType, ResourceSet>>;
  /** What `auto` came to. */
  readonly mode: EndpointMode;
  /** The name of the xDS cluster for polls that do not say theirs. */
  readonly xdsCluster: string;
  /** Names of the route tables that are found in parts. */
  readonly split: ReadonlySet<string>;
  /** Names of the route tables whose parts are served; some may be no longer found in them. */
  readonly parts: ReadonlySet<string>;
  /** About what had to be left out. */
  readonly findings: readonly Finding[];
  /** The route tables with the virtual hosts that they are made of. */
  readonly tables: ReadonlyMap<string, Table>;
  /** The clusters with what they are made of, for the next link to take over. */
  readonly memo?: ClusterSection;
}

/** What answers are made of. */
type Served = Pick<Snapshot, "sets" | "xdsCluster">;

/** Whether the same bytes are served of both. */
export const isSameServed = (a: Served, b: Served): boolean =>
  a.xdsCluster === b.xdsCluster && xdsTypes.every((type) => a.sets[type].isSame(b.sets[type]));

export interface LinkOptions {
  readonly endpoints: "auto" | EndpointMode;
  /** Becomes `Snapshot.xdsCluster`. */
  readonly xdsCluster: string;
  /** `clusters`: how many the Services of a namespace may have beyond one each; absent: any number. */
  readonly budgets?: { readonly clusters: number };
  /** Parts of each route table; default 1. */
  readonly routeShards?: RouteShards;
  /** Names of route tables whose parts Envoys ask for: connections that found their routes there may live on. */
  readonly partsAsked?: ReadonlySet<string>;
}

/** `auto` uses EDS up to `edsLimit` clusters, and once beyond goes back to it only under `edsReturn`. */
const edsLimit = 200;
const edsReturn = 150;

function chooseMode(
  endpoints: LinkOptions["endpoints"],
  clusters: number,
  before?: EndpointMode,
): EndpointMode {
  if (endpoints !== "auto") return endpoints;
  const few = before === "inline" ? clusters < edsReturn : clusters <= edsLimit;
  return few ? "eds" : "inline";
}

/**
 * Puts the fragments of a store together. Fragments are flat JSON text and are joined as text. With the snapshot
 * before, what has not changed is taken over, and `auto` does not flap about its limit; the result is the same.
 */
export function link(store: Resources, options: LinkOptions, previous?: Partial<Snapshot>): Snapshot {
  const findings: Finding[] = [];
  const { clusters: most } = options.budgets ?? {};
  const asked = [...store.resources("cluster")];
  const fragments = most === undefined ? asked : withoutSurplus(asked, most, findings);
  const mode = chooseMode(options.endpoints, fragments.length, previous?.mode);
  const eds = JSON.stringify(configSource);
  const livelyByEds = options.endpoints === "auto" && mode === "inline";
  const clusters = linkClusters(store, fragments, { mode, eds, changingByEds: livelyByEds }, previous?.memo);
  for (const finding of clusters.findings) findings.push(finding);
  const tables = new Map<string, Table>();
  const scopes = new Map<string, Linked>();
  const split = new Set<string>();
  const inPartsToo = new Set<string>();
  const { partsAsked = new Set() } = options;
  for (const head of store.resources("route-configuration")) {
    const hosts = [...store.resources("virtual-host", head.name)];
    const isAsked = partsAsked.has(head.name);
    const wasSplit = isAsked || previous?.split?.has(head.name) === true;
    if (isSplit(store, options.routeShards ?? 1, head.name, hosts.length, wasSplit)) split.add(head.name);
    if (isAsked || split.has(head.name)) inPartsToo.add(head.name);
    const whole = { head, hosts };
    const parts = inPartsToo.has(head.name) ? splitTable(head, hosts) : [whole];
    // Listeners from before the split, and whoever else asks, may still have the whole.
    if (parts.length > 1 && (!split.has(head.name) || hasRoom(hosts))) parts.push(whole);
    for (const { head, hosts } of parts) {
      const fitting = fitHosts(store, head.name, hosts, findings);
      tables.set(head.name, linkTable(head, fitting, previous?.tables?.get(head.name)));
    }
    if (parts.length > 1)
      for (const [name, scope] of shardScopes(head.name))
        scopes.set(name, linked(name, [JSON.stringify(scope)]));
  }
  return {
    sets: {
      clusters: clusters.clusters,
      endpoints: clusters.endpoints,
      listeners: linkListeners(store, inParts(split, configSource), findings),
      routes: new ResourceSet(sorted(new Map([...tables].map(([name, { resource }]) => [name, resource])))),
      "scoped-routes": new ResourceSet(sorted(scopes)),
      secrets: new ResourceSet(new Map([...store.resources("secret")].map(linkWhole))),
    },
    mode,
    xdsCluster: options.xdsCluster,
    split,
    parts: inPartsToo,
    findings,
    tables,
    memo: clusters,
  };
}

const sorted = (resources: ReadonlyMap<string, Linked>): Map<string, Linked> =>
  new Map([...resources].sort(([a], [b]) => (a < b ? -1 : 1)));

const linkWhole = ({ name, json }: Resource): [string, Linked] => [name, linked(name, [json])];
