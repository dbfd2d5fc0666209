import type { Route, RouteMatch, VirtualHost } from "../gen/envoy.js";
import { isSame } from "../schema/same.js";
import type { Place } from "./change.js";
import { type EnvoyConfig, managerOf } from "./config.js";
import { ConfigIndex, placeLabel, type ReachedHost, type SiteConfig, sitesOf } from "./config-index.js";
import { explain } from "./explain.js";
import type { Explanation, Outcome } from "./explanation.js";
import { type Detail, factDifferences } from "./leaves.js";
import { parseListenerName } from "./listener-names.js";
import { serviceOf } from "./names.js";
import { type Probe, probesFor } from "./probes.js";
import { type RiskCode, riskOfDetails, sortedRisk } from "./risk.js";

/** One side of a comparison. */
export interface Side {
  readonly config: EnvoyConfig;
  /** Whether the endpoints of a cluster are known; if not, a cluster without endpoints does not count as 503. */
  knowsEndpoints(cluster: string): boolean;
}

/** The answer to a request. */
export interface RequestAnswer {
  readonly outcome: Outcome;
  readonly summary: string;
  readonly status?: number;
}

/** A request whose answer differs. */
export interface RequestDifference {
  readonly method: string;
  readonly url: string;
  /** Lines of `name: value`. */
  readonly headers: readonly string[];
  readonly before: RequestAnswer;
  readonly after: RequestAnswer;
  /** Further differences of the answer. */
  readonly details: readonly Detail[];
  readonly risk: readonly RiskCode[];
  /**
   * Whether a change describes the difference: the same route handles the request on both sides, or one side has no
   * host.
   */
  readonly isDescribed: boolean;
}

/** The result of the requests to one host on one listener. */
export interface SiteRequests extends Place {
  /** The place as text, as in `ConfigChange.host`. */
  readonly site: string;
  readonly tried: number;
  /** Whether the requests represent all possible ones. */
  readonly complete: boolean;
  /** Whether there were too many requests to try all. */
  readonly cut: boolean;
  /** Whether only the configuration around the routes differs. */
  readonly sameRoutes: boolean;
  /** Whether each tried request is handled as before, including effects that a client can't observe. */
  readonly sameTreatment: boolean;
  /** Number of requests whose answer differs. */
  readonly differing: number;
  /** The first of these, one of each kind. */
  readonly shown: readonly RequestDifference[];
  readonly risk: readonly RiskCode[];
}

const maxShown = 20;
/** Limits on all requests, and on the routes that are evaluated for them, so that a comparison ends. */
const maxTried = 100_000;
const maxLooks = 20_000_000;

/** Evaluates requests for every host whose routes differ, on both sides, which must be `aligned`. */
export function compareRequests(before: Side, after: Side): SiteRequests[] {
  const [a, b] = [new ConfigIndex(before.config), new ConfigIndex(after.config)];
  const found: SiteRequests[] = [];
  const left = { tried: maxTried, looks: maxLooks };
  for (const site of sitesOf(before.config, after.config, a, b)) {
    const [old, now] = [a.at(site), b.at(site)];
    const sameRoutes = isSame(routesOf(old.virtualHost), routesOf(now.virtualHost));
    if (sameRoutes && isSame(filtersOf(old), filtersOf(now))) continue;
    const one = { ...compareSite(site, { ...before, ...old }, { ...after, ...now }, left), sameRoutes };
    left.tried -= one.tried;
    left.looks -= one.tried * countRoutes(old, now);
    found.push(one);
  }
  return found;
}

const countRoutes = (...sides: readonly SiteConfig[]): number =>
  sides.reduce((sum, { virtualHost }) => sum + (virtualHost?.routes?.length ?? 0), 1);

/** The HTTP filters and the TLS of the filter chain of a site. */
const filtersOf = ({ config }: SiteConfig): unknown =>
  [...config.listeners.values()].flatMap(({ filter_chains = [] }) =>
    filter_chains.map((chain) => [managerOf(chain)?.http_filters, chain.transport_socket]),
  );

/** The behaviour of a virtual host, without names, which have no effect on requests. */
const routesOf = (host: VirtualHost | undefined): unknown =>
  host && { ...host, name: undefined, domains: undefined, routes: (host.routes ?? []).map(withoutName) };

