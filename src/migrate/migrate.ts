import type { HeaderMatch, PathMatch } from "../graph/matches/match-types.js";
import { quoteRegex } from "../graph/matches/order.js";
import { pathText } from "../schema/field-path.js";
import { isRecord } from "../schema/issues.js";
import { isSame } from "../schema/same.js";
import { Conversion, type MigrateOptions } from "./conversion.js";
import type { ResultDocument } from "./document.js";
import { joinListeners } from "./listeners.js";
import { methodHeader, methods, regex, slashedRegex } from "./matches.js";
import type { Remark, SourceBackend, SourceRoute, SourceSite } from "./model.js";
import { inOrder } from "./order.js";
import type { Peer } from "./peer.js";
import { peers } from "./peers.js";
import { classOf, isIngress } from "./readers/ingress-rules.js";
import { type MigrationReport, reportOf } from "./report.js";
import { type InputManifest, migratedLabel, type SourceObject, sourceObject } from "./source.js";
import { concerns, judgeBy, type KindTable, type Verdict } from "./table.js";
import { writeGateway } from "./writers/gateway.js";
import { type WriterInput, writeHttpProxies } from "./writers/httpproxy.js";

/** The result of a migration. */
export interface Migration {
  readonly documents: readonly ResultDocument[];
  readonly report: MigrationReport;
  /** The peers whose objects the input contains. */
  readonly peers: readonly Peer[];
}

/** Receives the number of converted objects and the number of all objects. */
export type MigrationProgress = (done: number, all: number) => void;

/**
 * Converts the objects of other ingress controllers to HTTPProxies or to objects of the Gateway API. The result has an
 * object for each part of the input, in the order of the input. The report lists everything that could not be kept.
 * Routes with a restriction of access that cannot be converted answer 503, with a remark of severity `error`. The
 * result depends only on the input.
 */
export function migrate(
  manifests: readonly InputManifest[],
  options: MigrateOptions,
  progress: MigrationProgress = () => undefined,
): Migration {
  const objects = lastOfEach(manifests);
  const conversion = new Conversion(objects, options, (done) => progress(done, objects.length));
  const used = peers.flatMap((peer) => {
    if (options.from !== undefined && options.from !== peer.name) return [];
    const own = objects.filter((object) => peer.takes(object, options));
    if (own.length === 0) return [];
    peer.read(own, conversion);
    return [peer];
  });
  for (const object of objects) if (!conversion.taken.has(object)) leaveOut(object, conversion);
  numberPorts(conversion);
  const { routes, remarks } = closedRoutes(conversion);
  const sites = firstSites(conversion, remarks);
  const together = joinListeners(
    routes.map((route) => written(route, conversion)),
    sites,
    conversion,
  );
  const { kept: ordered, remarks: ofOrder } = inOrder(together, { isRanked: options.to === "gateway" });
  const kept = keptDocuments(objects, conversion);
  const input: WriterInput = {
    routes: ordered,
    sites,
    tcpPorts: conversion.tcpPorts,
    options,
    taken: kept.map(nameOfDocument),
  };
  const result = options.to === "gateway" ? writeGateway(input) : writeHttpProxies(input);
  const extra = conversion.results.map(
    ({ part, object }): ResultDocument => ({
      object,
      comments: [`from ${[part.object.ref, part.path].filter((word) => word !== "").join(" ")}`],
      source: part.object,
    }),
  );
  const documents = inInputOrder(
    [...besideKept([...result.documents, ...extra], kept, conversion), ...kept],
    objects,
  );
  const all = [...conversion.remarks, ...remarks, ...ofOrder, ...result.remarks.all];
  for (const peer of used) all.push(...besideOf(peer, objects, options));
  const told = options.to === "gateway" ? all.map(withStatus) : all;
  const report = reportOf({ routes: ordered, sites, remarks: told, conversion, documents });
  return { documents, report, peers: used };
}

/**
 * The route with the match that the target will have, so that its order can be compared. If the target lacks a
 * condition, the route is closed and matches all requests, regardless of this condition.
 */
