import { quoteRegex } from "../../../graph/matches/order.js";
import { type Conversion, partOf } from "../../conversion.js";
import type { Field } from "../../field.js";
import {
  type Cors,
  type HeaderChanges,
  noFilters,
  type Redirect,
  type Retry,
  type RouteFilters,
  type SourceBackend,
  type SourcePart,
  type SourceRewrite,
  type SourceRoute,
} from "../../model.js";
import { substitutionOf } from "../../rewrites.js";
import type { SourceObject } from "../../source.js";
import { destinationOf } from "./destinations.js";
import { meet, type ReachedHosts } from "./hosts.js";
import { type IstioMatch, matchesOf, merged } from "./match.js";

interface Place {
  readonly owner: SourceObject;
  readonly reached: readonly ReachedHosts[];
  readonly conversion: Conversion;
  /** Objects that apply to all routes of the VirtualService. */
  readonly parts: readonly SourcePart[];
  readonly parents: readonly SourceObject[];
}

/** The routes of one entry of `http`, for each group of hosts. */
export function httpRoutes(
  field: Field,
  place: Place,
  within: readonly IstioMatch[] | undefined,
): SourceRoute[] {
  const { owner, conversion } = place;
  const own = matchesOf(field.at("match"));
  const all = within ? within.flatMap((parent) => own.flatMap((child) => merged(parent, child) ?? [])) : own;
  const matches = all.filter((one) => !one.isOfMesh);
  const delegate = field.at("delegate");
  if (delegate.given) return delegated(field, place, matches);
  const hosts = place.reached.flatMap((one) => one.hosts);
  const read = readAction(field, owner, hosts, conversion);
  return matches.flatMap((match) =>
    place.reached.flatMap((reached) => routeOf({ match, reached, field, read }, place)),
  );
}

/** The routes of a delegate VirtualService, within the match of this one. */
function delegated(field: Field, place: Place, matches: readonly IstioMatch[]): SourceRoute[] {
  const { owner, conversion, parents } = place;
  const name = field.at("delegate", "name").text() ?? "";
  const namespace = field.at("delegate", "namespace").text() || owner.namespace;
  const target = conversion.find(owner.group, "VirtualService", namespace, name);
  const hosts = place.reached.flatMap((one) => one.hosts);
  if (!target || parents.includes(target) || target === owner) {
    const why = target ? "leads back to itself" : "is not among the input";
    conversion.remark(
      "error",
      partOf(owner, field),
      `VirtualService ${namespace}/${name} ${why}; answered 503`,
      { hosts, closes: true },
    );
    const read: Read = {
      action: { kind: "respond", status: 503, body: "" },
      filters: noFilters("infinity"),
      parts: [],
      closed: true,
    };
    return matches.flatMap((match) =>
      place.reached.flatMap((reached) => routeOf({ match, reached, field, read }, place)),
    );
  }
  const inner: Place = {
    ...place,
    owner: target,
    parts: [...place.parts, partOf(owner, field)],
    parents: [...parents, owner],
  };
  return target.root
    .at("spec", "http")
    .items()
    .flatMap((one) => httpRoutes(one, inner, matches));
}

interface Read {
  readonly action: SourceRoute["action"];
  readonly filters: RouteFilters;
  readonly parts: readonly SourcePart[];
  readonly closed: boolean;
}

function routeOf(
  { match, reached, field, read }: { match: IstioMatch; reached: ReachedHosts; field: Field; read: Read },
  { owner, conversion, parts }: Place,
): SourceRoute[] {
  const part = partOf(owner, field);
  const asked = match.authority;
  const hosts =
    asked === undefined ? reached.hosts : reached.hosts.flatMap((host) => meet(host, asked) ?? []);
  const isPlain = match.scheme !== "https" && match.port !== 443;
  const isSecure = match.scheme !== "http" && match.port !== 80;
  const http = isPlain ? reached.http : "none";
  const https = isSecure && reached.https;
  if (hosts.length === 0 || (http === "none" && !https)) return [];
  const closed = read.closed || match.problem !== undefined;
  if (match.problem !== undefined)
    conversion.remark("error", part, `${match.problem}; answered 503`, { hosts, closes: true });
  const kind = match.match.path.kind;
  const { filters } = read;
  const rewrite =
    filters.rewrite?.kind === "prefix" && kind !== "prefix" && kind !== "segment"
      ? { ...filters.rewrite, kind: "full" as const }
      : filters.rewrite;
  return [
    {
      parts: [part, ...read.parts, ...parts, ...reached.parts],
      hosts,
      match: match.match,
      action: read.action,
      filters: rewrite ? { ...filters, rewrite } : filters,
      access: [],
      http,
      https,
      ...(closed ? { closed: true } : {}),
    },
  ];
}

