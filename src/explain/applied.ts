import type { FilterChain, HeaderValueOption, Route } from "../gen/envoy.js";
import { routeProtections } from "../xds/policies/index.js";
import type { Applied, HeaderChange } from "./explanation.js";
import type { Scope } from "./facts.js";
import { chainProtections } from "./guards.js";
import { serviceOf } from "./names.js";
import type { ClientRequest, SeenRequest } from "./request.js";

/** The effect of a route on its request. `path` is the path that backends receive, `undefined` if there is none. */
export function appliedBy(
  route: Route,
  scope: Scope,
  {
    request,
    seen,
    path,
  }: { readonly request: ClientRequest; readonly seen: SeenRequest; readonly path: string | undefined },
): Applied {
  const clusters = route.route?.weighted_clusters?.clusters ?? [];
  const own = (side: "request" | "response"): HeaderChange[] => [
    ...changesOf(route[`${side}_headers_to_add`], route[`${side}_headers_to_remove`]),
    ...clusters.flatMap((cluster) =>
      changesOf(
        cluster[`${side}_headers_to_add`],
        cluster[`${side}_headers_to_remove`],
        serviceOf(cluster.name ?? ""),
      ),
    ),
  ];
  return {
    ...(route.route
      ? { forwarded: { path: path ?? seen.path, hosts: hostsFor(route.route, request, seen) } }
      : {}),
    requestHeaders: own("request"),
    responseHeaders: own("response"),
    protections: routeProtections({ route, ...scope }),
  };
}

/** The effect on a connection that is passed through. */
export const appliedToConnection = (chain: FilterChain): Applied => ({
  requestHeaders: [],
  responseHeaders: [],
  protections: chainProtections(chain),
});

function hostsFor(
  action: NonNullable<Route["route"]>,
  request: ClientRequest,
  { headers }: SeenRequest,
): string[] {
  const authority = headers.get(":authority") ?? request.authority;
  const { host_rewrite_literal: literal, host_rewrite_header: from } = action;
  const all = literal ?? (from && headers.get(from.toLowerCase())) ?? authority;
  const some = (action.weighted_clusters?.clusters ?? []).filter(({ weight }) => weight);
  const hosts = some.length > 0 ? some.map(({ host_rewrite_literal: one }) => one ?? all) : [all];
  return [...new Set(hosts)];
}

const changesOf = (
  set: readonly HeaderValueOption[] = [],
  remove: readonly string[] = [],
  service?: string,
): HeaderChange[] => {
  const only = service === undefined ? {} : { service };
  return [
    ...set.map(
      ({ header, append_action: action }): HeaderChange => ({
        name: header?.key?.toLowerCase() ?? "",
        action: action === "OVERWRITE_IF_EXISTS_OR_ADD" ? "set" : "add",
        value: unescaped(header?.value ?? ""),
        ...only,
      }),
    ),
    ...remove.map((name): HeaderChange => ({ name: name.toLowerCase(), action: "remove", ...only })),
  ];
};

const unescaped = (value: string): string =>
  value.replace(/%%|%[A-Z_]+[^%]*%/g, (part) => (part === "%%" ? "%" : part));
