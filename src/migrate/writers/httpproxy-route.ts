import type { HeaderMatch, Match, PathMatch, QueryMatch } from "../../graph/matches/match-types.js";
import { plainSubstitution, substitutionProblem } from "../../graph/policies/path-rewrite.js";
import { pathReplacement } from "../../schema/httpproxy-policies.js";
import type {
  HeaderChanges,
  Redirect,
  RegexRewrite,
  RouteFilters,
  SourceBackend,
  SourceRewrite,
  SourceRoute,
} from "../model.js";
import { regexProgramSize } from "../rewrites.js";
import { compact, type WriterRemarks } from "./common.js";

type Fields = Readonly<Record<string, unknown>>;

/** The properties of a host that its routes depend on. */
export interface HostTerms {
  readonly hasTls: boolean;
  /** The authorization service of the host as JSON, if it has one. */
  readonly auth?: string;
}

export const closedResponse = { directResponsePolicy: { statusCode: 503 } };

/** The routes of an HTTPProxy for one route; empty if the route is left out. */
export function httpProxyRoutes(
  route: SourceRoute,
  terms: HostTerms,
  remarks: WriterRemarks,
): readonly Fields[] {
  const listening = listeningOf(route, terms, remarks);
  if (listening === undefined) return [];
  const access = accessFields(route, terms, remarks);
  const isOpen = access !== undefined && isRewritten(route, remarks);
  const action = isOpen ? actionFields(route, remarks) : closedResponse;
  const isClosed = action === closedResponse;
  return pathConditions(route, isClosed).map(({ path, replaceable }) =>
    compact({
      conditions: [...conditionsOf(route.match), ...(path ? [path] : [])],
      ...listening,
      ...(isClosed ? {} : access),
      ...action,
      ...(isClosed || route.action.kind !== "forward"
        ? {}
        : filterFields(route.filters, replaceable, route, remarks)),
    }),
  );
}

/** A path condition of HTTPProxy. `replaceable` is whether the route may rewrite its path. */
interface PathCondition {
  readonly path?: Fields;
  readonly replaceable: boolean;
}

function pathConditions(
  { match: { path }, filters, action }: SourceRoute,
  isClosed: boolean,
): PathCondition[] {
  if (path.kind === "exact") return [{ path: { exact: path.value }, replaceable: false }];
  if (path.kind === "regex") return [{ path: { regex: path.value }, replaceable: false }];
  if (path.kind === "segment") {
    const below = { path: { prefix: `${path.value}/` }, replaceable: true };
    const rewrite = action.kind === "redirect" ? action.redirect.path : filters.rewrite;
    // A rewritten prefix with a slash at its end also matches the path without the slash.
    if (!isClosed && action.kind === "forward" && rewrite?.kind === "prefix") return [below];
    return [{ path: { exact: path.value }, replaceable: false }, below];
  }
  return [path.value === "/" ? { replaceable: true } : { path: { prefix: path.value }, replaceable: true }];
}

const conditionsOf = ({ headers, queries }: Match): Fields[] => [
  ...headers.map((one) => ({ header: headerCondition(one) })),
  ...queries.map((one) => ({ queryParameter: queryCondition(one) })),
];

const headerCondition = ({
  name,
  kind,
  value,
  invert,
  ignoreCase,
  treatMissingAsEmpty,
}: HeaderMatch): Fields =>
  compact({
    name,
    [`${invert ? "not" : ""}${kind}`]: kind === "present" ? true : value,
    ignoreCase: ignoreCase || undefined,
    treatMissingAsEmpty: treatMissingAsEmpty || undefined,
  });

const queryCondition = ({ name, kind, value, ignoreCase }: QueryMatch): Fields =>
  compact({ name, [kind]: kind === "present" ? true : value, ignoreCase: ignoreCase || undefined });

