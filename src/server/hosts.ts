import type { Context } from "hono";
import { type HostNode, hostNodes, type ReachedAt } from "../explain/graph.js";
import { serviceOf } from "../explain/names.js";
import { claimsOn, type Origins, originsIn } from "../explain/origins.js";
import type { ListenerChoice } from "../explain/request.js";
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
import { unservedFor } from "../lint/unserved.js";
import { type Finding, kindOf, type Ref } from "../schema/meta.js";
import { settingsRef } from "../schema/settings.js";
import type { Store } from "../store/store.js";
import { type CurrentFindings, type FindingsCache, placed } from "./findings.js";
import { byName, type HostEntry, type HostIndex } from "./host-index.js";
import { choiceIn, type Inspected, valuesFor } from "./inspect.js";
import { pageOf } from "./paging.js";
import { nothingPublished, problem, uncached } from "./problem.js";
import type { Identity } from "./tokens.js";

/**
 * One row of the list of hosts; a host of several Gateways has a row for each. The states: `served`; `empty`: one of its Services has no endpoints, so requests
 * get 503; `errors`: one of its objects has errors; `failing`: objects claim the host, but it is not served.
 */
export interface HostRow {
  readonly host: string;
  /** `namespace/name` of the Gateway of a class that serves the host; absent for the listeners of the settings and of `gatewayRef`. */
  readonly gateway?: string;
  /** An IP address of its listeners: chooses the row where several have the host and this one has no Gateway. */
  readonly address?: string;
  /** The listeners of Gateways that have the host. */
  readonly listeners: readonly ReachedAt[];
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
  { isServed }: Pick<HostIndex, "isServed">,
): HostEntry[] {
  const found = new Set<string>();
  for (const [ref, findings] of byRef) {
    if (!findings.some(({ severity }) => severity === "error")) continue;
    for (const claim of store.claimsOf(ref)) {
      const unit = isHostUnit(claim) ? readUnit(claim) : undefined;
      if (unit?.kind === "vhost" && !isServed(unit.host)) found.add(unit.host);
    }
  }
  return [...found].map((host) => ({ host, gateway: "", tables: [], places: [] }));
}

