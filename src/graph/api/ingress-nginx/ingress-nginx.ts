import { type NginxAnnotation, nginxAnnotations } from "../../../schema/ingress-nginx.js";
import { isSubdomain } from "../../../schema/names.js";
import { maxAliases, wwwTwin } from "../../core/claims.js";
import { hostUnit } from "../../core/keys.js";
import { ingressHttp, ingressHttps } from "../../core/listener-names.js";
import type { Route, Site, Sites } from "../../core/nodes.js";
import { createReport, type Reader, type Report } from "../../core/reader.js";
import { isOverBudget } from "../../cost/overrun.js";
import type { PathMatch } from "../../matches/match-types.js";
import type { HeadersPolicy } from "../../policies/header-values.js";
import { type Ingress, nginxIngressesOf } from "../ingress/ingress.js";
import {
  type AnnotatedIngress,
  eachOnce,
  fieldOf,
  type NginxHostContext,
  Notes,
  readAnnotatedIngress,
  type,
} from "./annotated-ingress.js";
import { readCanaries } from "./canary.js";
import { type NginxConfig, readNginxConfig } from "./config.js";
import { responseHeaders } from "./headers.js";
import {
  closedPart,
  hasRuleFor,
  isRegexHost,
  matchKey,
  type NginxLocation,
  placeLocation,
  readLocations,
  reportHidden,
} from "./locations.js";
import { passThrough } from "./passthrough.js";
import { readAppRoot, redirectStatus } from "./redirects.js";
import { answerPolicies, hostRoute, type NginxSide, routesOf, typeOf } from "./routes.js";
import { answerAction, effectsOf, readAnswers } from "./snippets.js";
import { readHostTls } from "./tls.js";

/**
 * The sites of a host from Ingresses of ingress-nginx's classes: from the rules of the host itself. If it has no rules
 * and no other object has the host (`isTaken`), from another host that names it.
 */
export function readNginxSites(
  ingresses: readonly Ingress[],
  host: string,
  reader: Reader,
  report: Report,
  isTaken: boolean,
): Sites {
  if (!reader.settings.ingressNginx) return noSites;
  const config = readNginxConfig(reader);
  const ruling = ingresses.filter((ingress) => hasRuleFor(ingress, host));
  const sites = readHost(ruling, { host, config, reader, report: eachOnce(report) });
  return sites.size > 0 || isTaken ? sites : readOther(ingresses, host, config, reader);
}

const noSites: Sites = new Map();

type Asked = Pick<NginxHostContext, "host" | "alias" | "config" | "reader" | "report">;

function readHost(ruling: readonly Ingress[], asked: Asked): Sites {
  const { config, reader, report } = asked;
  const annotated = ruling
    .filter((ingress) => !isOverBudget(ingress, type, "spec", reader, report))
    .map((ingress) => readAnnotatedIngress(ingress, config, report));
  const mains = annotated.filter(({ values }) => !values.canary);
  const [first] = mains;
  const context: NginxHostContext = { ...asked, owner: first?.ingress.meta.namespace ?? "" };
  const { locations, hidden } = readLocations(mains, context.host);
  const canaries = readCanaries(
    annotated.filter(({ values }) => values.canary),
    locations,
    context,
  );
  if (!first) return noSites;
  if (asked.alias === undefined) {
    reportAliases(mains, context);
    reportCanaries(annotated, context);
  }
  const tls = readHostTls(mains, context);
  const plan = planHost(mains, locations, context);
  reportHidden(hidden, new Set(plan.placed.map(({ location }) => location)), context);
  const snippet = readServerSnippet(plan, context);
  // Only the side for plain HTTP reports findings: the side for TLS would repeat them.
  const side = (secure: boolean): Site["routes"] =>
    routesOfSide(
      plan,
      { secure, tls, canaries, snippet },
      secure ? { ...context, report: createReport() } : context,
    );
  const sites = new Map<string, Site>([
    [ingressHttp, { terms: { kind: "http", owner: first.ingress.ref, policies: {} }, routes: side(false) }],
  ]);
  const passed = passThrough(mains, locations, context);
  if (passed) sites.set(ingressHttps, { terms: passed, routes: [] });
  else if (tls.tls && tls.owner)
    sites.set(ingressHttps, {
      terms: { kind: "https", owner: tls.owner.ingress.ref, policies: {}, tls: tls.tls },
      routes: side(true),
    });
  return sites;
}

