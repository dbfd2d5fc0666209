import { compareRoutes } from "../graph/matches/order.js";
import { matchOf } from "./matches.js";
import { byPrecedence, type Remark, type SourceRoute } from "./model.js";
import { covers, overlaps } from "./overlap.js";

/** The limit for a comparison of all pairs of routes of a host. With more routes it takes a second or more. */
const mostRoutes = 4000;

/** The limit of rounds. A route that is added for an overlap may overlap with a third route. */
const mostRounds = 4;

/**
 * Compares the order in which the source tries routes (`byPrecedence`) with the order of the result. Leaves out routes
 * that the source never reaches. If one request can match two routes, and the result tries them in the opposite order,
 * a route for the overlap is added. If this is not possible, an error is reported.
 */
export function inOrder(
  routes: readonly SourceRoute[],
  { isRanked }: { readonly isRanked: boolean },
): { kept: SourceRoute[]; remarks: Remark[] } {
  let kept = [...routes];
  const infos: Remark[] = [];
  for (let round = 1; ; round++) {
    const found = compareOrder(kept, { isRanked, isLast: round === mostRounds });
    infos.push(...found.infos);
    kept = found.kept;
    if (found.added.length === 0) return { kept, remarks: [...infos, ...found.errors] };
    kept = kept.flatMap((route) => [
      route,
      ...found.added.filter(({ of }) => of === route).map((one) => one.route),
    ]);
  }
}

interface Compared {
  readonly kept: SourceRoute[];
  /** Routes for overlaps. Each one is inserted after the route `of`, whose requests it gets. */
  readonly added: { readonly route: SourceRoute; readonly of: SourceRoute }[];
  readonly infos: Remark[];
  readonly errors: Remark[];
}

function compareOrder(
  routes: readonly SourceRoute[],
  { isRanked, isLast }: { readonly isRanked: boolean; readonly isLast: boolean },
): Compared {
  const result: Compared = { kept: [], added: [], infos: [], errors: [] };
  const gone = new Map<SourceRoute, Set<string>>();
  for (const [host, own] of byHostOf(routes)) {
    const [head] = own;
    if (own.length > mostRoutes && head) {
      const message = `${own.length} routes are too many to compare their order`;
      if (isLast) result.errors.push(remarkOf("warning", head, host, message));
      continue;
    }
    for (const pair of swapped(own, isRanked))
      if (comparePair({ ...pair, host, own, isLast }, result))
        gone.set(pair.later, (gone.get(pair.later) ?? new Set()).add(host));
  }
  for (const route of routes) {
    const left = gone.get(route);
    const hosts = left ? route.hosts.filter((host) => !left.has(host)) : route.hosts;
    if (hosts.length > 0) result.kept.push(left ? { ...route, hosts } : route);
  }
  const kept = new Set(result.kept);
  return { ...result, added: result.added.filter(({ of }) => kept.has(of)) };
}

interface Pair {
  readonly later: SourceRoute;
  readonly first: SourceRoute;
}

/** Returns whether the later route is never reached. */
function comparePair(
  { later, first, host, own, isLast }: Pair & { host: string; own: readonly SourceRoute[]; isLast: boolean },
  { added, infos, errors }: Compared,
): boolean {
  const isSame = isSameTreatment(first, later);
  if (isSame && !isSameMatch(first, later)) return false;
  if (covers(first.match, later.match) && listensWhere(first, later)) {
    const message = `the source never gets here: ${nameOf(first)} takes all of its requests; left out`;
    if (!isSame) infos.push(remarkOf("info", later, host, message));
    return true;
  }
  if (!listeningTogether(first, later) || !overlaps(first.match, later.match)) return false;
  const both = common(first, later, host);
  if (both && own.some((one) => isSameMatch(one, both) && isSameTreatment(one, both))) return false;
  if (both && !isLast) added.push({ route: both, of: first });
  else errors.push(swappedRemark(later, first, host));
  return false;
}

