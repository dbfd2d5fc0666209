import type { Route as EnvoyRoute, VirtualHost as EnvoyVirtualHost, RouteAction } from "../gen/envoy.js";
import type { Action, Backend, Route } from "../graph/types.js";
import { writeMatch } from "./match.js";
import { writeHeaderFields } from "./policy/headers.js";
import { writePolicies } from "./policy/index.js";

/** Gives the Envoy cluster name of a backend. */
export type NameOf = (backend: Backend) => string;

/** One virtual host of a route table; `secure` is the HTTPS one. */
export const writeVirtualHost = (
  host: string,
  routes: readonly Route[],
  secure: boolean,
  nameOf: NameOf,
): EnvoyVirtualHost => ({
  name: host,
  domains: [host],
  routes: routes.map((route) => writeRoute(route, secure, nameOf)),
});

function writeRoute(route: Route, secure: boolean, nameOf: NameOf): EnvoyRoute {
  const match = writeMatch(route.match);
  if (!secure && route.insecure === "redirect") return { match, redirect: { https_redirect: true } };
  const { action } = route;
  if (action.kind === "redirect") return { match, redirect: writeRedirect(action) };
  if (action.kind === "respond") {
    const body = action.body === undefined ? {} : { body: { inline_string: action.body } };
    return { match, direct_response: { status: action.status, ...body } };
  }
  const policies = writePolicies(route.policies);
  return {
    match,
    route: Object.assign(writeForward(action.backends, nameOf), policies.action),
    ...policies.route,
  };
}

const codes = {
  301: "MOVED_PERMANENTLY",
  302: "FOUND",
  303: "SEE_OTHER",
  307: "TEMPORARY_REDIRECT",
  308: "PERMANENT_REDIRECT",
} as const;

const writeRedirect = (action: Extract<Action, { kind: "redirect" }>): EnvoyRoute["redirect"] => ({
  ...(action.scheme ? { scheme_redirect: action.scheme } : {}),
  ...(action.host ? { host_redirect: action.host } : {}),
  ...(action.port ? { port_redirect: action.port } : {}),
  ...(action.path ? { path_redirect: action.path } : {}),
  ...(action.prefix ? { prefix_rewrite: action.prefix } : {}),
  response_code: codes[action.status as keyof typeof codes] ?? "FOUND",
});

function writeForward(backends: readonly Backend[], nameOf: NameOf): RouteAction {
  const only = backends.length === 1 ? backends[0] : undefined;
  if (only && Object.keys(only.policies).length === 0) return { cluster: nameOf(only) };
  const even = backends.every((backend) => backend.weight === 0);
  const clusters = backends
    .map((backend) => {
      const { requestHeaders, responseHeaders } = backend.policies;
      return {
        name: nameOf(backend),
        weight: even ? 1 : backend.weight,
        ...writeHeaderFields(requestHeaders, responseHeaders),
        ...(requestHeaders?.host ? { host_rewrite_literal: requestHeaders.host } : {}),
      };
    })
    .sort((a, b) => (a.name < b.name ? -1 : a.name > b.name ? 1 : a.weight - b.weight));
  return { weighted_clusters: { clusters } };
}
