import { type Condition, mergeConditions, pathProblem } from "./conditions.js";
import { type Place, readProxyRoute } from "./httpproxy-route.js";
import type { HTTPProxy, Reader, Report } from "./reader.js";
import type { Route } from "./types.js";

const maxDepth = 64;

/** All routes of an HTTPProxy and of what it includes; one bad route of an object drops that object's routes. */
export function readProxyRoutes(proxy: HTTPProxy, place: Place, reader: Reader, report: Report): Route[] {
  const own: Route[] = [];
  let good = true;
  for (const i of (proxy.spec.routes ?? []).keys()) {
    const route = readProxyRoute(proxy, i, place, reader, report);
    if (route) own.push(route);
    else good = false;
  }
  const included = readIncludes(proxy, place, reader, report);
  return good ? [...included, ...own] : [];
}

function readIncludes(proxy: HTTPProxy, place: Place, reader: Reader, report: Report): Route[] {
  const routes: Route[] = [];
  if (!proxy.spec.includes?.length) return routes;
  const seen = new Set<string>();
  for (const [i, include] of proxy.spec.includes.entries()) {
    const path = `spec.includes[${i}]`;
    const fail = (reason: string, message: string, at = path): void =>
      report.error(proxy.ref, "IncludeError", reason, message, at);
    const conditions: Condition[] = include.conditions ?? [];
    const wrong = pathProblem(conditions, true);
    if (wrong) {
      fail("PathMatchConditionsNotValid", `include: ${wrong}`, `${path}.conditions`);
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

    const namespace = include.namespace || proxy.meta.namespace;
    const target = reader.get("HTTPProxy", namespace, include.name);
    const chain = [...place.path, proxy.ref];
    const all = [...place.conditions, ...conditions];
    if (!target || target.spec.virtualhost) {
      if (!target) fail("IncludeNotFound", `include ${namespace}/${include.name} not found`);
      else fail("RootIncludesRoot", "root httpproxy cannot include another root httpproxy");
      if (conditions.length > 0) routes.push(badGateway(proxy, all, place));
    } else if (chain.includes(target.ref) || chain.length >= maxDepth) {
      const names = [...chain, target.ref].map((ref) => ref.slice("HTTPProxy/".length)).join(" -> ");
      fail("IncludeCreatesCycle", `include creates an include cycle: ${names}`);
    } else {
      routes.push(
        ...readProxyRoutes(target, { conditions: all, path: chain, secure: place.secure }, reader, report),
      );
    }
  }
  return routes;
}

/** What answers for an include that leads nowhere. */
const badGateway = (proxy: HTTPProxy, conditions: readonly Condition[], place: Place): Route => ({
  match: mergeConditions(conditions),
  action: { kind: "respond", status: 502 },
  policies: {},
  insecure: place.secure ? "redirect" : "serve",
  from: proxy.ref,
});

const trimSlash = (path: string): string => (path === "/" ? path : path.replace(/\/+$/, ""));

/**
 * `/foo` and `/foo/` differ to Envoy when a prefix is rewritten: where only one of them is routed, a second route is
 * added so that `/foo/x` becomes `<replacement>/x` with exactly one slash.
 */
export function expandPrefixes(routes: readonly Route[]): Route[] {
  if (!routes.some((route) => route.policies.pathRewrite)) return [...routes];
  const groups = new Map<string, Route[]>();
  const others: Route[] = [];
  for (const route of routes) {
    if (route.match.path.kind !== "prefix") others.push(route);
    else {
      const key = trimSlash(route.match.path.value);
      groups.set(key, [...(groups.get(key) ?? []), route]);
    }
  }
  const expanded = [...groups].flatMap(([prefix, group]) => {
    const only = group.length === 1 ? group[0] : undefined;
    const rewrite = only?.policies.pathRewrite;
    if (!only || !rewrite || prefix === "/") return group;
    const target = rewrite.prefix.replace(/\/+$/, "");
    const to = (path: string, replacement: string): Route => ({
      ...only,
      match: { ...only.match, path: { kind: "prefix", value: path } },
      policies: { ...only.policies, pathRewrite: { prefix: replacement } },
    });
    return [to(prefix, target || "/"), to(`${prefix}/`, `${target}/`)];
  });
  return [...others, ...expanded];
}