function readAction(
  field: Field,
  owner: SourceObject,
  hosts: readonly string[],
  conversion: Conversion,
): Read {
  const parts: SourcePart[] = [];
  let closed = false;
  const backends: SourceBackend[] = [];
  let filters = filtersOf(field, owner, hosts, conversion);
  for (const one of field.at("route").items()) {
    const found = destinationOf(one.at("destination"), { owner, hosts, conversion });
    const weight = one.at("weight").number();
    const headers = headersOf(one.at("headers"));
    if (!found) {
      closed = true;
      continue;
    }
    parts.push(...found.parts);
    if (found.balancing) filters = { ...filters, balancing: found.balancing };
    backends.push({
      ...found.backend,
      ...(weight === undefined ? {} : { weight }),
      ...(headers ? { requestHeaders: headers.request, responseHeaders: headers.response } : {}),
    });
  }
  if (backends.length === 1 && backends[0]?.weight === 0) backends[0] = { ...backends[0], weight: 100 };
  const redirect = field.at("redirect");
  const response = field.at("directResponse");
  const abort = abortOf(field, owner, hosts, conversion);
  if (abort !== undefined)
    return { action: { kind: "respond", status: abort, body: "" }, filters, parts, closed };
  if (redirect.given)
    return { action: { kind: "redirect", redirect: redirectOf(redirect) }, filters, parts, closed };
  if (response.given) {
    const status = response.at("status").number() ?? 503;
    return {
      action: { kind: "respond", status, body: response.at("body", "string").text() ?? "" },
      filters,
      parts,
      closed,
    };
  }
  if (backends.length === 0 && !closed) {
    closed = true;
    conversion.remark(
      "error",
      partOf(owner, field),
      "has no route, redirect or directResponse; answered 503",
      { hosts, closes: true },
    );
  }
  return {
    action: backends.length > 0 ? { kind: "forward", backends } : { kind: "respond", status: 503, body: "" },
    filters,
    parts,
    closed,
  };
}

/** A fault for all requests becomes a response. A fault for some requests is for tests, and is left out. */
function abortOf(
  field: Field,
  owner: SourceObject,
  hosts: readonly string[],
  conversion: Conversion,
): number | undefined {
  const abort = field.at("fault", "abort");
  if (!abort.seen()) return undefined;
  const percent = abort.at("percentage", "value").number() ?? 100;
  const status = abort.at("httpStatus").number();
  if (percent === 100 && status !== undefined) return status;
  conversion.remark("warning", partOf(owner, abort), "faults for a part of the requests are left out", {
    hosts,
  });
  return undefined;
}

function redirectOf(field: Field): Redirect {
  const scheme = field.at("scheme").text();
  const uri = field.at("uri").text();
  const authority = field.at("authority").text();
  const port = field.at("port").number();
  const [hostname, own] = authority?.split(":") ?? [];
  return {
    ...(scheme === "http" || scheme === "https" ? { scheme } : {}),
    ...(hostname === undefined ? {} : { hostname }),
    ...(port === undefined && own === undefined ? {} : { port: port ?? Number(own) }),
    ...(uri === undefined ? {} : { path: { kind: "full" as const, value: uri } }),
    status: field.at("redirectCode").number() ?? 301,
  };
}

/** `uri` and `uriRegexRewrite` exclude each other. */
function rewriteOf(field: Field): SourceRewrite | undefined {
  const uri = field.at("uri").text();
  const regex = field.at("uriRegexRewrite");
  return uri === undefined
    ? substitutionOf(regex.at("match"), regex.at("rewrite"))
    : { kind: "prefix", value: uri || "/" };
}

function filtersOf(
  field: Field,
  owner: SourceObject,
  hosts: readonly string[],
  conversion: Conversion,
): RouteFilters {
  const headers = headersOf(field.at("headers"));
  const rewrite = rewriteOf(field.at("rewrite"));
  const authority = field.at("rewrite", "authority").text();
  const retry = retryOf(field.at("retries"));
  const cors = corsOf(field.at("corsPolicy"));
  const host = headers?.request.set.find(([name]) => name.toLowerCase() === "host")?.[1];
  return {
    ...noFilters(timeoutOf(field.at("timeout").text())),
    ...(headers
      ? {
          requestHeaders: {
            ...headers.request,
            set: headers.request.set.filter(([name]) => name.toLowerCase() !== "host"),
          },
          responseHeaders: headers.response,
        }
      : {}),
    ...(rewrite ? { rewrite } : {}),
    ...((authority ?? host) ? { host: authority ?? host ?? "" } : {}),
    ...(retry ? { retry } : {}),
    ...(cors ? { cors } : {}),
    mirrors: mirrorsOf(field, owner, hosts, conversion),
  };
}

