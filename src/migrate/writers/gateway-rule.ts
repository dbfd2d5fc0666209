import type { HeaderMatch, QueryMatch } from "../../graph/matches/match-types.js";
import { quoteRegex } from "../../graph/matches/order.js";
import { methodHeader } from "../matches.js";
import type { HeaderChanges, Redirect, SourceBackend, SourceRewrite, SourceRoute } from "../model.js";
import { compact, type WriterRemarks } from "./common.js";

type Fields = Readonly<Record<string, unknown>>;

/** A filter that no implementation has. The Gateway API requires a response 500 if a filter cannot be applied. */
const closedFilter = {
  type: "ExtensionRef",
  extensionRef: { group: "isoline.dev", kind: "Closed", name: "not-converted" },
} as const;

/** The rule of an HTTPRoute for one route. */
export function ruleOf(
  route: SourceRoute,
  { asksForCertificates }: { readonly asksForCertificates: boolean },
  remarks: WriterRemarks,
): Fields {
  const match = matchFields(route);
  noteSegments(route, remarks);
  const isOpen = [isAccessKept(route, asksForCertificates, remarks), isActionSaid(route, remarks)];
  if (isOpen.includes(false)) return { matches: [match], filters: [closedFilter] };
  const { action, filters } = route;
  if (action.kind === "redirect") return { matches: [match], filters: [redirectFilter(action.redirect)] };
  if (action.kind === "respond") return { matches: [match], filters: [closedFilter] };
  lostFilters(route, remarks);
  return compact({
    matches: [match],
    filters: [
      ...headerFilter("Request", filters.requestHeaders, route, remarks),
      ...headerFilter("Response", filters.responseHeaders, route, remarks),
      ...rewriteFilter(filters.rewrite, filters.host),
      ...filters.mirrors.map(({ backend, percent }) => ({
        type: "RequestMirror",
        requestMirror: compact({
          backendRef: refOf(backend),
          percent: percent === 100 ? undefined : percent,
        }),
      })),
    ],
    timeouts: filters.timeout === undefined ? undefined : { request: durationOf(filters.timeout) },
    backendRefs: action.backends.map((backend) =>
      compact({
        ...refOf(backend),
        weight: backend.weight,
        filters: [
          ...headerFilter("Request", backend.requestHeaders, route, remarks),
          ...headerFilter("Response", backend.responseHeaders, route, remarks),
        ],
      }),
    ),
  });
}

/** The rule that redirects plain requests of a route to HTTPS. */
export const toHttpsRule = (route: SourceRoute, status: number): Fields => ({
  matches: [matchFields(route)],
  filters: [{ type: "RequestRedirect", requestRedirect: { scheme: "https", statusCode: status } }],
});

const durationOf = (timeout: string): string => (timeout === "infinity" ? "0s" : timeout);

const refOf = ({ name, namespace, port }: SourceBackend): Fields => ({ name, namespace, port });

function matchFields(route: SourceRoute): Fields {
  const { headers, queries } = route.match;
  return compact({
    path: pathFields(route),
    headers: headers.filter(({ name }) => name !== methodHeader).map(headerMatch),
    queryParams: queries.map(queryMatch),
    method: headers.find(({ name }) => name === methodHeader)?.value,
  });
}

function noteSegments(route: SourceRoute, remarks: WriterRemarks): void {
  const { kind, value } = route.match.path;
  if (kind === "prefix" && value !== "/")
    remarks.route(
      "info",
      route,
      `takes whole segments of the path: ${value} and what is below it, and nothing else`,
    );
}

function pathFields(route: SourceRoute): Fields {
  const { kind, value } = route.match.path;
  if (kind === "exact" || kind === "bare") return { type: "Exact", value };
  if (kind === "regex") return { type: "RegularExpression", value };
  return { type: "PathPrefix", value };
}

function headerMatch({ name, kind, value, ignoreCase }: HeaderMatch): Fields {
  if (kind === "exact" && !ignoreCase) return { name, value };
  return { type: "RegularExpression", name, value: patternOf(kind, value, ignoreCase) };
}

function queryMatch({ name, kind, value, ignoreCase }: QueryMatch): Fields {
  if (kind === "exact" && !ignoreCase) return { name, value };
  return { type: "RegularExpression", name, value: patternOf(kind, value, ignoreCase) };
}