/** Warns of aliases that are not served: invalid names, and names above `maxAliases`. */
function reportAliases(mains: readonly AnnotatedIngress[], { owner, report }: NginxHostContext): void {
  for (const { ingress, values } of mains) {
    if (ingress.meta.namespace !== owner) continue;
    const left = (values["server-alias"] ?? []).filter((name, i) => i >= maxAliases || !isSubdomain(name));
    if (left.length === 0) continue;
    const message = `server-alias: ${JSON.stringify(left.join(", ").slice(0, 200))} is not served; at most ${maxAliases} names without wildcards and regular expressions are`;
    report.warn(ingress.ref, type, "NginxAnnotationNoEffect", message, fieldOf("server-alias"));
  }
}

const canaryScopes: ReadonlySet<string> = new Set(["canary", "upstream"]);

/** Warns of annotations without effect on a canary, such as access restrictions: those of the main Ingress apply. */
function reportCanaries(annotated: readonly AnnotatedIngress[], { report }: NginxHostContext): void {
  for (const { ingress, values } of annotated) {
    const names = (Object.keys(values) as NginxAnnotation[]).filter(
      (name) => !canaryScopes.has(nginxAnnotations[name].scope),
    );
    if (!values.canary || names.length === 0) continue;
    const message = `canary: ${names.sort().join(", ")} have no effect; those of the Ingress whose canary it is do`;
    report.warn(ingress.ref, type, "NginxAnnotationNoEffect", message, fieldOf("canary"));
  }
}

interface Plan {
  readonly mains: readonly AnnotatedIngress[];
  readonly placed: readonly {
    readonly location: NginxLocation;
    readonly place: Extract<ReturnType<typeof placeLocation>, { match: unknown }>;
  }[];
  /** Whether all paths are regular expressions. */
  readonly regex: boolean;
}

function planHost(
  mains: readonly AnnotatedIngress[],
  all: readonly NginxLocation[],
  context: NginxHostContext,
): Plan {
  const regex = isRegexHost(all, context.owner);
  if (regex) reportRegex(all, context);
  const closedMatches = new Set<string>();
  const placed = all.flatMap((location) => {
    const place = placeLocation(location, { regex, all, context });
    if (place.problem === undefined) return [{ location, place }];
    const path = JSON.stringify(location.path);
    const problem = place.problem.startsWith(path) ? place.problem : `${path} ${place.problem}`;
    const message = `path ${problem}; it is not served`;
    context.report.error(
      location.of.ingress.ref,
      type,
      "PathNotValid",
      message,
      location.field.replace(/\.backend$/, ".path"),
    );
    const closed = closedPart(location, regex, context);
    const key = closed && matchKey(closed);
    if (!closed || key === undefined || closedMatches.has(key)) return [];
    closedMatches.add(key);
    return [{ location: closeLocation(location, message), place: { match: closed } }];
  });
  // What is closed stays closed where another path has the same match.
  const kept = placed.filter(
    ({ location, place }) => location.of.refusal !== undefined || !closedMatches.has(matchKey(place.match)),
  );
  return { mains, placed: kept, regex };
}

const closeLocation = (location: NginxLocation, refusal: string): NginxLocation => ({
  ...location,
  of: { ...location.of, refusal: location.of.refusal ?? refusal },
});

/** Warns the Ingresses whose paths become regular expressions because of another Ingress. */
function reportRegex(all: readonly NginxLocation[], { host, report }: NginxHostContext): void {
  for (const of of new Set(all.map((one) => one.of))) {
    const asks = all.some((one) => one.of === of && (of.values["use-regex"] || of.values["rewrite-target"]));
    if (asks) continue;
    const message = `host ${JSON.stringify(host)}: another Ingress makes all paths regular expressions (use-regex or rewrite-target), so that they match in any case, and longer paths, too`;
    report.warn(of.ingress.ref, type, "NginxRegexHost", message, "spec.rules");
  }
}

const respond = (status: number) => ({ kind: "respond" as const, status });

function routesOfSide({ mains, placed }: Plan, side: NginxSide, context: NginxHostContext): readonly Route[] {
  const { snippet, secure } = side;
  const effects = snippet?.effects ?? [];
  const answers = responseHeaders(secure, context, { more: [], snippet: effects });
  if (snippet?.refused)
    return [
      hostRoute({ kind: "prefix", value: "/" }, respond(503), snippet.of, fieldOf("server-snippet"), answers),
    ];
  const routes = placed.flatMap(({ location, place: { match } }) => routesOf(location, match, side, context));
  // An answer of the server snippet for all requests precedes every path.
  const place = { host: context.alias ?? context.host, secure };
  if (readAnswers(effects, place).some(({ headers }) => headers.length === 0)) return routes;
  const slashes = placed.flatMap(({ location, place: { redirect } }) =>
    redirect ? [slashRoute(location, redirect, answers, context)] : [],
  );
  const own = mains.filter(({ ingress }) => ingress.meta.namespace === context.owner);
  const rooted = own.find(({ values }) => values["app-root"]);
  const root = rooted && readAppRoot(rooted);
  const rootRoute = root
    ? [hostRoute({ kind: "exact", value: "/" }, root, rooted, fieldOf("app-root"), answers)]
    : [];
  return [...routes, ...slashes, ...rootRoute, ...(snippet ? locationRoutes(snippet, answers) : [])];
}

