import { compareRoutes } from "../graph/matches/order.js";
import { byPrecedence, type Remark, type SourceRoute } from "./model.js";
import { covers, overlaps } from "./overlap.js";

/** Hosts with more routes are compared pair by pair for a second or more. */
const mostPairs = 4000;

/**
 * Compares the order in which the source tries routes (`byPrecedence`) with that of the result. A route that its source never reaches is
 * left out; two that one request can meet, and that the result tries the other way round, are an error.
 */
export function inOrder(
  routes: readonly SourceRoute[],
  { isRanked }: { readonly isRanked: boolean },
): { kept: SourceRoute[]; remarks: Remark[] } {
  const remarks: Remark[] = [];
  const byHost = new Map<string, SourceRoute[]>();
  for (const route of [...routes].sort(byPrecedence))
    for (const host of route.hosts) {
      const own = byHost.get(host);
      if (own) own.push(route);
      else byHost.set(host, [route]);
    }
  const gone = new Map<SourceRoute, Set<string>>();
  for (const [host, own] of byHost) {
    if (own.length > mostPairs) {
      const [first] = own;
      if (first)
        remarks.push(
          remarkOf("warning", first, host, `${own.length} routes are too many to compare their order`),
        );
      continue;
    }
    for (const [later, first] of swapped(own, isRanked)) {
      if (!listeningTogether(first, later)) continue;
      if (covers(first.match, later.match)) {
        gone.set(later, (gone.get(later) ?? new Set()).add(host));
        remarks.push(
          remarkOf(
            "info",
            later,
            host,
            `the source never gets here: ${nameOf(first)} takes all of its requests; left out`,
          ),
        );
      } else if (overlaps(first.match, later.match) && !isSameTreatment(first, later)) {
        const message = `the source tries ${nameOf(first)} before it, and the result the other way round`;
        remarks.push({
          ...remarkOf("error", later, host, message),
          todo: "let one of the two matches leave out what the other one takes",
        });
      }
    }
  }
  const kept = routes.flatMap((route) => {
    const left = gone.get(route);
    const hosts = left ? route.hosts.filter((host) => !left.has(host)) : route.hosts;
    return hosts.length > 0 ? [left ? { ...route, hosts } : route] : [];
  });
  return { kept, remarks };
}

const listeningTogether = (a: SourceRoute, b: SourceRoute): boolean =>
  (a.https && b.https) || (a.http !== "none" && b.http !== "none");

/** Pairs that the result tries in another order than the source, or of which both are the same match. */
function* swapped(
  own: readonly SourceRoute[],
  isRanked: boolean,
): Generator<readonly [later: SourceRoute, first: SourceRoute]> {
  const done = new Set<SourceRoute>();
  for (const [j, later] of own.entries()) {
    for (let i = 0; i < j; i++) {
      const first = own[i];
      if (!first || done.has(first)) continue;
      const order = compareRoutes({ match: first.match }, { match: later.match });
      if (order > 0 && !(isRanked && sameCloseness(first, later))) {
        yield [later, first];
        if (covers(first.match, later.match)) done.add(later);
      } else if (order === 0) {
        yield [later, first];
        done.add(later);
      }
      if (done.has(later)) break;
    }
  }
}

/** Of the same object, where the target keeps the order of rules of which no one is closer. */
function sameCloseness(a: SourceRoute, b: SourceRoute): boolean {
  const [before, after] = [
    { match: a.match, priority: 0 },
    { match: b.match, priority: 1 },
  ];
  return a.parts[0]?.object === b.parts[0]?.object && compareRoutes(before, after) < 0;
}

/** Whether two routes do the same with requests that they take. */
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
