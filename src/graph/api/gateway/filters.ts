import type { PathModifier, RouteFilter } from "../../../schema/gateway-routes.js";
import { withServerName } from "../../backends/server-name.js";
import type { Action, Mirror } from "../../core/nodes.js";
import type { PathMatch } from "../../matches/match-types.js";
import { quoteRegex } from "../../matches/order.js";
import type { CorsPolicy } from "../../policies/cors.js";
import type { ExternalAuth } from "../../policies/external-auth.js";
import type { RoutePolicies } from "../../policies/index.js";
import { type PathRewrite, plainSubstitution, replacePrefix } from "../../policies/path-rewrite.js";
import { type BackendOptions, readReference } from "./backends.js";
import { readExternalAuth } from "./external-auth.js";
import { type HeaderPolicies, readHeaderFilter } from "./header-modifier.js";
import type { GatewayRouteContext } from "./problems.js";

type Redirect = Extract<Action, { kind: "redirect" }>;

/** The result of the filters of a rule. `rewrite` and `redirect` depend on the path of a match. */
export interface Filters {
  readonly policies: Pick<RoutePolicies, "requestHeaders" | "responseHeaders" | "cors" | "externalAuth">;
  readonly mirrors: readonly Mirror[];
  rewrite(path: PathMatch): PathRewrite | undefined;
  redirect?(path: PathMatch): Redirect;
}

const names = {
  HTTPRoute:
    "RequestHeaderModifier, ResponseHeaderModifier, RequestRedirect, RequestMirror, URLRewrite, CORS and ExternalAuth are",
  GRPCRoute: "RequestHeaderModifier, ResponseHeaderModifier and RequestMirror are",
};

/**
 * Reads the filters of a rule. Of several filters of one type only the first applies, except for mirrors. Undefined,
 * with a finding, if a type is not supported: requests must not be forwarded without the filter (Gateway API,
 * HTTPRouteFilter.type).
 */
export function readFilters(
  context: GatewayRouteContext,
  filters: readonly RouteFilter[],
  path: string,
  options: BackendOptions,
): Filters | undefined {
  const found: Found = { mirrors: [] };
  for (const [i, filter] of filters.entries()) {
    const at = `${path}.filters[${i}]`;
    const read = readFilter(context, filter, at, found, options);
    if (read === "refused") return undefined;
    if (read === "read") continue;
    const known = names[context.route.kind === "HTTPRoute" ? "HTTPRoute" : "GRPCRoute"];
    const message = `filter ${filter.type} is not supported: only ${known}; requests are answered 500`;
    return context.fail("Accepted", "UnsupportedValue", message, at);
  }
  const { requestHeaders, responseHeaders, mirrors, rewrite, redirect, cors, externalAuth } = found;
  if (rewrite && redirect) {
    const message = "URLRewrite and RequestRedirect can't be in one rule; requests are answered 500";
    return context.fail("Accepted", "IncompatibleFilters", message, `${path}.filters`);
  }
  const host = rewrite?.hostname ? { host: rewrite.hostname } : {};
  const changed = requestHeaders ?? (rewrite?.hostname ? { set: [], remove: [] } : undefined);
  const request = changed && { ...changed, ...host };
  return {
    policies: {
      ...(request ? { requestHeaders: request } : {}),
      ...(responseHeaders ? { responseHeaders } : {}),
      ...(cors ? { cors: readCors(cors) } : {}),
      ...(externalAuth ? { externalAuth } : {}),
    },
    mirrors: mirrors.map((mirror) => ({ ...mirror, cluster: withServerName(mirror.cluster, request) })),
    rewrite: (matched) => rewrite?.path && readRewrite(rewrite.path, matched),
    ...(redirect ? { redirect: (matched) => readRedirect(redirect, matched) } : {}),
  };
}

