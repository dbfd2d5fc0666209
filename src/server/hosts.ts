import type { Context } from "hono";
import { type HostNode, hostNodes } from "../explain/graph.js";
import { claimsOn, originsIn } from "../explain/origins.js";
import { wholeTables } from "../explain/served-config.js";
import { servedHosts } from "../explain/served-hosts.js";
import {
  hostUnit,
  isHostUnit,
  isObjectRead,
  type NeededUnit,
  neededUnit,
  readUnit,
  slicesKey,
} from "../graph/core/keys.js";
import { readOrigins } from "../graph/core/route-origins.js";
import type { Snapshot } from "../link/snapshot.js";
import { unservedFor } from "../lint/unserved.js";
import { memoized } from "../schema/memoized.js";
import { type Finding, kindOf, type Ref } from "../schema/meta.js";
import { settingsRef } from "../schema/settings.js";
import type { Store } from "../store/store.js";
import { type CurrentFindings, type FindingsCache, placed } from "./findings.js";
import { type Inspected, valuesFor } from "./inspect.js";
import { pageOf } from "./paging.js";
import { nothingPublished, problem } from "./problem.js";
import type { Identity } from "./tokens.js";

/**
 * One row of the list of hosts: `served`; `empty` where a Service of it has no endpoints, so that requests get 503; `errors` where an object
 * behind it has errors; `failing` where objects claim it and nothing serves it.
 */
export interface HostRow {
  readonly host: string;
  readonly state: "served" | "empty" | "errors" | "failing";
  /** Names of route tables, or of listeners that pass its connections on. */
  readonly tables: readonly string[];
  readonly routes: number;
  /** The objects that claim it, at most `maxNames`. */
  readonly owners: readonly Ref[];
  /** `namespace/name` of Services that its routes use, at most `maxNames`. */
  readonly services: readonly string[];
  readonly serviceCount: number;
  readonly errors: number;
  readonly warnings: number;
}

const maxNames = 4;
const maxRows = 2000;

/** The hosts of a snapshot with the route tables that they are in. */
const tablesByHost = memoized(
  (snapshot: Pick<Snapshot, "sets" | "tables">): ReadonlyMap<string, readonly string[]> => {
    const found = new Map<string, string[]>(servedHosts(snapshot).map((host) => [host, []]));
    for (const [table, hosts] of wholeTables(snapshot.tables))
      for (const host of hosts.keys()) found.get(host)?.push(table);
    return found;
  },
);

/** Hosts that objects with errors claim and that are not served. */
function failingHosts(
  store: Pick<Store, "claimsOf">,
  { byRef }: CurrentFindings,
  served: ReadonlyMap<string, unknown>,
): string[] {
  const found = new Set<string>();
  for (const [ref, findings] of byRef) {
    if (!findings.some(({ severity }) => severity === "error")) continue;
    for (const claim of store.claimsOf(ref)) {
      const unit = isHostUnit(claim) ? readUnit(claim) : undefined;
      if (unit?.kind === "vhost" && !served.has(unit.host)) found.add(unit.host);
    }
  }
  return [...found];
}

/** All hosts, served and failing, in the order of their names. */
export function allHosts({ engine }: Inspected, findings: CurrentFindings): readonly string[] {
  const served = engine.snapshot ? tablesByHost(engine.snapshot) : new Map<string, readonly string[]>();
  return [...served.keys(), ...failingHosts(engine.store, findings, served)].sort();
}

export const servedCount = (snapshot: Snapshot | undefined): number =>
  snapshot ? tablesByHost(snapshot).size : 0;

/** What a host is made of: objects that claim it and that its routes read. */
function objectsOf(store: Store, host: string): readonly Ref[] {
  const unit = hostUnit(host);
  const reads = (store.unit(unit)?.reads ?? []).filter(isObjectRead);
  return [...new Set([...store.claimants(unit), ...reads])].filter((ref) => ref !== settingsRef);
}

/** Whether a unit is the endpoints of a Service, and there are none. */
function hasNoEndpoints(unit: NeededUnit | undefined, store: Store): boolean {
  if (unit === undefined || readUnit(unit).kind !== "endpoints") return false;
  const resources = store.unit(unit)?.resources ?? [];
  return resources.every(({ type, json }) => type !== "endpoints" || json === "[]");
}