/** All hosts, served and failing, in the order of their names. */
function allHosts({ inspected, findings, hosts }: HostParts, choice: ListenerChoice): readonly HostEntry[] {
  const isAny = choice.gateway === undefined && choice.address === undefined;
  const failing = isAny ? failingHosts(inspected.engine.store, findings.current, hosts) : [];
  return [...hosts.chosen(choice), ...failing].sort(byName);
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

/** The objects of other Gateways of the host: routes that have routes in other tables alone. */
function foreignRoutes({ host, tables }: HostEntry, store: Store): ReadonlySet<Ref> {
  const [own, others] = [new Set<Ref>(), new Set<Ref>()];
  for (const { table, routes } of store.unit(hostUnit(host))?.origins ?? [])
    for (const { ref } of readOrigins(routes)) (tables.includes(table) ? own : others).add(ref);
  return new Set([...others].filter((ref) => !own.has(ref)));
}

/** The Services of the routes of a host in its tables, as `namespace/name`. */
const servicesIn = (entry: HostEntry, hosts: HostIndex): ReadonlySet<string> =>
  new Set(hosts.clustersOf(entry).map((cluster) => serviceOf(cluster).split("/").slice(0, 2).join("/")));

function rowOf(entry: HostEntry, parts: HostParts, origins: Origins): HostRow {
  const { inspected, findings, hosts } = parts;
  const { host, tables, places } = entry;
  const { store } = inspected.engine;
  const { byRef } = findings.current;
  const unit = store.unit(hostUnit(host));
  const isShared = hosts.isShared(host);
  const foreign = isShared ? foreignRoutes(entry, store) : new Set<Ref>();
  const own = isShared ? servicesIn(entry, hosts) : undefined;
  const listeners = [...tables, ...places].flatMap((place) => hosts.listenerAt(place, host, origins) ?? []);
  const isOwn = (ref: Ref): boolean =>
    !foreign.has(ref) &&
    !isOtherGateway(ref, listeners) &&
    (!own || kindOf(ref) !== "Service" || own.has(ref.slice("Service/".length)));
  const refs = objectsOf(store, host).filter(isOwn);
  const services = refs.filter((ref) => kindOf(ref) === "Service").map((ref) => ref.slice("Service/".length));
  const counts = { error: 0, warning: 0 };
  for (const ref of refs) for (const { severity } of byRef.get(ref) ?? []) counts[severity]++;
  const isEmpty = (unit?.reads ?? []).some((read) => {
    const needed = neededUnit(read);
    return hasNoEndpoints(needed, store) && (!own || own.has(serviceOfUnit(needed)));
  });
  const ofTables = (unit?.origins ?? []).filter(({ table }) => !isShared || tables.includes(table));
  return {
    host,
    ...hosts.choiceOf(entry),
    listeners,
    state: !hosts.isServed(host) ? "failing" : counts.error > 0 ? "errors" : isEmpty ? "empty" : "served",
    tables,
    routes: Math.max(0, ...ofTables.map(({ routes }) => readOrigins(routes).length)),
    owners: store
      .claimants(hostUnit(host))
      .filter((ref) => ref !== settingsRef && isOwn(ref))
      .slice(0, maxNames),
    services: services.slice(0, maxNames),
    serviceCount: services.length,
    errors: counts.error,
    warnings: counts.warning,
  };
}

/** Whether an object is a Gateway or ListenerSet without one of the listeners. */
function isOtherGateway(ref: Ref, listeners: readonly ReachedAt[]): boolean {
  const name = ref.slice(ref.indexOf("/") + 1);
  if (kindOf(ref) === "Gateway")
    return listeners.length > 0 && listeners.every(({ gateway }) => gateway !== name);
  return kindOf(ref) === "ListenerSet" && listeners.every(({ listenerSet }) => listenerSet !== name);
}

function serviceOfUnit(unit: NeededUnit | undefined): string {
  const read = unit && readUnit(unit);
  return read?.kind === "endpoints" ? `${read.of.namespace}/${read.of.service}` : "";
}

/** `GET /hosts?after=N&limit=N&gateway=NAMESPACE/NAME&address=IP`: hosts with their owners, Services and state, in the order of their names. */
export function answerHosts(c: Context, parts: HostParts): Response {
  const page = pageOf(c, allHosts(parts, choiceIn(c)), maxRows);
  if (page instanceof Response) return page;
  const { items, ...rest } = page;
  const { store, platform, settings } = parts.inspected.engine;
  const origins = originsIn(store, settings, platform);
  const hosts = items.map((entry) => rowOf(entry, parts, origins));
  return c.json({ ...rest, hosts, gateways: parts.hosts.gateways }, 200, uncached);
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
 * origins. `gateway` or `address` choose the Gateway of a host that several serve.
 */
export function answerHost(c: Context, parts: HostParts, who: Identity): Response {
  const { inspected, findings: cache, hosts } = parts;
  const { snapshot, store, platform, settings } = inspected.engine;
  if (!snapshot) return nothingPublished(c);
  const host = (c.req.param("host") ?? "").toLowerCase();
  const isServed = hosts.isServed(host);
  const claims = claimsOn(store, host);
  if (!isServed && claims.claimants.length === 0)
    return problem(c, 404, "not-found", "this host is not served, and no object claims it");
  const origins = originsIn(store, settings, platform);
  const choice = choiceIn(c);
  const entries = isServed
    ? hosts.chosen(choice).filter((one) => one.host === host)
    : [{ host, gateway: "", tables: [], places: [] }];
  const [entry, more] = entries;
  if (!entry) return problem(c, 404, "not-found", "the Gateway or address does not serve this host");
  if (more) {
    const choices = entries.map((one) => hosts.choiceOf(one));
    const listed = choices.map(({ gateway, address }) => gateway ?? `address ${address}`).join(", ");
    return problem(
      c,
      400,
      "ambiguous",
      `several Gateways serve ${host}: ${listed}; choose one with gateway or address`,
      {
        more: { choices },
      },
    );
  }
  const shown = { values: valuesFor(who), requests: true, choice };
  const node = isServed
    ? hostNodes([host], snapshot, origins, shown).find((one) => (one.gateway ?? "") === entry.gateway)
    : undefined;
  const foreign = hosts.isShared(host) ? foreignRoutes(entry, store) : new Set<Ref>();
  const refs = objectsOf(store, host).filter((ref) => !foreign.has(ref));
  const findings = [
    ...refs.flatMap((ref) => cache.current.byRef.get(ref) ?? []),
    ...(isServed ? [] : unservedFor(host, store, settings)),
  ];
  const detail: HostDetail = {
    row: rowOf(entry, parts, origins),
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