interface Found extends HeaderPolicies {
  rewrite?: RouteFilter["urlRewrite"];
  redirect?: RouteFilter["requestRedirect"];
  cors?: RouteFilter["cors"];
  externalAuth?: ExternalAuth;
  readonly mirrors: Mirror[];
}

/**
 * Adds one filter to `found`. Refused, with a finding: requests must not be forwarded, because their authorization
 * can't be used.
 */
function readFilter(
  context: GatewayRouteContext,
  filter: RouteFilter,
  at: string,
  found: Found,
  options: BackendOptions,
): "read" | "unsupported" | "refused" {
  const isHttp = context.route.kind === "HTTPRoute";
  const { type, requestMirror } = filter;
  if (readHeaderFilter(context, filter, at, found)) return "read";
  if (type === "RequestMirror" && requestMirror) {
    const cluster = readReference(
      context,
      requestMirror.backendRef,
      `${at}.requestMirror.backendRef`,
      options,
    );
    const percent = percentOf(requestMirror);
    if (cluster && percent > 0) found.mirrors.push({ cluster, percent });
  } else if (type === "RequestRedirect" && filter.requestRedirect && isHttp) {
    found.redirect ??= filter.requestRedirect;
  } else if (type === "URLRewrite" && filter.urlRewrite && isHttp) {
    found.rewrite ??= filter.urlRewrite;
  } else if (type === "CORS" && filter.cors && isHttp) {
    found.cors ??= filter.cors;
  } else if (type === "ExternalAuth" && filter.externalAuth && isHttp) {
    const auth = readExternalAuth(context, filter.externalAuth, `${at}.externalAuth`);
    if (!auth) return "refused";
    found.externalAuth ??= auth;
  } else return "unsupported";
  return "read";
}

/** `*` in an origin matches one or more labels of its host. */
function readCors(fields: NonNullable<RouteFilter["cors"]>): CorsPolicy {
  const origins = fields.allowOrigins.map((origin): CorsPolicy["origins"][number] => {
    if (origin === "*" || !origin.includes("*")) return { kind: "exact", value: origin };
    const [before = "", after = ""] = origin.split("*");
    const port = after === "" ? "(:[0-9]+)?" : "";
    return { kind: "regex", value: `(?i)${quoteRegex(before)}[-a-z0-9._]+${quoteRegex(after)}${port}` };
  });
  return {
    origins,
    methods: fields.allowMethods,
    headers: fields.allowHeaders,
    exposed: fields.exposeHeaders,
    maxAge: fields.maxAge,
    credentials: fields.allowCredentials,
    privateNetwork: false,
    answersOthers: true,
  };
}

function percentOf({ percent, fraction }: NonNullable<RouteFilter["requestMirror"]>): number {
  if (fraction) return Math.min(100, (100 * fraction.numerator) / fraction.denominator);
  return percent ?? 100;
}

const absolute = (path: string): string => (path.startsWith("/") ? path : `/${path}`);

function readRewrite(modifier: PathModifier, matched: PathMatch): PathRewrite {
  if (modifier.type === "ReplaceFullPath") {
    const path = plainSubstitution(absolute(modifier.replaceFullPath));
    return { regex: { pattern: "^/.*$", substitution: path } };
  }
  return replacePrefix(matched, modifier.replacePrefixMatch);
}

function readRedirect(
  { scheme, hostname, port, path, statusCode }: NonNullable<RouteFilter["requestRedirect"]>,
  matched: PathMatch,
): Redirect {
  return {
    kind: "redirect",
    status: statusCode,
    ...(scheme ? { scheme } : {}),
    ...(hostname ? { host: hostname } : {}),
    ...(port ? { port } : {}),
    ...(path?.type === "ReplaceFullPath" ? { path: absolute(path.replaceFullPath) } : {}),
    ...(path?.type === "ReplacePrefixMatch"
      ? { rewrite: replacePrefix(matched, path.replacePrefixMatch) }
      : {}),
  };
}