function rowOf(
  host: string,
  { engine: { store, snapshot } }: Inspected,
  { byRef }: CurrentFindings,
): HostRow {
  const tables = (snapshot && tablesByHost(snapshot).get(host)) ?? undefined;
  const unit = store.unit(hostUnit(host));
  const refs = objectsOf(store, host);
  const services = refs.filter((ref) => kindOf(ref) === "Service").map((ref) => ref.slice("Service/".length));
  const counts = { error: 0, warning: 0 };
  for (const ref of refs) for (const { severity } of byRef.get(ref) ?? []) counts[severity]++;
  const isEmpty = (unit?.reads ?? []).some((read) => hasNoEndpoints(neededUnit(read), store));
  return {
    host,
    state: tables === undefined ? "failing" : counts.error > 0 ? "errors" : isEmpty ? "empty" : "served",
    tables: tables ?? [],
    routes: Math.max(0, ...(unit?.origins ?? []).map(({ routes }) => readOrigins(routes).length)),
    owners: store
      .claimants(hostUnit(host))
      .filter((ref) => ref !== settingsRef)
      .slice(0, maxNames),
    services: services.slice(0, maxNames),
    serviceCount: services.length,
    errors: counts.error,
    warnings: counts.warning,
  };
}

/** `GET /hosts?after=N&limit=N`: hosts with their owners, Services and state, in the order of their names. */
export function answerHosts(c: Context, inspected: Inspected, cache: FindingsCache): Response {
  const { current } = cache;
  const page = pageOf(c, allHosts(inspected, current), maxRows);
  if (page instanceof Response) return page;
  const { items, ...rest } = page;
  return c.json({ ...rest, hosts: items.map((host) => rowOf(host, inspected, current)) }, 200, uncached);
}

/** What one host is, for its picture and its list of routes. */
export interface HostDetail {
  readonly row: HostRow;
  /** Absent where the host is not served. */
  readonly node?: HostNode;
  readonly findings: readonly (Finding & { readonly file?: string; readonly line?: number })[];
  /** Where origins of routes stand, by `ref field`, where the source is files. */
  readonly places: Readonly<Record<string, { readonly file: string; readonly line: number }>>;
  /** By `namespace/name` of a Service: addresses that are not ready. */
  readonly notReady: Readonly<Record<string, number>>;
}

const maxFindings = 200;
const maxPlaces = 500;

/** `GET /hosts/HOST`: a host as a graph with requests for its routes, its findings, and the places of its objects. */
export function answerHost(c: Context, inspected: Inspected, cache: FindingsCache, who: Identity): Response {
  const { engine } = inspected;
  const { snapshot, store, platform, settings } = engine;
  if (!snapshot) return nothingPublished(c);
  const host = (c.req.param("host") ?? "").toLowerCase();
  const { current } = cache;
  const isServed = tablesByHost(snapshot).has(host);
  const claims = claimsOn(store, host);
  if (!isServed && claims.claimants.length === 0)
    return problem(c, 404, "not-found", "this host is not served, and no object claims it");
  const origins = originsIn(store, settings, platform);
  const shown = { values: valuesFor(who), requests: true };
  const [node] = isServed ? hostNodes([host], snapshot, origins, shown) : [];
  const refs = objectsOf(store, host);
  const findings = [
    ...refs.flatMap((ref) => current.byRef.get(ref) ?? []),
    ...(isServed ? [] : unservedFor(host, store, settings)),
  ];
  const detail: HostDetail = {
    row: rowOf(host, inspected, current),
    ...(node ? { node } : {}),
    findings: findings.slice(0, maxFindings).map((finding) => placed(finding, inspected) as Finding),
    places: node ? placesOf(node, inspected) : {},
    notReady: notReadyOf(store, refs),
  };
  return c.json(detail, 200, uncached);
}

function placesOf({ tables }: HostNode, inspected: Inspected): HostDetail["places"] {
  const found: Record<string, { file: string; line: number }> = {};
  let left = maxPlaces;
  for (const { origin } of Object.values(tables).flat()) {
    if (!origin || !inspected.source?.locate || left-- <= 0) continue;
    const key = `${origin.ref} ${origin.field}`;
    const finding: Finding = {
      about: origin.ref,
      path: origin.field,
      severity: "warning",
      type: "RouteError",
      reason: "NotReadable",
      message: "",
    };
    const { file, line } = inspected.source.locate(finding) as {
      readonly file?: string;
      readonly line?: number;
    };
    if (file) found[key] = { file, line: line ?? 0 };
  }
  return found;
}

/** Addresses of EndpointSlices that are not ready, which no Envoy is given. */
function notReadyOf(store: Store, refs: readonly Ref[]): Record<string, number> {
  const found: Record<string, number> = {};
  for (const ref of refs) {
    if (kindOf(ref) !== "Service") continue;
    const name = ref.slice("Service/".length);
    const [namespace = "", service = ""] = name.split("/");
    let count = 0;
    for (const slice of store.claimants(slicesKey(namespace, service))) {
      const object = store.object(slice);
      if (object?.kind === "EndpointSlice")
        count += object.spec.endpoints.filter(({ ready }) => !ready).length;
    }
    if (count > 0) found[name] = count;
  }
  return found;
}

const uncached = { "cache-control": "no-store" };
