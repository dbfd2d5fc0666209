import type { HttpConnectionManager, Route, RouteMatch, StringMatcher, VirtualHost } from "../gen/envoy.js";
import type { RequestText } from "../schema/route-tests.js";
import { mismatch } from "./match.js";
import { normalizationOf } from "./normalization.js";
import { regexExamples } from "./regex-examples.js";
import { hostName, type ListenerChoice, readRequest, seenRequest } from "./request.js";
import { RequestSyntaxError } from "./request-error.js";

/** Scheme, port and connection manager of a virtual host. */
export interface Reach {
  readonly scheme: "http" | "https";
  /** Present if the scheme alone does not select the listener. */
  readonly port: number | undefined;
  /** Whether clients send the host in the TLS handshake; false where they connect to an address. */
  readonly namesServer: boolean;
  /** What selects the listener, if other listeners have the port. */
  readonly choice?: ListenerChoice;
  readonly manager: HttpConnectionManager;
  /** Whether requests for a host are handled by this virtual host. */
  isFor(host: string): boolean;
}

/** A request under construction. */
interface Draft {
  readonly host: string;
  readonly method: string;
  readonly path: string;
  readonly headers: ReadonlyMap<string, string>;
  readonly query: ReadonlyMap<string, string>;
}

const maxRepairs = 16;

/**
 * A request that a route of a virtual host handles; undefined when none is found, for example because an earlier route
 * matches all of them.
 */
export function sampleRequest(
  virtualHost: VirtualHost,
  index: number,
  reach: Reach,
): RequestText | undefined {
  const routes = virtualHost.routes ?? [];
  const match = routes[index]?.match ?? {};
  for (const host of hostsOf(virtualHost, match)) {
    if (!reach.isFor(host)) continue;
    for (const path of pathsOf(match)) {
      const found = repaired(firstDraft(host, path, match), routes, index, reach);
      if (found) return textOf(found, reach);
    }
  }
  return undefined;
}

/** A request for a host without known routes. */
export function plainRequest(
  host: string,
  reach: Pick<Reach, "scheme" | "port" | "namesServer" | "choice">,
): RequestText {
  const [first = host] = exampleHosts(host);
  return textOf({ host: first, method: "GET", path: "/", headers: new Map(), query: new Map() }, reach);
}

/** Changes headers and parameters until no earlier route matches the request. */
function repaired(
  start: Draft | undefined,
  routes: readonly Route[],
  index: number,
  reach: Reach,
): Draft | undefined {
  let draft = start;
  for (let i = 0; draft && i < maxRepairs; i++) {
    const won = winner(draft, routes, reach);
    if (won === index) return draft;
    if (won === undefined || won > index) return undefined;
    const before = draft;
    draft = variants(before, routes[won]?.match ?? {}).find(
      (one) =>
        isTaken(one, routes[index]?.match ?? {}, reach) && !isTaken(one, routes[won]?.match ?? {}, reach),
    );
  }
  return undefined;
}

function winner(draft: Draft, routes: readonly Route[], reach: Reach): number | undefined {
  const seen = seenBy(draft, reach);
  const found = seen ? routes.findIndex(({ match = {} }) => mismatch(match, seen) === undefined) : -1;
  return found < 0 ? undefined : found;
}

function isTaken(draft: Draft, match: RouteMatch, reach: Reach): boolean {
  const seen = seenBy(draft, reach);
  return seen !== undefined && mismatch(match, seen) === undefined;
}

function seenBy(draft: Draft, reach: Reach): ReturnType<typeof seenRequest> {
  const { method, url, headers } = textOf(draft, reach);
  try {
    const request = readRequest(method, url, headers);
    return hostName(request.authority) === draft.host
      ? seenRequest(request, normalizationOf(reach.manager))
      : undefined;
  } catch (error) {
    if (error instanceof RequestSyntaxError) return undefined;
    throw error;
  }
}

function textOf(
  { host, method, path, headers, query }: Draft,
  { scheme, port, namesServer, choice }: Pick<Reach, "scheme" | "port" | "namesServer" | "choice">,
): RequestText {
  const suffix = port === undefined ? "" : `:${port}`;
  const parameters = [...query].map(([name, value]) => `${name}=${value}`).join("&");
  return {
    method,
    url: `${scheme}://${namesServer ? host : "127.0.0.1"}${suffix}${path}${parameters ? `?${parameters}` : ""}`,
    headers: [
      ...(namesServer ? [] : [`host: ${host}${suffix}`]),
      ...[...headers].map(([name, value]) => `${name}: ${value}`),
    ],
    ...choice,
  };
}

