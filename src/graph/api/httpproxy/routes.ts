import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { FindingType } from "../../../schema/finding-types.js";
import { append } from "../../core/append.js";
import type { Route } from "../../core/nodes.js";
import type { HTTPProxy, Reader, Report } from "../../core/reader.js";
import {
  conditionProblem,
  headerProblem,
  type MatchCondition,
  mergeConditions,
  pathProblem,
  queryProblem,
} from "./conditions.js";
import type { IncludePlace } from "./context.js";
import { readInclude } from "./included-proxy.js";
import { readProxyRoute } from "./route.js";

/**
 * All routes of an HTTPProxy and of its includes. One invalid route drops all routes of its object or, with the
 * setting `keep-valid`, responds with 503 itself.
 */
export function readProxyRoutes(
  proxy: HTTPProxy,
  place: IncludePlace,
  reader: Reader,
  report: Report,
): Route[] {
  const own: Route[] = [];
  let good = true;
  for (const i of (proxy.spec.routes ?? []).keys()) {
    const route = readProxyRoute(proxy, i, place, reader, report);
    if (route) own.push(route);
    else if (reader.settings.invalidRoutes === "drop-object") good = false;
    else own.push(...unavailable(proxy, i, place, reader));
  }
  const included = readIncludes(proxy, place, reader, report);
  return good ? [...included, ...own] : [];
}

function readIncludes(proxy: HTTPProxy, place: IncludePlace, reader: Reader, report: Report): Route[] {
  const routes: Route[] = [];
  if (!proxy.spec.includes?.length) return routes;
  const seen = new Set<string>();
  for (const [i, include] of proxy.spec.includes.entries()) {
    const path = `spec.includes[${i}]`;
    const fail = (reason: ErrorCode, message: string, at = path): void =>
      report.error(proxy.ref, "IncludeError", reason, message, at);
    const conditions: MatchCondition[] = include.conditions ?? [];
    const wrong = conditionsProblem(conditions, reader.settings.budgets.regexProgramSize);
    if (wrong) {
      report.error(proxy.ref, wrong.type, wrong.reason, wrong.message, `${path}.conditions`);
      continue;
    }
    const merged = mergeConditions(conditions);
    const key = JSON.stringify(merged);
    const bare = merged.path.value === "/" && merged.headers.length + merged.queries.length === 0;
    if (!bare && seen.has(key)) {
      fail("DuplicateMatchConditions", "duplicate conditions defined on an include", `${path}.conditions`);
      continue;
    }
    seen.add(key);

    const chain = [...place.path, proxy.ref];
    const found = readInclude(proxy, include, chain, reader, report);
    if (found.kind === "problem") {
      fail(found.reason, found.message);
      if (conditions.length > 0) routes.push(badGateway(proxy, conditions, path));
    } else if (found.kind === "end") {
      const message = `include creates an include cycle: ${found.names}`;
      // A chain that is only too long is no fault of the object at its end, which may be another tenant's.
      const about = found.isCycle ? found.target.ref : proxy.ref;
      report.error(about, "IncludeError", "IncludeCreatesCycle", message, "spec.includes");
    } else {
      const inner = { ...place, conditions: [...place.conditions, ...conditions], path: chain };
      append(routes, readProxyRoutes(found.target, inner, reader, report));
    }
  }
  return routes;
}

/** The 503 route for an invalid route, if the requests that it matches are known. */
function unavailable(proxy: HTTPProxy, i: number, place: IncludePlace, { settings }: Reader): Route[] {
  const own: MatchCondition[] = proxy.spec.routes?.[i]?.conditions ?? [];
  const conditions = [...place.conditions, ...own];
  if (conditionProblem(own, conditions, settings.budgets.regexProgramSize)) return [];
  return [
    {
      match: mergeConditions(conditions),
      action: { kind: "respond", status: 503 },
      policies: {},
      insecure: place.host.secure ? "redirect" : "serve",
      from: proxy.ref,
      field: `spec.routes[${i}]`,
    },
  ];
}

/** The problem with the conditions of an include. Those of its routes are checked later, combined with these. */
function conditionsProblem(
  conditions: readonly MatchCondition[],
  maxProgramSize: number,
): { type: FindingType; reason: ErrorCode; message: string } | undefined {
  const path = pathProblem(conditions, true, maxProgramSize);
  if (path)
    return { type: "IncludeError", reason: "PathMatchConditionsNotValid", message: `include: ${path}` };
  const headers = headerProblem(conditions, maxProgramSize);
  if (headers) return { type: "RouteError", reason: "HeaderMatchConditionsNotValid", message: headers };
  const queries = queryProblem(conditions, maxProgramSize);
  if (queries)
    return { type: "RouteError", reason: "QueryParameterMatchConditionsNotValid", message: queries };
  return undefined;
}

/**
 * The response for an include without a target, also over plain HTTP. As in Contour, it has only the include's own
 * conditions, and matches all names of a wildcard host.
 */
const badGateway = (proxy: HTTPProxy, conditions: readonly MatchCondition[], field: string): Route => ({
  match: mergeConditions(conditions),
  action: { kind: "respond", status: 502 },
  policies: {},
  insecure: "serve",
  spansLabels: true,
  from: proxy.ref,
  field,
});
