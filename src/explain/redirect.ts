import type { Route } from "../gen/envoy.js";
import type { ClientRequest, SeenRequest } from "./request.js";
import { rewritten } from "./rewrite.js";

const defaultPorts = { http: ":80", https: ":443" } as const;

/** The `Location` of Envoy's answer. The host keeps its port, unless that is the default port of the old scheme. */
export function locationOf(route: Route, request: ClientRequest, seen: SeenRequest): string {
  const redirect = route.redirect ?? {};
  const scheme = redirect.scheme_redirect ?? (redirect.https_redirect ? "https" : request.scheme);
  const port = redirect.port_redirect ? `:${redirect.port_redirect}` : "";
  const host = redirect.host_redirect ?? keptHost(request, seen, scheme, port);
  return `${scheme}://${host}${port}${newPath(route, seen)}`;
}

function keptHost(
  { scheme: old }: ClientRequest,
  { headers }: SeenRequest,
  scheme: string,
  port: string,
): string {
  const authority = headers.get(":authority") ?? "";
  const given = /:\d+$/.exec(authority)?.[0] ?? "";
  const drop = port !== "" || (scheme !== old && given === defaultPorts[old]);
  return drop ? authority.slice(0, authority.length - given.length) : authority;
}

function newPath({ redirect, match }: Route, { path, query }: SeenRequest): string {
  const { path_redirect: whole } = redirect ?? {};
  if (whole?.includes("?")) return whole;
  const changed = whole ?? rewritten(redirect ?? {}, match, path) ?? path;
  return query === undefined ? changed : `${changed}?${query}`;
}