function written(route: SourceRoute, conversion: Conversion): SourceRoute {
  const { to } = conversion.options;
  const unsaid = route.match.headers.filter((header) => !isSaid(header, to));
  const said = unsaid.length > 0 ? closedWithout(route, unsaid, conversion) : route;
  const { path } = said.match;
  if (to === "httpproxy")
    return path.kind === "regex" ? withPath(said, regex(slashedRegex(path.value))) : said;
  // A prefix of the Gateway API matches whole segments. Restricted requests must not reach another route.
  const isRestricted = said.action.kind === "respond" || said.access.length > 0;
  return isRestricted && path.kind === "prefix" && path.value !== "/"
    ? withPath(said, regex(`${quoteRegex(path.value)}.*`))
    : said;
}

const isSaid = ({ name, kind, value, invert }: HeaderMatch, to: MigrateOptions["to"]): boolean => {
  if (to === "httpproxy") return name !== methodHeader && !(kind === "regex" && invert);
  return name === methodHeader ? methods.includes(value) : !invert;
};

function closedWithout(
  route: SourceRoute,
  unsaid: readonly HeaderMatch[],
  conversion: Conversion,
): SourceRoute {
  const [part] = route.parts;
  const isMethod = unsaid.some(({ name }) => name === methodHeader);
  const target = conversion.options.to === "httpproxy" ? "HTTPProxy" : "the Gateway API";
  const message = isMethod
    ? `${target} has no condition for this method; answered 503, for all methods`
    : `${target} has no condition for headers that must not be there or not match; answered 503, with any headers`;
  const todo = conversion.options.to === "httpproxy" ? "gateway" : "httpproxy";
  if (part)
    conversion.remark("error", part, message, {
      hosts: route.hosts,
      closes: true,
      todo: `convert it with --to ${todo}`,
    });
  const headers = route.match.headers.filter((header) => !unsaid.includes(header));
  return { ...close(route), match: { ...route.match, headers } };
}

const withPath = (route: SourceRoute, path: PathMatch): SourceRoute => ({
  ...route,
  match: { ...route.match, path },
});

/** Objects in the order of the input. The last of several objects with the same name wins, as with `kubectl apply`. */
function lastOfEach(manifests: readonly InputManifest[]): SourceObject[] {
  const objects = new Map<string, SourceObject>();
  for (const manifest of manifests) {
    const object = sourceObject(manifest);
    if (object) objects.set(`${object.group}|${object.ref}`, object);
  }
  return [...objects.values()];
}

/** Replaces the names of ports with the numbers in the Services of the input. */
function numberPorts(conversion: Conversion): void {
  const numbered = (backend: SourceBackend): SourceBackend => {
    const port = conversion.portNumber(backend);
    return port === undefined ? backend : { ...backend, port };
  };
  const todo = "give the Service among the input, or write the number of its port";
  const named = (backends: readonly SourceBackend[]): string | undefined => {
    const found = backends.find(({ port }) => typeof port === "string");
    return (
      found && `the port ${found.port} of Service ${found.namespace}/${found.name} has a name and no number`
    );
  };
  for (const [i, route] of conversion.routes.entries()) {
    const { action, filters, hosts, parts } = route;
    const backends = action.kind === "forward" ? action.backends.map(numbered) : [];
    const mirrors = filters.mirrors.map((one) => ({ ...one, backend: numbered(one.backend) }));
    const known = mirrors.filter(({ backend }) => named([backend]) === undefined);
    const [problem, [part]] = [named(backends), parts];
    if (problem !== undefined && part)
      conversion.remark("error", part, `${problem}; answered 503`, { hosts, closes: true, todo });
    if (known.length < mirrors.length && part)
      conversion.remark("warning", part, "the port of the Service of a copy is not known; left out", {
        hosts,
        todo,
      });
    conversion.routes[i] = {
      ...route,
      ...(action.kind === "forward" ? { action: { kind: "forward", backends } } : {}),
      filters: { ...filters, mirrors: known },
      ...(problem === undefined ? {} : { closed: true }),
    };
  }
  const sites = conversion.sites.splice(0);
  for (const site of sites) {
    const tcp = site.tcp?.map(numbered);
    const problem = tcp && named(tcp);
    if (problem === undefined) conversion.sites.push(tcp ? { ...site, tcp } : site);
    else conversion.remark("error", site.part, `${problem}; left out`, { hosts: [site.host], todo });
  }
}

