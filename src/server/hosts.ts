import type { Context } from "hono";
import { type HostNode, hostNodes } from "../explain/graph.js";
import { claimsOn, originsIn } from "../explain/origins.js";
import { passedHosts, tablesByHost } from "../explain/served-hosts.js";
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
import { type Finding, kindOf, type Ref } from "../schema/meta.js";
import { settingsRef } from "../schema/settings.js";
import type { Store } from "../store/store.js";
import { type CurrentFindings, type FindingsCache, placed } from "./findings.js";
import { type Inspected, valuesFor } from "./inspect.js";
import { pageOf } from "./paging.js";
import { nothingPublished, problem, uncached } from "./problem.js";
import type { Identity } from "./tokens.js";

/**
 * One row of the list of hosts. The states: `served`; `empty`: one of its Services has no endpoints, so requests get
 * 503; `errors`: one of its objects has errors; `failing`: objects claim the host, but it is not served.
 */
export interface HostRow {
  readonly host: string;
  readonly state: "served" | "empty" | "errors" | "failing";
  /** Names of route tables; empty if the host has none, for example because its connections are passed through. */
  readonly tables: readonly string[];
  readonly routes: number;
  /** The objects that claim the host, at most `maxNames`. */
  readonly owners: readonly Ref[];
  /** The Services that its routes use as `namespace/name`, at most `maxNames`. */
  readonly services: readonly string[];
  readonly serviceCount: number;
  readonly errors: number;
  readonly warnings: number;
}

const maxNames = 4;
const maxRows = 2000;

/**
 * The served hosts with their route tables, found once for each snapshot. Listeners are read again only after a change
 * of listeners.
 */
export class HostIndex {
  #known:
    | { readonly snapshot: Snapshot; readonly tables: ReadonlyMap<string, readonly string[]> }
    | undefined;
  #passed: { readonly hash: string; readonly hosts: ReadonlySet<string> } | undefined;

  constructor(private readonly inspected: Inspected) {}

  /** Empty before the first publication. */
  get tables(): ReadonlyMap<string, readonly string[]> {
    const { snapshot } = this.inspected.engine;
    if (!snapshot) return new Map();
    if (this.#known?.snapshot === snapshot) return this.#known.tables;
    const tables = tablesByHost(snapshot);
    const { listeners } = snapshot.sets;
    if (this.#passed?.hash !== listeners.hash)
      this.#passed = { hash: listeners.hash, hosts: passedHosts(listeners) };
    for (const host of this.#passed.hosts) if (!tables.has(host)) tables.set(host, []);
    this.#known = { snapshot, tables };
    return tables;
  }
}

/** The inputs of the responses about hosts. */
export interface HostParts {
  readonly inspected: Inspected;
  readonly findings: FindingsCache;
  readonly hosts: HostIndex;
}

/** Hosts that are not served and that objects with errors claim. */
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
function allHosts({ inspected, findings, hosts }: HostParts): readonly string[] {
  const served = hosts.tables;
  return [...served.keys(), ...failingHosts(inspected.engine.store, findings.current, served)].sort();
}

/** The objects of a host: those that claim it, and those that its routes read. */
function objectsOf(store: Store, host: string): readonly Ref[] {
  const unit = hostUnit(host);
  const reads = (store.unit(unit)?.reads ?? []).filter(isObjectRead);
  return [...new Set([...store.claimants(unit), ...reads])].filter((ref) => ref !== settingsRef);
}

/** Whether a unit is the endpoints of a Service and has none. */
function hasNoEndpoints(unit: NeededUnit | undefined, store: Store): boolean {
  if (unit === undefined || readUnit(unit).kind !== "endpoints") return false;
  const resources = store.unit(unit)?.resources ?? [];
  return resources.every(({ type, json }) => type !== "endpoints" || json === "[]");
}

function rowOf(host: string, { inspected, findings, hosts }: HostParts): HostRow {
  const { store } = inspected.engine;
  const { byRef } = findings.current;
  const tables = hosts.tables.get(host);
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
export function answerHosts(c: Context, parts: HostParts): Response {
  const page = pageOf(c, allHosts(parts), maxRows);
  if (page instanceof Response) return page;
  const { items, ...rest } = page;
  return c.json({ ...rest, hosts: items.map((host) => rowOf(host, parts)) }, 200, uncached);
}

/** One host, for its picture and its list of routes. */
export interface HostDetail {
  readonly row: HostRow;
  /** Absent if the host is not served. */
  readonly node?: HostNode;
  readonly findings: readonly (Finding & { readonly file?: string; readonly line?: number })[];
  /** The file and line of each origin of a route, by `ref field`, if the source is files. */
  readonly places: Readonly<Record<string, { readonly file: string; readonly line: number }>>;
  /** The number of addresses that are not ready, by `namespace/name` of the Service. */
  readonly notReady: Readonly<Record<string, number>>;
}

const maxFindings = 200;
const maxPlaces = 500;

/**
 * `GET /hosts/HOST`: a host as a graph with requests for its routes, its findings, and the files and lines of its
 * origins.
 */
export function answerHost(c: Context, parts: HostParts, who: Identity): Response {
  const { inspected, findings: cache, hosts } = parts;
  const { snapshot, store, platform, settings } = inspected.engine;
  if (!snapshot) return nothingPublished(c);
  const host = (c.req.param("host") ?? "").toLowerCase();
  const isServed = hosts.tables.has(host);
  const claims = claimsOn(store, host);
  if (!isServed && claims.claimants.length === 0)
    return problem(c, 404, "not-found", "this host is not served, and no object claims it");
  const origins = originsIn(store, settings, platform);
  const shown = { values: valuesFor(who), requests: true };
  const [node] = isServed ? hostNodes([host], snapshot, origins, shown) : [];
  const refs = objectsOf(store, host);
  const findings = [
    ...refs.flatMap((ref) => cache.current.byRef.get(ref) ?? []),
    ...(isServed ? [] : unservedFor(host, store, settings)),
  ];
  const detail: HostDetail = {
    row: rowOf(host, parts),
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

/** The number of addresses in EndpointSlices that are not ready, by Service. No Envoy gets these addresses. */
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
