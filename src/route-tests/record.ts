import type { HeaderChange } from "../explain/explanation.js";
import type { HostNode } from "../explain/graph.js";
import { isSensitiveHeader, notShown } from "../explain/served-config.js";
import type { RouteOrigin } from "../graph/core/route-origins.js";
import type { RequestText } from "../schema/route-tests.js";
import type { Observed } from "./observed.js";

/** A route, or a connection that is passed on, of the served configuration. */
export interface Recordable {
  readonly host: string;
  /** The match of the route, as text; undefined for a connection. */
  readonly match: string | undefined;
  readonly origin: RouteOrigin | undefined;
  /** A request that gets to the route; undefined when none is known. */
  readonly request: RequestText | undefined;
}

/** The recordable routes and connections of hosts, in their order. */
export function recordables(hosts: readonly HostNode[]): Recordable[] {
  return hosts.flatMap(({ host, tables, tls, elsewhere = {} }) => [
    ...Object.values(tables).flatMap((routes) =>
      routes.map(({ match, origin, request }): Recordable => ({ host, match, origin, request })),
    ),
    ...[...(tls ? [tls] : []), ...Object.values(elsewhere)].flatMap(({ request }): Recordable[] =>
      request ? [{ host, match: undefined, origin: undefined, request }] : [],
    ),
  ]);
}

type Fields = Readonly<Record<string, unknown>>;

/** The test for the result of a request, in the form of a test file. */
export function recordedTest({ method, url, headers, ...choice }: RequestText, observed: Observed): Fields {
  const map = Object.fromEntries(headers.map((line) => line.split(/: (.*)/s) as [string, string]));
  const isPlain = headers.length === 0 && Object.keys(choice).length === 0;
  const request = isPlain
    ? `${method} ${url}`
    : { method, url, ...choice, ...(headers.length > 0 ? { headers: map } : {}) };
  return { request, expect: expectationOf(observed, sentBy(url, map.host)) };
}

/** The path and host in the request to a backend without rewrites. */
function sentBy(
  url: string,
  hostHeader: string | undefined,
): { readonly path: string; readonly host: string } {
  const [, place = "", path = ""] = /^\w+:\/\/([^/?]+)([^?]*)/.exec(url) ?? [];
  return { path: path || "/", host: hostHeader ?? place };
}

function expectationOf(observed: Observed, sent: ReturnType<typeof sentBy>): Fields {
  const { outcome, backends, status, location, path, hosts, requestHeaders, responseHeaders } = observed;
  if (outcome === "closed") return { closed: true };
  const isPassed = outcome === "forward" || outcome === "tcp";
  const [first] = backends;
  const shares = Object.fromEntries(backends.map(({ service, weight }) => [service, weight]));
  const request = withValue(requestHeaders);
  const response = withValue(responseHeaders);
  return {
    ...(isPassed && first && backends.length === 1 ? { backend: first.service } : {}),
    ...(isPassed && backends.length > 1 ? { weights: shares } : {}),
    ...(isPassed || status === undefined ? {} : { status }),
    ...(location === undefined ? {} : { location }),
    ...(path === undefined || path === sent.path ? {} : { path }),
    ...(hosts.length === 1 && hosts[0] !== sent.host ? { host: hosts[0] } : {}),
    ...(request ? { requestHeaders: request } : {}),
    ...(response ? { responseHeaders: response } : {}),
    tls: tlsOf(observed),
    ...protectionsOf(observed),
  };
}

/** The header changes for all backends. Values that may be credentials are left out. */
function withValue(changes: readonly HeaderChange[]): Fields | undefined {
  const shared = changes.filter(({ service }) => service === undefined);
  const isOpen = ({ name, value }: HeaderChange): boolean => value !== notShown && !isSensitiveHeader(name);
  const set = shared.filter((change) => change.action !== "remove" && isOpen(change));
  const setAny = shared.filter((change) => change.action !== "remove" && !isOpen(change));
  const removed = shared.filter(({ action }) => action === "remove");
  const namesOf = (some: readonly HeaderChange[]): string[] => [...new Set(some.map(({ name }) => name))];
  const fields = {
    ...(set.length > 0 ? { set: Object.fromEntries(set.map(({ name, value }) => [name, value])) } : {}),
    ...(setAny.length > 0 ? { setAny: namesOf(setAny) } : {}),
    ...(removed.length > 0 ? { removed: namesOf(removed) } : {}),
  };
  return Object.keys(fields).length > 0 ? fields : undefined;
}

function tlsOf({ tls }: Observed): Fields | string {
  if (typeof tls !== "object") return tls ?? "none";
  const { certificates, minimum, clientCertificate } = tls;
  const [certificate] = certificates ?? [];
  return {
    ...(certificate ? { certificate } : {}),
    ...(minimum ? { minimumVersion: minimum } : {}),
    clientCertificate,
  };
}

const units: Readonly<Record<number, string>> = { 1: "second", 60: "minute", 3600: "hour" };

function protectionsOf({ protections }: Observed): Fields {
  const {
    authorization,
    jwt,
    localRateLimit: local,
    globalRateLimit: global,
    addresses,
    password,
  } = protections;
  const unit = local && units[local.seconds];
  const rateLimit = local
    ? unit
      ? `${local.requests}/${unit}`
      : "local"
    : global === undefined
      ? undefined
      : "global";
  const found = {
    ...(authorization === undefined ? {} : { authorization }),
    ...(jwt === undefined ? {} : { jwt }),
    ...(password ? { password } : {}),
    ...(rateLimit === undefined ? {} : { rateLimit }),
    ...(addresses ? { addresses: { [addresses.action]: addresses.ranges } } : {}),
  };
  return Object.keys(found).length > 0 ? { protections: found } : {};
}