/** The field `permitInsecure`; undefined if the route is left out, such as a redirect that the host does by itself. */
function listeningOf(route: SourceRoute, { hasTls }: HostTerms, remarks: WriterRemarks): Fields | undefined {
  const { http, https, action } = route;
  if (!hasTls) {
    if (http === "none")
      remarks.route(
        "error",
        route,
        "is there over HTTPS alone, and its host has no certificate; it is left out",
        {
          todo: "name the Secret of the host's certificate in the source",
        },
      );
    return http === "none" ? undefined : {};
  }
  if (https && http === "serve") return { permitInsecure: true };
  if (https) {
    if (http === "none")
      remarks.route(
        "info",
        route,
        "the source answers 404 over HTTP, and the result redirects to HTTPS with 301",
      );
    else if (http !== 301)
      remarks.route("info", route, `HTTP redirects to HTTPS with 301, and not with ${http}`);
    return {};
  }
  if (action.kind === "redirect" && isToHttps(action.redirect)) {
    if (action.redirect.status !== 301)
      remarks.route(
        "info",
        route,
        `HTTP redirects to HTTPS with 301, and not with ${action.redirect.status}`,
      );
    return undefined;
  }
  remarks.route(
    "warning",
    route,
    "is there over HTTP alone in the source, and over HTTPS as well in the result",
  );
  return { permitInsecure: true };
}

/** Whether a redirect goes to the same address over HTTPS. A host with TLS redirects by itself. */
export const isToHttps = ({ scheme, hostname, port, path }: Redirect): boolean =>
  scheme === "https" && hostname === undefined && path === undefined && (port === undefined || port === 443);

/** The fields for the access rules; undefined if a rule cannot be kept and the route is closed. */
function accessFields(route: SourceRoute, { auth }: HostTerms, remarks: WriterRemarks): Fields | undefined {
  const fields: Record<string, unknown> = {};
  let isOff = false;
  let isAsked = false;
  for (const rule of route.access) {
    if (rule.kind === "addresses") {
      if (fields.ipAllowPolicy || fields.ipDenyPolicy || (rule.allow.length > 0 && rule.deny.length > 0)) {
        remarks.route(
          "error",
          route,
          "HTTPProxy takes either a list of allowed or of denied addresses; answered 503",
          {
            closes: true,
            todo: "write the allowed ranges without the denied ones",
          },
        );
        return undefined;
      }
      const [list, cidrs] =
        rule.allow.length > 0 ? ["ipAllowPolicy", rule.allow] : ["ipDenyPolicy", rule.deny];
      fields[list as string] = (cidrs as readonly string[]).map((cidr) => ({ source: rule.source, cidr }));
    } else if (rule.kind === "external-off") isOff = true;
    else if (auth === JSON.stringify(rule.service)) isAsked = true;
    else {
      remarks.route("error", route, "its authorization service can't be asked for this host; answered 503", {
        closes: true,
        todo: "give the host a certificate and one service, or use the setting globalExtAuth",
      });
      return undefined;
    }
  }
  if (auth !== undefined && (isOff || !isAsked)) fields.authPolicy = { disabled: true };
  return fields;
}

function actionFields(route: SourceRoute, remarks: WriterRemarks): Fields {
  const { action } = route;
  if (action.kind === "respond") {
    if (action.status < 200 || action.status > 599) return closedResponse;
    return { directResponsePolicy: compact({ statusCode: action.status, body: action.body || undefined }) };
  }
  if (action.kind === "redirect") return { requestRedirectPolicy: redirectFields(action.redirect) };
  const mirrors = route.filters.mirrors.slice(0, 1);
  if (route.filters.mirrors.length > 1)
    remarks.route(
      "warning",
      route,
      "HTTPProxy copies requests to one Service; the other mirrors are left out",
    );
  return {
    services: [
      ...action.backends.map((backend) => serviceOf(backend, route, remarks)),
      ...mirrors.map(({ backend, percent }) => ({
        ...serviceOf(backend, route, remarks),
        mirror: true,
        weight: percent,
      })),
    ],
  };
}

const redirectFields = ({ scheme, hostname, port, status, path }: Redirect): Fields =>
  compact({
    scheme,
    hostname,
    port,
    statusCode: status,
    path: path?.kind === "full" ? path.value : undefined,
    prefix: path?.kind === "prefix" ? path.value : undefined,
  });

const serviceOf = (backend: SourceBackend, route: SourceRoute, remarks: WriterRemarks): Fields =>
  compact({
    name: backend.name,
    port: backend.port,
    protocol: backend.protocol,
    weight: backend.weight,
    validation: backend.validation,
    requestHeadersPolicy: headersPolicy(backend.requestHeaders, undefined, route, remarks),
    responseHeadersPolicy: headersPolicy(backend.responseHeaders, undefined, route, remarks),
  });