/** Redirects a path without its final slash to the path, as nginx does for locations with a backend. */
function slashRoute(
  { path, of, field }: NginxLocation,
  match: PathMatch,
  headers: HeadersPolicy,
  { config: { options } }: NginxHostContext,
): Route {
  const isRelative = of.values["relative-redirects"] ?? options["relative-redirects"] ?? false;
  const action = { kind: "redirect", path, status: 301 } as const;
  const location = isRelative ? { relative: true as const } : { stripPort: true as const };
  return hostRoute(match, action, of, field, headers, { nginxPhases: { location } });
}

/** The routes of the locations in a server snippet. */
const locationRoutes = (
  { of, effects }: NonNullable<NginxSide["snippet"]>,
  headers: HeadersPolicy,
): readonly Route[] =>
  effects.flatMap((effect) => {
    if (effect.kind !== "location") return [];
    const action = answerAction(effect.answer);
    const typed = { ...headers, set: [...headers.set, ...typeOf(action)] };
    const match = { kind: effect.match, value: effect.path };
    return hostRoute(match, action, of, fieldOf("server-snippet"), typed, answerPolicies(action));
  });

/** Reads the server snippet of a host. If a directive is not supported, the whole host answers 503. */
function readServerSnippet({ mains, regex }: Plan, context: NginxHostContext): NginxSide["snippet"] {
  const of = mains.find(
    ({ ingress, values }) =>
      values["server-snippet"] !== undefined && ingress.meta.namespace === context.owner,
  );
  if (!of) return undefined;
  const notes = new Notes(of.ingress, context.report);
  const effects = effectsOf("server-snippet", of.values["server-snippet"], context, notes);
  if (regex && effects.some(({ kind }) => kind === "location"))
    notes.refuse(
      "server-snippet",
      "server-snippet has a location, which is tried after the regular expressions of the host",
    );
  const isOfLocations = (kind: string): boolean =>
    ["set-request", "remove-request", "server-name", "tls-name"].includes(kind);
  if (effects.some(({ kind }) => isOfLocations(kind)))
    notes.ignore("server-snippet", "server-snippet: what is sent to backends is that of the locations alone");
  return {
    of,
    effects: effects.filter(({ kind }) => !isOfLocations(kind)),
    refused: notes.refusal !== undefined,
  };
}

/** The sites of a host without rules: an alias of another host, or its twin with or without `www.`. */
function readOther(ingresses: readonly Ingress[], host: string, config: NginxConfig, reader: Reader): Sites {
  const twin = wwwTwin(host);
  for (const ingress of ingresses)
    for (const rule of ingress.spec.rules ?? []) {
      const main = (rule.host ?? "").toLowerCase();
      if (!main || main === host) continue;
      const all = nginxIngressesOf(reader.claimants(hostUnit(main)), reader).filter((one) =>
        hasRuleFor(one, main),
      );
      if (all[0]?.meta.namespace !== ingress.meta.namespace || !all.includes(ingress)) continue;
      const of = readAnnotatedIngress(ingress, config, createReport());
      // The compilation of their own host reports the findings of these Ingresses.
      const asked: Asked = { host: main, alias: host, config, reader, report: createReport() };
      if (of.values["server-alias"]?.includes(host)) return readHost(all, asked);
      if (of.values["from-to-www-redirect"] && main === twin) return wwwSites(all, of, asked);
    }
  return noSites;
}

/** Redirects all requests to the main host. */
function wwwSites(all: readonly Ingress[], of: AnnotatedIngress, asked: Asked): Sites {
  const { ref: owner, meta } = of.ingress;
  const context: NginxHostContext = { ...asked, owner: meta.namespace };
  const status = redirectStatus(asked.config.options);
  const annotated = all.map((one) => readAnnotatedIngress(one, asked.config, asked.report));
  const { tls } = readHostTls(annotated, context);
  const routes = (port: number): readonly Route[] => [
    hostRoute(
      { kind: "prefix", value: "/" },
      { kind: "redirect", host: asked.host, port, status },
      of,
      fieldOf("from-to-www-redirect"),
      undefined,
      { nginxPhases: { location: { stripSlash: true } } },
    ),
  ];
  const sites = new Map<string, Site>([
    [ingressHttp, { terms: { kind: "http", owner, policies: {} }, routes: routes(80) }],
  ]);
  if (tls)
    sites.set(ingressHttps, { terms: { kind: "https", owner, policies: {}, tls }, routes: routes(443) });
  return sites;
}
