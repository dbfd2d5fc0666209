import type { HttpConnectionManager, Route, RouteAction, VirtualHost } from "../gen/envoy.js";
import { backendFacts, filterFacts, routePolicyFacts } from "../xds/policies/index.js";
import { describeSubstitution } from "../xds/policies/path-rewrite.js";
import type { DescribeHeader, Fact } from "../xds/policies/policy.js";
import { describeHeader, type Values } from "./match.js";

/** The configuration around a route that applies to it. */
export interface Scope {
  readonly virtualHost: VirtualHost;
  readonly manager: HttpConnectionManager | undefined;
  /** Whether to show the values that headers are compared with; default: shown. */
  readonly values?: Values | undefined;
}

export interface FactContext extends Scope {
  /** The displayed name of a cluster. */
  nameOf(cluster: string): string;
}

const describing =
  (values: Values | undefined): DescribeHeader =>
  (matcher) =>
    describeHeader(matcher, values);

/** The checks that a request passes before its route acts. */
export const protectionFacts = (route: Route, { values, ...around }: Scope): readonly Fact[] =>
  filterFacts({ route, ...around }, describing(values));

/** The whole effect of a route, without its match. */
export function routeFacts(route: Route, context: FactContext): Fact[] {
  const { virtualHost, manager, values, nameOf } = context;
  return [
    ...protectionFacts(route, context),
    ...(route.redirect ? [{ what: "redirect", value: describeRedirect(route) }] : []),
    ...(route.direct_response ? [{ what: "response", value: describeResponse(route) }] : []),
    ...(route.route ? backendsFacts(route.route, nameOf) : []),
    ...routePolicyFacts({ route, virtualHost, manager }, describing(values)),
  ];
}

const statuses = {
  MOVED_PERMANENTLY: 301,
  FOUND: 302,
  SEE_OTHER: 303,
  TEMPORARY_REDIRECT: 307,
  PERMANENT_REDIRECT: 308,
} as const;

/** The status of a redirect. */
export const redirectStatus = ({ redirect }: Route): number =>
  statuses[redirect?.response_code ?? "MOVED_PERMANENTLY"];

function describeRedirect(route: Route): string {
  const { https_redirect, scheme_redirect, host_redirect, port_redirect } = route.redirect ?? {};
  const { path_redirect, prefix_rewrite, regex_rewrite } = route.redirect ?? {};
  const parts = [
    (https_redirect || scheme_redirect) && `scheme ${scheme_redirect ?? "https"}`,
    host_redirect && `host ${host_redirect}`,
    port_redirect && `port ${port_redirect}`,
    path_redirect && `path ${path_redirect}`,
    prefix_rewrite && `prefix to ${prefix_rewrite}`,
    regex_rewrite && `path where ${describeSubstitution(regex_rewrite)}`,
  ].filter(Boolean);
  return [redirectStatus(route), ...parts].join(", ");
}

function describeResponse({ direct_response: response }: Route): string {
  const body = response?.body?.inline_string;
  return body ? `${response.status} with the body ${JSON.stringify(shorten(body))}` : `${response?.status}`;
}

const shorten = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);

function backendsFacts(action: RouteAction, nameOf: FactContext["nameOf"]): Fact[] {
  return [
    { what: "backends", value: describeBackends(action, nameOf) },
    ...(action.weighted_clusters?.clusters ?? []).flatMap((cluster) =>
      backendFacts(cluster, nameOf(cluster.name ?? "")),
    ),
    ...(action.request_mirror_policies ?? []).map((mirror) => ({
      what: "mirror",
      value: `${mirrorPercent(mirror)} % to ${nameOf(mirror.cluster ?? "")}`,
    })),
  ];
}

function mirrorPercent({
  runtime_fraction: fraction,
}: NonNullable<RouteAction["request_mirror_policies"]>[number]): number {
  const { numerator = 0, denominator } = fraction?.default_value ?? { numerator: 100 };
  return denominator === "MILLION" ? numerator / 10_000 : numerator;
}

/** The clusters of a route, with their weights. */
export function backendsOf(
  action: RouteAction,
): readonly { readonly cluster: string; readonly weight: number }[] {
  if (action.cluster !== undefined) return [{ cluster: action.cluster, weight: 1 }];
  return (action.weighted_clusters?.clusters ?? []).map(({ name, weight }) => ({
    cluster: name ?? "",
    weight: weight ?? 0,
  }));
}

function describeBackends(action: RouteAction, nameOf: FactContext["nameOf"]): string {
  const backends = backendsOf(action);
  return backends
    .map(({ cluster, weight }) =>
      backends.length > 1 ? `${nameOf(cluster)} (weight ${weight})` : nameOf(cluster),
    )
    .join(", ");
}
