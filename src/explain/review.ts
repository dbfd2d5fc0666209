import type { Change } from "./change.js";
import type { EnvoyConfig } from "./config.js";
import { aligned, diff } from "./diff.js";
import { compareRequests, type RequestDifference, type Side, type SiteRequests } from "./requests.js";
import { type RiskCode, rankOf, riskOfChange, sortedRisk } from "./risk.js";

/** A change with what it may do. */
export interface ReviewedChange extends Change {
  readonly risk: readonly RiskCode[];
}

/** What changes of one host, whatever way it is reached. */
export interface HostReview {
  readonly host: string;
  /** Of its changes and its requests. */
  readonly risk: readonly RiskCode[];
  readonly changes: readonly ReviewedChange[];
  readonly requests: {
    readonly tried: number;
    /** Whether those that were tried stand for all. */
    readonly complete: boolean;
    readonly differing: number;
    readonly shown: readonly RequestDifference[];
  };
}

/** What a change does to traffic, the worst first. */
export interface Review {
  readonly hosts: readonly HostReview[];
  /** What is of no one host: listeners, certificates, clusters, endpoints. */
  readonly others: readonly ReviewedChange[];
  /** Hosts whose routes are written differently and treat every request as before. */
  readonly rewritten: readonly { readonly site: string; readonly tried: number }[];
}

/** Compares two sides by what Envoy is told, and by requests. */
export function review(before: Side, after: Side): Review {
  const [a, b] = aligned(before.config, after.config);
  const requests = compareRequests({ ...before, config: a }, { ...after, config: b });
  const rewritten = requests.filter(
    ({ isRouted, complete, differing, tried }) => !isRouted && complete && differing === 0 && tried > 0,
  );
  const equal = new Set(rewritten.map(({ site }) => site));
  const changes = diff(a, b).filter(({ kind, host = "" }) => kind !== "route" || !equal.has(host));
  return {
    ...grouped(changes, requests, b),
    rewritten: rewritten.map(({ site, tried }) => ({ site, tried })),
  };
}

/** Changes by host, where no request was tried. */
export const reviewOf = (changes: readonly Change[], after: EnvoyConfig): Review => ({
  ...grouped(changes, [], after),
  rewritten: [],
});

function grouped(
  changes: readonly Change[],
  requests: readonly SiteRequests[],
  after: EnvoyConfig,
): Pick<Review, "hosts" | "others"> {
  const reviewed = changes.map((change) => ({ ...change, risk: riskIn(change, requests, after) }));
  const hosts = new Map<string, ReviewedChange[]>();
  for (const change of reviewed) {
    const host = hostOf(change);
    if (host !== undefined) hosts.set(host, [...(hosts.get(host) ?? []), change]);
  }
  return {
    hosts: [...hosts]
      .map(([host, own]) => hostReview(host, own, requests, after))
      .sort((x, y) => rankOf(x.risk) - rankOf(y.risk) || (x.host < y.host ? -1 : 1)),
    others: reviewed.filter((change) => hostOf(change) === undefined),
  };
}

/** All changes, those of hosts first. */
export const changesIn = ({ hosts, others }: Review): readonly ReviewedChange[] => [
  ...hosts.flatMap(({ changes }) => changes),
  ...others,
];

const nameIn = (site: string): string => site.replace(/ \(.*$/, "");

function hostOf({ kind, name, host }: Change): string | undefined {
  if (kind === "host" || kind === "route") return nameIn(host ?? "");
  return kind === "server name" ? nameIn(name) : undefined;
}

function hostReview(
  host: string,
  changes: readonly ReviewedChange[],
  requests: readonly SiteRequests[],
  after: EnvoyConfig,
): HostReview {
  const own = requests.filter(({ site }) => nameIn(site) === host);
  const told = own.flatMap((one) =>
    one.risk.map((code) => (code === "host-gone" ? lossOf(one.site, after) : code)),
  );
  return {
    host,
    risk: sortedRisk([...changes.flatMap(({ risk }) => risk), ...told]),
    changes,
    requests: {
      tried: own.reduce((sum, { tried }) => sum + tried, 0),
      complete: own.every(({ complete }) => complete),
      differing: own.reduce((sum, { differing }) => sum + differing, 0),
      shown: own
        .flatMap(({ shown }) => shown)
        .map((one) => ({
          ...one,
          risk: one.risk.map((code) => (code === "host-gone" ? lossOfUrl(one.url, host, after) : code)),
        }))
        .sort((x, y) => rankOf(x.risk) - rankOf(y.risk)),
    },
  };
}

/** A host that is no longer there over TLS, and is without, has lost its TLS. */
const lossOf = (site: string, after: EnvoyConfig): RiskCode =>
  / \(https/.test(site) && isServedInClear(nameIn(site), after) ? "tls-off" : "host-gone";

const lossOfUrl = (url: string, host: string, after: EnvoyConfig): RiskCode =>
  url.startsWith("https:") && isServedInClear(host, after) ? "tls-off" : "host-gone";

const isServedInClear = (host: string, { tables }: EnvoyConfig): boolean =>
  [...tables].some(
    ([name, { virtual_hosts = [] }]) =>
      /^(?:ingress_http|http-\d+)$/.test(name) && virtual_hosts.some((one) => one.name === host),
  );

function riskIn(change: Change, requests: readonly SiteRequests[], after: EnvoyConfig): readonly RiskCode[] {
  const { kind, host = "", name, details } = change;
  const own = [...riskOfChange(change)];
  if (change.change === "removed") {
    const site = requests.find((one) => one.site === host);
    if (kind === "host" && !(site?.complete && site.differing === 0)) own.push(lossOf(host, after));
    // Requests that were tried say more of a route, where they stand for all.
    if (kind === "route" && !site?.complete) own.push("route-lost");
    if (kind === "server name" && details.some(({ what }) => what === "TCP to")) own.push("host-gone");
  }
  if (kind === "endpoints" && !hasEndpoints(name, after)) own.push("error-answer");
  return sortedRisk(own);
}

const hasEndpoints = (service: string, { clusters, endpoints }: EnvoyConfig): boolean =>
  [...clusters].some(
    ([name, { load_assignment }]) =>
      name.startsWith(service) &&
      ((endpoints.get(name) ?? load_assignment)?.endpoints ?? []).some(
        ({ lb_endpoints }) => lb_endpoints?.length,
      ),
  );