const resultGroups = ["projectcontour.io", "gateway.networking.k8s.io"];

/** Whether Isoline serves the object unchanged. */
const isServed = (object: SourceObject): boolean =>
  resultGroups.includes(object.group) ||
  isIngress(object) ||
  (object.group === "" && object.kind === "Service" && object.labels[migratedLabel] === "true");

function leaveOut(object: SourceObject, conversion: Conversion): void {
  if (conversion.withheld.has(object))
    conversion.leaveOut(object, "a policy restricts it that is not converted");
  else if (peers.some((peer) => peer.takes(object, conversion.options)))
    conversion.leaveOut(object, `is of another controller than --from ${conversion.options.from}`);
  else if (isIngress(object) && !["", "contour", "isoline"].includes(classOf(object)))
    conversion.leaveOut(
      object,
      `its class ${classOf(object)} is of no controller that is converted; name it with --from and --class`,
    );
  else if (isServed(object)) conversion.leaveOut(object, "kept");
  else if (peers.some(({ kinds }) => kinds.some((known) => known === `${object.kind}.${object.group}`)))
    conversion.leaveOut(object, "nothing that is converted refers to it");
  else if (peers.some(({ groups }) => groups.some((group) => object.group.endsWith(group))))
    conversion.leaveOut(object, `kind ${object.kind} of ${object.group}/${object.version} is not known here`);
  else conversion.leaveOut(object, "no route");
}

const keptDocuments = (objects: readonly SourceObject[], { taken }: Conversion): ResultDocument[] =>
  objects
    .filter((object) => !taken.has(object) && isServed(object))
    .map((object) => ({ object: object.value, comments: [], source: object, isKept: true }));

/** Evaluates the tables of all objects. A route that loses a restriction is closed. */
function closedRoutes({ routes, sites, taken }: Conversion): { routes: SourceRoute[]; remarks: Remark[] } {
  const remarks: Remark[] = [];
  const judges = new Map<KindTable, ReturnType<typeof judgeBy>>();
  const verdicts = new Map<SourceObject, readonly Verdict[]>();
  for (const [object, table] of taken) {
    const judge = judges.get(table) ?? judgeBy(table);
    judges.set(table, judge);
    verdicts.set(object, judge(object.value, object.log));
  }
  const hostsOf = new Map<Verdict, Set<string>>();
  const note = (verdict: Verdict, hosts: readonly string[]): void => {
    const known = hostsOf.get(verdict) ?? new Set();
    for (const host of hosts) known.add(host);
    hostsOf.set(verdict, known);
  };
  const closed = routes.map((route) => {
    let closes = route.closed === true;
    for (const { object, path } of route.parts)
      for (const verdict of verdicts.get(object) ?? []) {
        if (!concerns(verdict.path, path)) continue;
        note(verdict, route.hosts);
        closes ||= verdict.closes;
      }
    return closes ? close(route) : route;
  });
  for (const { part, host } of sites)
    for (const verdict of verdicts.get(part.object) ?? [])
      if (concerns(verdict.path, part.path)) note(verdict, [host]);
  for (const [object, own] of verdicts)
    for (const verdict of own) {
      const { path, severity, message, todo, closes } = verdict;
      remarks.push({
        severity,
        about: object.ref,
        path: pathText(path),
        message: closes ? `${message}; what it is for answers 503` : message,
        hosts: [...(hostsOf.get(verdict) ?? [])],
        closes,
        ...(todo === undefined ? {} : { todo }),
      });
    }
  return { routes: closed, remarks };
}

/** Closes a route: it answers 503, because the result cannot keep a restriction. */
const close = (route: SourceRoute): SourceRoute => ({
  ...route,
  action: { kind: "respond", status: 503, body: "" },
  access: [],
});

