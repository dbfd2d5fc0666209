import type { ConfigChange, Place } from "./change.js";
import type { EnvoyConfig } from "./config.js";
import { isTls } from "./config-index.js";
import { aligned, diff } from "./diff.js";
import { parseListenerName } from "./listener-names.js";
import { serviceOf } from "./names.js";
import { compareRequests, type RequestDifference, type Side, type SiteRequests } from "./requests.js";
import { type RiskCode, rankOf, riskOfChange, sortedRisk } from "./risk.js";

/** A change with its risks. */
export interface ReviewedChange extends ConfigChange {
  readonly risk: readonly RiskCode[];
}

/** The changes of one host, on all listeners. */
export interface HostReview {
  readonly host: string;
  /** The risks of its changes and its requests. */
  readonly risk: readonly RiskCode[];
  readonly changes: readonly ReviewedChange[];
  readonly requests: {
    readonly tried: number;
    /** Whether the tried requests represent all possible ones. */
    readonly complete: boolean;
    readonly differing: number;
    readonly shown: readonly RequestDifference[];
  };
}

/** The changes for traffic, highest risk first. */
export interface Review {
  readonly hosts: readonly HostReview[];
  /** Items without a host: listeners, certificates, clusters, endpoints. */
  readonly others: readonly ReviewedChange[];
  /** Hosts whose routes are written differently and handle every request as before. */
  readonly rewritten: readonly { readonly site: string; readonly tried: number }[];
  /** Hosts with too many requests to try them all. */
  readonly untried: readonly { readonly site: string; readonly tried: number }[];
}

/** Compares two sides by their configuration, and by requests. */
export function review(before: Side, after: Side): Review {
  const [a, b] = aligned(before.config, after.config);
  const requests = compareRequests({ ...before, config: a }, { ...after, config: b });
  const rewritten = requests.filter(
    ({ sameRoutes, sameTreatment, complete }) => !sameRoutes && sameTreatment && complete,
  );
  const equal = new Set(rewritten.map(({ site }) => site));
  const changes = diff(a, b).filter(({ kind, host = "" }) => kind !== "route" || !equal.has(host));
  return {
    ...grouped(changes, requests, b),
    rewritten: rewritten.map(({ site, tried }) => ({ site, tried })),
    untried: requests.filter(({ cut }) => cut).map(({ site, tried }) => ({ site, tried })),
  };
}

/** Changes by host, without trying requests. */
export const reviewOf = (changes: readonly ConfigChange[], after: EnvoyConfig): Review => ({
  ...grouped(changes, [], after),
  rewritten: [],
  untried: [],
});

function grouped(
  changes: readonly ConfigChange[],
  requests: readonly SiteRequests[],
  after: EnvoyConfig,
): Pick<Review, "hosts" | "others"> {
  const known = knownOf(requests, after);
  const reviewed = changes.map((change) => ({ ...change, risk: riskIn(change, known) }));
  const hosts = groupedBy(reviewed, ({ domain }) => domain);
  return {
    hosts: [...hosts]
      .flatMap(([host, own]) => (host === undefined ? [] : [hostReview(host, own, known)]))
      .sort((x, y) => rankOf(x.risk) - rankOf(y.risk) || (x.host < y.host ? -1 : 1)),
    others: hosts.get(undefined) ?? [],
  };
}

/** The input of the assessment of risks. */
interface Known {
  readonly sites: ReadonlyMap<string, SiteRequests>;
  readonly byHost: ReadonlyMap<string, readonly SiteRequests[]>;
  /** Hosts that are served without TLS after the change. */
  readonly inClear: ReadonlySet<string>;
  /** Services with endpoints after the change. */
  readonly withEndpoints: ReadonlySet<string>;
}

function knownOf(requests: readonly SiteRequests[], { tables, clusters, endpoints }: EnvoyConfig): Known {
  const clear = [...tables].filter(([name]) => parseListenerName(name)?.family === "http");
  const full = [...clusters].filter(([name, { load_assignment }]) =>
    ((endpoints.get(name) ?? load_assignment)?.endpoints ?? []).some(
      ({ lb_endpoints }) => lb_endpoints?.length,
    ),
  );
  return {
    sites: new Map(requests.map((one) => [one.site, one])),
    byHost: groupedBy(requests, ({ domain }) => domain),
    inClear: new Set(
      clear.flatMap(([, { virtual_hosts = [] }]) => virtual_hosts.map(({ name = "" }) => name)),
    ),
    withEndpoints: new Set(full.map(([name]) => serviceOf(name))),
  };
}

function groupedBy<K, T>(all: readonly T[], keyOf: (one: T) => K): Map<K, T[]> {
  const groups = new Map<K, T[]>();
  for (const one of all) {
    const group = groups.get(keyOf(one));
    if (group) group.push(one);
    else groups.set(keyOf(one), [one]);
  }
  return groups;
}

/** All changes, those of hosts first. */
export const changesIn = ({ hosts, others }: Review): readonly ReviewedChange[] => [
  ...hosts.flatMap(({ changes }) => changes),
  ...others,
];

function hostReview(host: string, changes: readonly ReviewedChange[], known: Known): HostReview {
  const own = known.byHost.get(host) ?? [];
  const shown = own.flatMap((site) =>
    site.shown.map((one) => ({
      ...one,
      risk: sortedRisk(one.risk.map((code) => lossOf(code, site, known))),
    })),
  );
  const requestRisks = own.flatMap((site) => site.risk.map((code) => lossOf(code, site, known)));
  return {
    host,
    risk: sortedRisk([...changes.flatMap(({ risk }) => risk), ...requestRisks]),
    changes,
    requests: {
      tried: own.reduce((sum, { tried }) => sum + tried, 0),
      complete: own.every(({ complete }) => complete),
      differing: own.reduce((sum, { differing }) => sum + differing, 0),
      shown: shown.sort((x, y) => rankOf(x.risk) - rankOf(y.risk)),
    },
  };
}

/** A host that is no longer served over TLS, but without it, has lost its TLS. */
const lossOf = (
  code: RiskCode,
  { domain = "", listener = "" }: Partial<Place>,
  { inClear }: Known,
): RiskCode => (code === "host-gone" && isTls(listener) && inClear.has(domain) ? "tls-off" : code);

function riskIn(change: ConfigChange, known: Known): readonly RiskCode[] {
  const { kind, host = "", name, details } = change;
  const own = [...riskOfChange(change)];
  if (change.change === "removed") {
    const site = known.sites.get(host);
    if (kind === "host" && !(site?.complete && site.sameTreatment))
      own.push(lossOf("host-gone", change, known));
    // Tried requests are more accurate for a route, if they represent all possible ones.
    if (kind === "route" && !site?.complete) own.push("route-lost");
    if (kind === "server name" && details.some(({ what }) => what === "TCP to")) own.push("host-gone");
  }
  if (kind === "endpoints" && !known.withEndpoints.has(name)) own.push("error-answer");
  return sortedRisk(own);
}