function patternOf(kind: QueryMatch["kind"], value: string, ignoreCase: boolean): string {
  const text = quoteRegex(value);
  const patterns: Readonly<Record<QueryMatch["kind"], string>> = {
    exact: text,
    regex: value,
    prefix: `${text}.*`,
    suffix: `.*${text}`,
    contains: `.*${text}.*`,
    present: ".*",
  };
  return `${ignoreCase ? "(?i)" : ""}${patterns[kind]}`;
}

function isAccessKept(route: SourceRoute, asksForCertificates: boolean, remarks: WriterRemarks): boolean {
  const closed = (what: string): boolean => {
    remarks.route("error", route, `the Gateway API has no ${what}; answered 500`, {
      closes: true,
      todo: "convert it with --to httpproxy",
    });
    return false;
  };
  if (asksForCertificates) return closed("client certificates here");
  for (const { kind } of route.access) {
    if (kind === "addresses") return closed("lists of addresses");
    if (kind === "external") return closed("authorization services");
  }
  return true;
}

function isActionSaid(route: SourceRoute, remarks: WriterRemarks): boolean {
  const {
    match: { path },
    action,
    filters,
  } = route;
  const rewrite = action.kind === "redirect" ? action.redirect.path : filters.rewrite;
  if (action.kind === "respond") {
    remarks.route("error", route, `the Gateway API has no fixed answers: 500 instead of ${action.status}`, {
      closes: true,
      todo: "convert it with --to httpproxy",
    });
    return false;
  }
  if (rewrite?.kind === "regex") {
    remarks.route("error", route, "the Gateway API rewrites no path by a regular expression; answered 500", {
      closes: true,
      todo: "convert it with --to httpproxy",
    });
    return false;
  }
  if (rewrite?.kind === "prefix" && path.kind !== "prefix" && path.kind !== "segment") {
    remarks.route("error", route, "the Gateway API rewrites the prefix of a PathPrefix alone; answered 500", {
      closes: true,
    });
    return false;
  }
  return true;
}

function lostFilters(route: SourceRoute, remarks: WriterRemarks): void {
  const { filters } = route;
  const lost = (what: string): void =>
    remarks.route("warning", route, `the Gateway API has no ${what}: left out`, {
      todo: "convert it with --to httpproxy",
    });
  if (filters.cors) lost("CORS here");
  if (filters.retry) lost("retries here");
  if (filters.idle) lost("timeout for silence");
  if (filters.balancing && filters.balancing.strategy !== "RoundRobin") lost("choice of load balancing");
  if (filters.healthCheck) lost("health checks");
  if (route.action.kind !== "forward") return;
  for (const { name, protocol, validation } of route.action.backends)
    if (protocol && !(protocol === "tls" && validation))
      remarks.route("error", route, `the Gateway API can't say that Service ${name} speaks ${protocol}`, {
        todo: `set appProtocol: ${protocol === "h2c" ? "kubernetes.io/h2c" : "https"} of its port`,
      });
}

const redirectFilter = ({ scheme, hostname, port, status, path }: Redirect): Fields => ({
  type: "RequestRedirect",
  requestRedirect: compact({ scheme, hostname, port, path: path && pathModifier(path), statusCode: status }),
});

const rewriteFilter = (rewrite: SourceRewrite | undefined, hostname: string | undefined): Fields[] => {
  const path = rewrite && rewrite.kind !== "regex" ? pathModifier(rewrite) : undefined;
  return path || hostname ? [{ type: "URLRewrite", urlRewrite: compact({ hostname, path }) }] : [];
};

const pathModifier = ({ kind, value }: NonNullable<Redirect["path"]>): Fields =>
  kind === "full"
    ? { type: "ReplaceFullPath", replaceFullPath: value }
    : { type: "ReplacePrefixMatch", replacePrefixMatch: value };

function headerFilter(
  of: "Request" | "Response",
  changes: HeaderChanges | undefined,
  route: SourceRoute,
  remarks: WriterRemarks,
): Fields[] {
  const { set = [], add = [], remove = [] } = changes ?? {};
  const pairs = (list: HeaderChanges["set"]): Fields[] =>
    list.flatMap(([name, value]) => {
      if (value !== "") return [{ name, value }];
      remarks.route("warning", route, `the header ${name} with an empty value is left out`);
      return [];
    });
  const field = of === "Request" ? "requestHeaderModifier" : "responseHeaderModifier";
  const modifier = compact({ set: pairs(set), add: pairs(add), remove });
  return Object.keys(modifier).length > 0 ? [{ type: `${of}HeaderModifier`, [field]: modifier }] : [];
}