function headersPolicy(
  changes: HeaderChanges | undefined,
  host: string | undefined,
  route: SourceRoute,
  remarks: WriterRemarks,
): Fields | undefined {
  const { set = [], add = [], remove = [] } = changes ?? {};
  const all = [...(host === undefined ? [] : [["Host", host] as const]), ...set, ...add];
  for (const [name] of add)
    remarks.route("warning", route, `the header ${name} is set, and not added to those that are there`);
  if (all.length === 0 && remove.length === 0) return undefined;
  const names = new Set<string>();
  const unique = all.filter(([name]) => !names.has(name.toLowerCase()) && names.add(name.toLowerCase()));
  return compact({ set: unique.map(([name, value]) => ({ name, value })), remove });
}

function filterFields(
  filters: RouteFilters,
  replaceable: boolean,
  route: SourceRoute,
  remarks: WriterRemarks,
): Fields {
  const { timeout, idle, retry, balancing, healthCheck, websockets, host } = filters;
  return compact({
    timeoutPolicy:
      timeout === undefined && idle === undefined ? undefined : compact({ response: timeout, idle }),
    retryPolicy: retry && {
      count: retry.count,
      ...compact({
        perTryTimeout: retry.perTry,
        retryOn: retry.on,
        retriableStatusCodes: retry.statusCodes ?? [],
      }),
    },
    loadBalancerPolicy: balancing && {
      strategy: balancing.strategy,
      ...(balancing.hash ? { requestHashPolicies: balancing.hash.map(hashPolicy) } : {}),
    },
    healthCheckPolicy: healthCheck,
    pathRewritePolicy: filters.rewrite && rewritePolicy(filters.rewrite, replaceable),
    requestHeadersPolicy: headersPolicy(filters.requestHeaders, host, route, remarks),
    responseHeadersPolicy: headersPolicy(filters.responseHeaders, undefined, route, remarks),
    enableWebsockets: websockets || undefined,
  });
}

const hashPolicy = (one: object): Fields => {
  if ("header" in one) return { headerHashOptions: { headerName: one.header } };
  if ("query" in one) return { queryParameterHashOptions: { parameterName: one.query } };
  return { hashSourceIP: true };
};

function rewritePolicy(rewrite: SourceRewrite, replaceable: boolean): Fields | undefined {
  if (rewrite.kind === "prefix")
    return replaceable ? { replacePrefix: [{ replacement: rewrite.value }] } : undefined;
  const { regex, replacement } = asSubstitution(rewrite);
  return { replaceRegex: { regex, replacement } };
}

const asSubstitution = (
  rewrite: Exclude<SourceRewrite, { readonly kind: "prefix" }>,
): Omit<RegexRewrite, "kind"> =>
  rewrite.kind === "full" ? { regex: "^.*$", replacement: plainSubstitution(rewrite.value) } : rewrite;

/** Whether HTTPProxy can express the rewrite of the path. Without the rewrite, requests would reach wrong paths. */
function isRewritten(route: SourceRoute, remarks: WriterRemarks): boolean {
  const { rewrite } = route.filters;
  if (route.action.kind !== "forward" || !rewrite) return true;
  const problem = rewriteProblem(rewrite, route.match.path.kind);
  if (problem === undefined) return true;
  remarks.route("error", route, `HTTPProxy can't rewrite this path to ${problem}; answered 503`, {
    closes: true,
    todo: "let the backend take the whole path",
  });
  return false;
}

function rewriteProblem(rewrite: SourceRewrite, of: PathMatch["kind"]): string | undefined {
  if (rewrite.kind === "prefix") return of === "prefix" || of === "segment" ? undefined : rewrite.value;
  const { regex, replacement } = asSubstitution(rewrite);
  const problem = pathReplacement.safeParse(replacement).success
    ? substitutionProblem({ pattern: regex, substitution: replacement }, regexProgramSize)
    : "a path has no spaces, ? and #";
  return problem === undefined ? undefined : `${replacement}: ${problem}`;
}