/** Closed routes answer 500 in the Gateway API. */
const withStatus = (remark: Remark): Remark =>
  remark.closes
    ? { ...remark, message: remark.message.replace(/\b(answered|answers) 503/, "$1 500") }
    : remark;

/** The first site of each host. A later site that differs gets a remark. */
function firstSites({ sites }: Conversion, remarks: Remark[]): SourceSite[] {
  const byHost = new Map<string, SourceSite>();
  for (const site of sites) {
    const first = byHost.get(site.host);
    if (!first) byHost.set(site.host, site);
    else if (JSON.stringify([first.tls, first.tcp]) !== JSON.stringify([site.tls, site.tcp]))
      remarks.push({
        severity: isWeaker(first, site) ? "error" : "warning",
        about: site.part.object.ref,
        path: site.part.path,
        message: `the TLS of ${site.host} is that of ${first.part.object.ref}, which comes first and differs`,
        hosts: [site.host],
        closes: false,
      });
  }
  return [...byHost.values()];
}

/** Whether the second site requests client certificates and the first does not. */
const isWeaker = ({ tls: first }: SourceSite, { tls: second }: SourceSite): boolean =>
  second.kind === "terminate" && second.client !== undefined && !(first.kind === "terminate" && first.client);

/** `KIND/NAMESPACE/NAME` of an object of the result. */
function nameOfDocument({ object }: ResultDocument): string {
  const metadata = isRecord(object.metadata) ? object.metadata : {};
  return `${String(object.kind)}/${String(metadata.namespace ?? "")}/${String(metadata.name)}`;
}

/**
 * Removes documents that equal a kept one. A different document with the name or the host of a kept one is an error: if
 * both were applied, one of them would be lost.
 */
function besideKept(
  documents: readonly ResultDocument[],
  kept: readonly ResultDocument[],
  conversion: Conversion,
): ResultDocument[] {
  const byName = new Map(kept.map((document) => [nameOfDocument(document), document]));
  const byHost = new Map(kept.flatMap((document) => hostOf(document).map((host) => [host, document])));
  return documents.filter((document) => {
    const name = nameOfDocument(document);
    const same = byName.get(name);
    if (same && isSame(same.object, document.object)) return false;
    const note = (message: string): void =>
      conversion.remark("error", { object: document.source, path: "" }, message, {
        hosts: hostOf(document),
        todo: "merge the two by hand",
      });
    if (same) note(`${name} is among the input, too, and differs from what is written`);
    for (const host of hostOf(document)) {
      const other = byHost.get(host);
      if (other)
        note(`${nameOfDocument(other)} of the input has the host ${host}, too: both are refused together`);
    }
    return true;
  });
}

const hostOf = ({ object: { spec } }: ResultDocument): string[] => {
  const host = isRecord(spec) && isRecord(spec.virtualhost) ? spec.virtualhost.fqdn : undefined;
  return typeof host === "string" ? [host.toLowerCase()] : [];
};

function inInputOrder(
  documents: readonly ResultDocument[],
  objects: readonly SourceObject[],
): ResultDocument[] {
  const places = new Map(objects.map((object, i) => [object, i]));
  const placeOf = ({ source }: ResultDocument): number => places.get(source) ?? 0;
  return [...documents].sort((a, b) => placeOf(a) - placeOf(b));
}

/** Remarks about kinds that may restrict access and that the input does not contain. */
function besideOf(
  { beside = [], groups }: Peer,
  objects: readonly SourceObject[],
  options: MigrateOptions,
): Remark[] {
  const missing = beside.filter((one) =>
    "isThere" in one
      ? !one.isThere(objects, options)
      : !objects.some(
          ({ group, kind }) => one.kinds.includes(kind) && groups.some((own) => group.endsWith(own)),
        ),
  );
  return missing.map(({ message, todo }) => ({
    severity: "info",
    about: "File//",
    path: "",
    message,
    todo,
    hosts: [],
    closes: false,
  }));
}