function byHostOf(routes: readonly SourceRoute[]): Map<string, SourceRoute[]> {
  const byHost = new Map<string, SourceRoute[]>();
  for (const route of [...routes].sort(byPrecedence))
    for (const host of route.hosts) {
      const own = byHost.get(host);
      if (own) own.push(route);
      else byHost.set(host, [route]);
    }
  return byHost;
}

/**
 * The first route, limited to the requests of the later one; its match is more specific than both. Undefined if the
 * path of the first is not the wider one, or if the first rewrites a prefix.
 */
function common(first: SourceRoute, later: SourceRoute, host: string): SourceRoute | undefined {
  const rewrite = first.action.kind === "redirect" ? first.action.redirect.path : first.filters.rewrite;
  const bare = (path: SourceRoute["match"]["path"]) => matchOf(path);
  if (rewrite?.kind === "prefix" || !covers(bare(first.match.path), bare(later.match.path))) return undefined;
  const headers = [...first.match.headers, ...later.match.headers];
  const queries = [...first.match.queries, ...later.match.queries];
  return { ...first, hosts: [host], match: matchOf(later.match.path, unique(headers), unique(queries)) };
}

const isSameMatch = (a: SourceRoute, b: SourceRoute): boolean =>
  JSON.stringify(a.match) === JSON.stringify(b.match);

const unique = <T>(all: readonly T[]): T[] => [
  ...new Map(all.map((one) => [JSON.stringify(one), one])).values(),
];

const swappedRemark = (later: SourceRoute, first: SourceRoute, host: string): Remark => ({
  ...remarkOf(
    "error",
    later,
    host,
    `the source tries ${nameOf(first)} before it, and the result the other way round`,
  ),
  todo: "let one of the two matches leave out what the other one takes",
});

/** Whether the first route is on all listeners of the later one. */
const listensWhere = (first: SourceRoute, later: SourceRoute): boolean =>
  (first.https || !later.https) && (first.http !== "none" || later.http === "none");

const listeningTogether = (a: SourceRoute, b: SourceRoute): boolean =>
  (a.https && b.https) || (a.http !== "none" && b.http !== "none");

/** Pairs of routes that the result tries in a different order than the source, or that have the same match. */
function* swapped(own: readonly SourceRoute[], isRanked: boolean): Generator<Pair> {
  const done = new Set<SourceRoute>();
  for (const [j, later] of own.entries()) {
    for (let i = 0; i < j; i++) {
      const first = own[i];
      if (!first || done.has(first)) continue;
      const order = compareRoutes({ match: first.match }, { match: later.match });
      if (order > 0 && !(isRanked && sameCloseness(first, later))) {
        yield { later, first };
        if (covers(first.match, later.match) && listensWhere(first, later)) done.add(later);
      } else if (order === 0) yield { later, first };
      if (done.has(later)) break;
    }
  }
}

/**
 * Whether two routes come from the same object and neither is more specific. The target keeps the order of such rules.
 */
function sameCloseness(a: SourceRoute, b: SourceRoute): boolean {
  const [before, after] = [
    { match: a.match, priority: 0 },
    { match: b.match, priority: 1 },
  ];
  return a.parts[0]?.object === b.parts[0]?.object && compareRoutes(before, after) < 0;
}

/** Whether two routes treat requests in the same way. */
export const isSameTreatment = (a: SourceRoute, b: SourceRoute): boolean =>
  JSON.stringify([a.action, a.filters, a.access.map(({ part: _, ...rule }) => rule)]) ===
  JSON.stringify([b.action, b.filters, b.access.map(({ part: _, ...rule }) => rule)]);

const nameOf = ({ parts: [part] }: SourceRoute): string =>
  `${part?.object.ref ?? ""} ${part?.path ?? ""}`.trim();

const remarkOf = (
  severity: Remark["severity"],
  { parts: [part] }: SourceRoute,
  host: string,
  message: string,
): Remark => ({
  severity,
  about: part?.object.ref ?? "File//",
  path: part?.path ?? "",
  message,
  hosts: [host],
  closes: false,
});