/** Istio has no timeout by default. */
const timeoutOf = (text: string | undefined): string =>
  text === undefined || /^0+(?:\.0+)?[a-z]*$/.test(text) ? "infinity" : text;

const knownConditions = [
  "5xx",
  "gateway-error",
  "reset",
  "reset-before-request",
  "connect-failure",
  "envoy-ratelimited",
  "retriable-4xx",
  "refused-stream",
  "retriable-status-codes",
  "retriable-headers",
  "cancelled",
  "deadline-exceeded",
  "internal",
  "resource-exhausted",
  "unavailable",
];

/** Without a policy, Istio retries twice. */
function retryOf(field: Field): Retry | undefined {
  const usual = ["connect-failure", "refused-stream", "unavailable", "cancelled"];
  if (!field.given) return { count: 2, on: usual };
  const attempts = field.at("attempts").number() ?? 2;
  const perTry = field.at("perTryTimeout").text();
  const words =
    field
      .at("retryOn")
      .text()
      ?.split(",")
      .map((one) => one.trim()) ?? usual;
  const codes = words.filter((word) => /^\d{3}$/.test(word)).map(Number);
  if (attempts === 0) return undefined;
  const on = words.filter((word) => knownConditions.includes(word));
  return {
    count: attempts,
    on: codes.length > 0 && !on.includes("retriable-status-codes") ? [...on, "retriable-status-codes"] : on,
    ...(perTry === undefined ? {} : { perTry }),
    ...(codes.length > 0 ? { statusCodes: codes } : {}),
  };
}

function headersOf(field: Field): { request: HeaderChanges; response: HeaderChanges } | undefined {
  if (!field.given) return undefined;
  const changes = (of: "request" | "response"): HeaderChanges => ({
    set: field.at(of, "set").record(),
    add: field.at(of, "add").record(),
    remove: field.at(of, "remove").texts(),
  });
  return { request: changes("request"), response: changes("response") };
}

function mirrorsOf(
  field: Field,
  owner: SourceObject,
  hosts: readonly string[],
  conversion: Conversion,
): RouteFilters["mirrors"] {
  const one = field.at("mirror");
  const percent = field.at("mirrorPercentage", "value").number() ?? field.at("mirrorPercent").number() ?? 100;
  field.at("mirrorPercentage").use();
  const all = [
    ...(one.given ? [{ field: one, percent }] : []),
    ...field
      .at("mirrors")
      .items()
      .map((mirror) => ({
        field: mirror.at("destination"),
        percent: mirror.at("percentage", "value").number() ?? 100,
      })),
  ];
  return all.flatMap(({ field: mirror, percent: share }) => {
    // The field `port` of a mirror belongs to the destination, as in a route.
    mirror.use();
    const found = destinationOf(mirror, { owner, hosts, conversion });
    return found ? [{ backend: found.backend, percent: Math.round(share) }] : [];
  });
}

function corsOf(field: Field): Cors | undefined {
  if (!field.given) return undefined;
  const origins = field
    .at("allowOrigins")
    .items()
    .flatMap((one) => {
      const [exact, prefix, regex] = [
        one.at("exact").text(),
        one.at("prefix").text(),
        one.at("regex").text(),
      ];
      if (exact !== undefined) return [exact];
      return prefix === undefined ? (regex === undefined ? [] : [regex]) : [`${quoteRegex(prefix)}.*`];
    });
  const allowOrigin = [...origins, ...field.at("allowOrigin").texts()];
  const maxAge = field.at("maxAge").text();
  const methods = field.at("allowMethods").texts();
  const lists = {
    allowHeaders: field.at("allowHeaders").texts(),
    exposeHeaders: field.at("exposeHeaders").texts(),
    allowCredentials: field.at("allowCredentials").flag() ?? false,
  };
  if (allowOrigin.length === 0) return undefined;
  return {
    allowOrigin,
    allowMethods: methods.length > 0 ? methods : ["GET"],
    ...lists,
    ...(maxAge === undefined ? {} : { maxAge }),
  };
}