/** Hosts of a domain; for a wildcard, one with one label and one with two in its place. */
function exampleHosts(domain: string): string[] {
  if (domain === "*") return ["any.invalid"];
  return domain.startsWith("*") ? [`any${domain.slice(1)}`, `any.any${domain.slice(1)}`] : [domain];
}

function hostsOf({ domains = [] }: VirtualHost, match: RouteMatch): string[] {
  const named = (match.headers ?? []).flatMap(({ name, string_match }) =>
    string_match && name === ":authority" ? textsFor(string_match) : [],
  );
  return [...domains.flatMap(exampleHosts), ...named].map((host) => hostName(host));
}

const isHost = (name: string): boolean => /^(?::authority|host)$/i.test(name);

function pathsOf({ prefix, path, path_separated_prefix: segment, safe_regex }: RouteMatch): string[] {
  const texts =
    path !== undefined
      ? [path]
      : prefix !== undefined
        ? [prefix, `${prefix}other`, `${prefix}/other`]
        : segment !== undefined
          ? [segment, `${segment}/other`]
          : regexExamples(safe_regex?.regex ?? "");
  return texts
    .map((text) => text || "/")
    .filter((text) => /^\/[\x21-\x7e]*$/.test(text) && !/[?#]/.test(text));
}

/** A draft that meets each condition of a match separately; undefined if a header can't meet its condition. */
function firstDraft(host: string, path: string, match: RouteMatch): Draft | undefined {
  let draft: Draft | undefined = { host, method: "GET", path, headers: new Map(), query: new Map() };
  for (const name of namesOf(match)) {
    const before: Draft | undefined = draft;
    draft = before && variantsOf(before, name, match).find((one) => meets(one, name, match));
  }
  return draft;
}

/** Headers as `h NAME`, query parameters as `q NAME`. */
const namesOf = ({ headers = [], query_parameters: parameters = [] }: RouteMatch): string[] => [
  ...new Set([
    ...headers.filter(({ name = "" }) => isFree(name)).map(({ name = "" }) => `h ${name.toLowerCase()}`),
    ...parameters.map(({ name }) => `q ${name}`),
  ]),
];

/** Whether a client can choose the header's value freely. */
const isFree = (name: string): boolean =>
  name === ":method" || !(name.startsWith(":") || isHost(name) || name.toLowerCase() === "x-forwarded-proto");

const variants = (draft: Draft, match: RouteMatch): Draft[] =>
  namesOf(match).flatMap((name) => variantsOf(draft, name, match));

const methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD"];

/** The draft without the header or parameter, and with each text of the match, or another one. */
function variantsOf(draft: Draft, key: string, match: RouteMatch): Draft[] {
  const name = key.slice(2);
  const isHeader = key.startsWith("h");
  const matchers = isHeader
    ? (match.headers ?? []).filter((one) => one.name?.toLowerCase() === name)
    : (match.query_parameters ?? []).filter((one) => one.name === name);
  const texts = matchers.flatMap(({ string_match }) => (string_match ? textsFor(string_match) : []));
  if (isHeader && name === ":method") return [...texts, ...methods].map((method) => ({ ...draft, method }));
  return [undefined, ...texts, "other", "1"].map((value) => {
    const changed = new Map(isHeader ? draft.headers : draft.query);
    if (value === undefined) changed.delete(name);
    else changed.set(name, value);
    return isHeader ? { ...draft, headers: changed } : { ...draft, query: changed };
  });
}

/** Whether the conditions on one header or parameter are met. */
function meets({ method, headers, query }: Draft, key: string, match: RouteMatch): boolean {
  const name = key.slice(2);
  const part: RouteMatch = key.startsWith("h")
    ? { prefix: "", headers: (match.headers ?? []).filter((one) => one.name?.toLowerCase() === name) }
    : { prefix: "", query_parameters: (match.query_parameters ?? []).filter((one) => one.name === name) };
  const text = [...query].map(([parameter, value]) => `${parameter}=${value}`).join("&");
  const all = new Map([...headers, [":method", method]]);
  return (
    mismatch(part, { method, host: "", path: "/", query: text || undefined, headers: all }) === undefined
  );
}

/** Texts that meet a matcher. */
function textsFor({ exact, prefix, suffix, contains, safe_regex }: StringMatcher): string[] {
  if (safe_regex) return regexExamples(safe_regex.regex ?? "");
  const text = prefix ?? suffix ?? contains ?? exact ?? "";
  return text === "" ? [""] : [text, `${text}-other`];
}