const withoutName = ({ name: _, metadata, ...route }: Route): Omit<Route, "name" | "metadata"> => route;

type SideOfSite = Pick<Side, "knowsEndpoints"> & SiteConfig;

/** The matches of routes that the other side lacks or has with differences. */
function changedMatches({ virtualHost }: SiteConfig, other: SiteConfig): readonly RouteMatch[] {
  const there = new Set((other.virtualHost?.routes ?? []).map((route) => JSON.stringify(withoutName(route))));
  return (virtualHost?.routes ?? [])
    .filter((route) => !there.has(JSON.stringify(withoutName(route))))
    .map(({ match = {} }) => match);
}

function compareSite(
  site: ReachedHost,
  before: SideOfSite,
  after: SideOfSite,
  left: { readonly tried: number; readonly looks: number },
): Omit<SiteRequests, "sameRoutes"> {
  const matches = [before, after].flatMap(({ virtualHost }) =>
    (virtualHost?.routes ?? []).map(({ match = {} }) => match),
  );
  const changed = [...changedMatches(after, before), ...changedMatches(before, after)];
  const { probes, complete, cut } = probesFor(matches, changed);
  const most = Math.min(left.tried, Math.floor(left.looks / countRoutes(before, after)));
  const tried = probes.slice(0, Math.max(0, most));
  const shown = new Map<string, RequestDifference>();
  const risk = new Set<RiskCode>();
  let [differing, sameTreatment] = [0, true];
  for (const probe of tried) {
    const [old, now] = [answerAt(site, before, probe), answerAt(site, after, probe)];
    if (isSame(old.identity, now.identity)) continue;
    sameTreatment = false;
    if (isUnseen(old, now)) continue;
    const difference = differenceOf(site, probe, old, now);
    differing++;
    for (const code of difference.risk) risk.add(code);
    const { before: from, after: to, details, isDescribed } = difference;
    const key = JSON.stringify([from, to, details, isDescribed]);
    if (!shown.has(key) && shown.size < maxShown) shown.set(key, difference);
  }
  const place: Place = { domain: site.host, listener: site.table };
  return {
    ...place,
    site: placeLabel(place),
    tried: tried.length,
    complete: complete && tried.length === probes.length,
    cut: cut || tried.length < probes.length,
    sameTreatment,
    differing,
    shown: [...shown.values()],
    risk: sortedRisk(risk),
  };
}

interface Answered {
  readonly explanation: Explanation;
  readonly answer: RequestAnswer;
  readonly isServed: boolean;
  /** The match of the selected route. */
  readonly match: RouteMatch | undefined;
  readonly virtualHost: VirtualHost | undefined;
  /** Equal for requests that are handled in the same way. */
  readonly identity: unknown;
}

function answerAt(
  { scheme, asked, table }: ReachedHost,
  { config, virtualHost, knowsEndpoints }: SideOfSite,
  probe: Probe,
): Answered {
  const port = parseListenerName(table)?.port;
  const explanation = explain(config, {
    ...probe,
    scheme,
    authority: port === undefined ? asked : `${asked}:${port}`,
    serverName: scheme === "https" && table !== "ingress_fallbackcert" ? asked : "",
  });
  const { outcome, summary, status, location, path, backends } = explanation;
  const route = virtualHost?.routes?.[explanation.route?.index ?? -1];
  const isEmpty =
    outcome === "forward" &&
    backends.every(
      ({ percent, endpoints, cluster }) => percent === 0 || (endpoints === 0 && knowsEndpoints(cluster)),
    );
  const { match, ...action } = route ? withoutName(route) : { match: undefined };
  return {
    explanation,
    answer: {
      outcome,
      summary: isEmpty ? `503: ${summary}, which has no endpoints` : summary,
      ...(isEmpty ? { status: 503 } : status === undefined ? {} : { status }),
    },
    isServed: !isEmpty && (outcome === "forward" || outcome === "tcp" || (status ?? 500) < 400),
    match,
    virtualHost,
    identity: route
      ? [
          action,
          location,
          path,
          isEmpty,
          explanation.chain?.facts,
          explanation.facts,
          { ...virtualHost, name: 0, domains: 0, routes: 0 },
        ]
      : [outcome, status],
  };
}

