import type { Finding } from "../schema/meta.js";
import { type PollTimes, pollTimes } from "../schema/polls.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { EndpointMode, Resource } from "../store/store.js";
import { configSource } from "../xds/config-source.js";
import { shardScopes } from "../xds/route-shards.js";
import { routesIn } from "../xds/routes-hole.js";
import { fitHosts, hasRoom } from "./budget.js";
import { type ClusterSection, linkClusters } from "./clusters.js";
import type { Resources } from "./fragment.js";
import { linkListeners } from "./listeners.js";
import { type Linked, linked, ResourceSet } from "./resource-set.js";
import { isSplit, type RouteShards } from "./split.js";
import { withoutSurplus } from "./surplus.js";
import { linkTable, splitTable, type Table } from "./table.js";
import { type XdsType, xdsTypes } from "./xds-types.js";

export { type XdsType, xdsTypes } from "./xds-types.js";

export interface Snapshot {
  readonly sets: Readonly<Record<XdsType, ResourceSet>>;
  /** The mode that `auto` selected. */
  readonly mode: EndpointMode;
  /** The name of the xDS cluster for polls without one. */
  readonly xdsCluster: string;
  readonly polls: PollTimes;
  /** The names of route tables to whose parts listeners refer. */
  readonly split: ReadonlySet<string>;
  /** The names of route tables whose parts are served. Listeners may refer to the whole table again. */
  readonly parts: ReadonlySet<string>;
  /** Findings about resources that are left out. */
  readonly findings: readonly Finding[];
  /** The linked route tables, for the next link. */
  readonly tables: ReadonlyMap<string, Table>;
  /** The linked clusters, for the next link. */
  readonly memo?: ClusterSection;
}

/** The part of a snapshot that determines answers. */
type Served = Pick<Snapshot, "sets" | "xdsCluster" | "polls">;

/** Whether both snapshots give the same answers. */
export const isSameServed = (a: Served, b: Served): boolean =>
  a.xdsCluster === b.xdsCluster &&
  a.polls.holdMs === b.polls.holdMs &&
  xdsTypes.every((type) => a.sets[type].isSame(b.sets[type]));

export interface LinkOptions {
  readonly endpoints: "auto" | EndpointMode;
  /** Becomes `Snapshot.xdsCluster`. */
  readonly xdsCluster: string;
  /** Absent: the defaults. */
  readonly polls?: SettingsSpec["polls"];
  /** `clusters`: the limit for the Services of a namespace, beyond one each; absent: no limit. */
  readonly budgets?: { readonly clusters: number };
  /** The number of parts per route table; default 1. */
  readonly routeShards?: RouteShards;
  /** The names of route tables whose parts Envoys poll: open connections may still use them. */
  readonly polledParts?: ReadonlySet<string>;
}

/** `auto` uses EDS up to `edsLimit` clusters, and returns to it only below `edsReturn`. */
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
 * Joins the fragments of a store, as JSON text, into resources. The previous snapshot saves work for unchanged parts and
 * keeps `auto` from switching modes near its limit; otherwise it does not affect the result.
 */
export function link(store: Resources, options: LinkOptions, previous?: Partial<Snapshot>): Snapshot {
  const findings: Finding[] = [];
  const { clusters: most } = options.budgets ?? {};
  const all = [...store.resources("cluster")];
  const fragments = most === undefined ? all : withoutSurplus(all, most, findings);
  const mode = chooseMode(options.endpoints, fragments.length, previous?.mode);
  const times = pollTimes(options.polls);
  const eds = JSON.stringify(configSource(times));
  const changingByEds = options.endpoints === "auto" && mode === "inline";
  const clusters = linkClusters(store, fragments, { mode, eds, changingByEds }, previous?.memo);
  for (const finding of clusters.findings) findings.push(finding);
  const tables = new Map<string, Table>();
  const scopes = new Map<string, Linked>();
  const split = new Set<string>();
  const inPartsToo = new Set<string>();
  const { polledParts = new Set() } = options;
  for (const head of store.resources("route-configuration")) {
    const hosts = [...store.resources("virtual-host", head.name)];
    const isPolled = polledParts.has(head.name);
    const wasSplit = isPolled || previous?.split?.has(head.name) === true;
    if (isSplit(store, options.routeShards ?? 1, head.name, hosts.length, wasSplit)) split.add(head.name);
    if (isPolled || split.has(head.name)) inPartsToo.add(head.name);
    const whole = { head, hosts };
    const parts = inPartsToo.has(head.name) ? splitTable(head, hosts) : [whole];
    // Earlier listeners and other clients may still request the whole table.
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
      listeners: linkListeners(store, routesIn(split, times), findings),
      routes: new ResourceSet(sorted(new Map([...tables].map(([name, { resource }]) => [name, resource])))),
      "scoped-routes": new ResourceSet(sorted(scopes)),
      secrets: new ResourceSet(new Map([...store.resources("secret")].map(linkWhole))),
    },
    mode,
    xdsCluster: options.xdsCluster,
    polls: times,
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
