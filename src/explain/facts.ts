import type { HeaderValueOption, Route, RouteAction, VirtualHost } from "../gen/envoy.js";
import { filterNames } from "../xds/filter-names.js";
import { typed } from "./config.js";
import { type Fact, protectionFacts, type Scope } from "./protections.js";
import { describeSubstitution } from "./rewrite.js";

const scriptType = "type.googleapis.com/envoy.extensions.filters.http.lua.v3.LuaPerRoute";

/** What of the configuration around a route applies to it. */
export interface RouteContext extends Scope {
  readonly virtualHost: VirtualHost;
  /** What a cluster is called. */
  nameOf(cluster: string): string;
}

/** All that a route does, but for what it matches. */
export function routeFacts(route: Route, context: RouteContext): Fact[] {
  const facts: Fact[] = [...protectionFacts(route, context)];
  const add = (what: string, value: string | undefined): void => {
    if (value) facts.push({ what, value });
  };
  if (route.redirect) add("redirect", describeRedirect(route));
  else if (route.direct_response) add("response", describeResponse(route));
  else if (route.route) facts.push(...actionFacts(route.route, context));
  add("request headers", headerChanges(route.request_headers_to_add, route.request_headers_to_remove));
  add("response headers", headerChanges(route.response_headers_to_add, route.response_headers_to_remove));
  return facts;
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

function headerChanges(
  set: readonly HeaderValueOption[] = [],
  remove: readonly string[] = [],
): string | undefined {
  const parts = [
    ...set.map(({ header, append_action: action }) => {
      const verb = action === "OVERWRITE_IF_EXISTS_OR_ADD" ? "set" : "add";
      return `${verb} ${header?.key}: ${header?.value ?? ""}`;
    }),
    ...remove.map((name) => `remove ${name}`),
  ];
  return parts.length > 0 ? parts.join(", ") : undefined;
}

function actionFacts(action: RouteAction, { nameOf, manager }: RouteContext): Fact[] {
  const facts: Fact[] = [{ what: "backends", value: describeBackends(action, nameOf) }];
  const add = (what: string, value: string | undefined | false): void => {
    if (value) facts.push({ what, value });
  };
  for (const cluster of action.weighted_clusters?.clusters ?? []) {
    const name = nameOf(cluster.name ?? "");
    const { request_headers_to_add: set, request_headers_to_remove: remove } = cluster;
    add(`request headers for ${name}`, headerChanges(set, remove));
    add(
      `response headers of ${name}`,
      headerChanges(cluster.response_headers_to_add, cluster.response_headers_to_remove),
    );
    add(`host for ${name}`, cluster.host_rewrite_literal);
    const script = typed(cluster.typed_per_filter_config?.[filterNames.cookieRewrite], scriptType);
    add(`cookies of ${name}`, script && JSON.stringify(script.filter_context?.rules));
  }
  for (const mirror of action.request_mirror_policies ?? [])
    add("mirror", `${mirrorPercent(mirror)} % to ${nameOf(mirror.cluster ?? "")}`);
  add("path", action.prefix_rewrite && `the matched part becomes ${action.prefix_rewrite}`);
  add("path", action.regex_rewrite && describeSubstitution(action.regex_rewrite));
  add(
    "host",
    action.host_rewrite_literal ??
      (action.host_rewrite_header && `from header ${action.host_rewrite_header}`),
  );
  add("timeout", time(action.timeout, "15s, Envoy's default"));
  add("idle timeout", time(action.idle_timeout, ""));
  add("retries", describeRetries(action));
  const upgrades = action.upgrade_configs ?? manager?.upgrade_configs;
  add("upgrades", upgrades?.map(({ upgrade_type }) => upgrade_type).join(", "));
  const among = action.weighted_clusters?.use_hash_policy ? ", also among the backends" : "";
  add("affinity", action.hash_policy && `${action.hash_policy.map(describeHash).join(", then ")}${among}`);
  const { internal_redirect_policy: redirects } = action;
  add(
    "internal redirects",
    redirects &&
      `at most ${redirects.max_internal_redirects ?? 1} of status ${(redirects.redirect_response_codes ?? [302]).join(", ")}`,
  );
  return facts;
}

function mirrorPercent({
  runtime_fraction: fraction,
}: NonNullable<RouteAction["request_mirror_policies"]>[number]): number {
  const { numerator = 0, denominator } = fraction?.default_value ?? { numerator: 100 };
  return denominator === "MILLION" ? numerator / 10_000 : numerator;
}

/** Envoy reads a timeout of zero as none. */
const time = (given: string | undefined, absent: string): string =>
  given === undefined ? absent : Number.parseFloat(given) === 0 ? "none" : given;

/** The clusters of a route, with the share that each gets. */
export function backendsOf(
  action: RouteAction,
): readonly { readonly cluster: string; readonly weight: number }[] {
  if (action.cluster !== undefined) return [{ cluster: action.cluster, weight: 1 }];
  return (action.weighted_clusters?.clusters ?? []).map(({ name, weight }) => ({
    cluster: name ?? "",
    weight: weight ?? 0,
  }));
}

function describeBackends(action: RouteAction, nameOf: RouteContext["nameOf"]): string {
  const backends = backendsOf(action);
  return backends
    .map(({ cluster, weight }) =>
      backends.length > 1 ? `${nameOf(cluster)} (weight ${weight})` : nameOf(cluster),
    )
    .join(", ");
}

function describeRetries({ retry_policy: policy }: RouteAction): string | undefined {
  if (!policy) return undefined;
  const statuses = policy.retriable_status_codes?.length
    ? ` (${policy.retriable_status_codes.join(", ")})`
    : "";
  const each = policy.per_try_timeout ? `, ${policy.per_try_timeout} each` : "";
  return `${policy.num_retries ?? 1} on ${policy.retry_on ?? ""}${statuses}${each}`;
}

function describeHash(policy: NonNullable<RouteAction["hash_policy"]>[number]): string {
  if (policy.cookie) return `cookie ${policy.cookie.name}`;
  if (policy.header) return `header ${policy.header.header_name}`;
  return policy.query_parameter ? `query parameter ${policy.query_parameter.name}` : "the client's address";
}