const factsOf = ({ explanation: { chain, facts, outcome, backends } }: Answered): Explanation["facts"] => [
  ...(chain?.facts ?? []),
  ...(outcome === "forward" || outcome === "tcp"
    ? [
        {
          what: "backends",
          value: backends.map(({ cluster, weight }) => `${serviceOf(cluster)} (weight ${weight})`).join(", "),
        },
      ]
    : []),
  ...facts.filter(({ what }) => what !== "backends"),
];

/**
 * Whether a client observes no difference, for example between a route that answers 404 without a body and no route.
 */
function isUnseen(old: Answered, now: Answered): boolean {
  const [a, b] = [old.answer, now.answer];
  const isBare = ({ what, before, after }: Detail): boolean =>
    what === "response" && /^\d+$/.test(before ?? after ?? "") && (before ?? after) === `${a.status}`;
  const isOwn = [a, b].every(({ outcome }) => outcome === "respond" || outcome === "not-found");
  if (!isOwn && !isSame(a, b)) return false;
  return a.status === b.status && factDifferences(factsOf(old), factsOf(now)).every(isBare);
}

function differenceOf(site: ReachedHost, probe: Probe, old: Answered, now: Answered): RequestDifference {
  const port = parseListenerName(site.table)?.port;
  const place = port === undefined ? site.asked : `${site.asked}:${port}`;
  const all = factDifferences(factsOf(old), factsOf(now));
  return {
    method: probe.method,
    url: `${site.scheme}://${place}${probe.path}${probe.query === undefined ? "" : `?${probe.query}`}`,
    headers: [...probe.headers].map(([name, value]) => `${name}: ${value}`),
    before: old.answer,
    after: now.answer,
    // If the outcome differs, details of the outcomes add nothing.
    details:
      old.answer.outcome === now.answer.outcome
        ? all.filter(({ what }) => what !== "backends" && what !== "redirect" && what !== "response")
        : [],
    risk: sortedRisk(riskOf(old, now, all)),
    isDescribed:
      !old.virtualHost ||
      !now.virtualHost ||
      (old.virtualHost.name === now.virtualHost.name &&
        old.match !== undefined &&
        isSame(old.match, now.match)),
  };
}

const protections = new Set([
  "authorization",
  "JWT",
  "addresses",
  "client certificate",
  "local rate limit",
  "global rate limit",
]);

function* riskOf(old: Answered, now: Answered, details: readonly Detail[]): Iterable<RiskCode> {
  const isForwarded = ({ answer: { outcome } }: Answered): boolean =>
    outcome === "forward" || outcome === "tcp";
  if (!old.isServed) {
    if (now.isServed && isCatchAll(old, now) && !isSame(old.match, now.match)) yield "catch-all-widened";
    return;
  }
  if (!now.isServed) yield now.virtualHost ? "error-answer" : "host-gone";
  if (old.match && !isSame(old.match, now.match) && old.virtualHost?.name === now.virtualHost?.name) {
    const isThere = now.virtualHost?.routes?.some(({ match }) => isSame(match, old.match));
    yield isThere ? "route-shadowed" : "route-lost";
  }
  if (!now.isServed || now.answer.outcome === "redirect") return;
  if (old.answer.outcome === "redirect") {
    if (/^\d+, scheme https/.test(redirectOf(old))) yield "https-redirect-dropped";
    return;
  }
  // Requests that Envoy answered itself may now reach a backend.
  yield* riskOfDetails(
    isForwarded(old) === isForwarded(now) ? details : details.filter(({ what }) => protections.has(what)),
  );
}

const redirectOf = ({ explanation: { facts } }: Answered): string =>
  facts.find(({ what }) => what === "redirect")?.value ?? "";

/** Whether the route covers every path of a host that existed before, or belongs to a wildcard. */
const isCatchAll = (old: Answered, { match, virtualHost }: Answered): boolean =>
  (virtualHost?.domains ?? []).some((domain) => domain.includes("*")) ||
  (old.virtualHost?.name === virtualHost?.name &&
    match?.prefix === "/" &&
    !match.headers?.length &&
    !match.query_parameters?.length);
