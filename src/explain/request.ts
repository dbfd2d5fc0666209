import ipaddr from "ipaddr.js";
import {
  hasEscapedSlash,
  mergeSlashes,
  normalizePath,
  unescapeSlashes,
} from "../graph/matches/normalize-path.js";
import type { SettingsSpec } from "../schema/settings.js";
import { RequestSyntaxError } from "./request-error.js";

/** A request as a client sends it. */
export interface ClientRequest extends ListenerChoice {
  readonly method: string;
  readonly scheme: "http" | "https";
  /** The Host header: a name, with a port if the URL has one. */
  readonly authority: string;
  /** The port in the URL, if any. */
  readonly port?: number;
  /** The IP address in the URL, if its host is one. */
  readonly target?: string;
  /** The server name in the client's TLS handshake, in lower case; empty for addresses. */
  readonly serverName: string;
  /** The path before Envoy's normalization; begins with a slash. */
  readonly path: string;
  /** The text after `?`; undefined without one. */
  readonly query: string | undefined;
  /** Names in lower case; several values of one name are joined with commas, as Envoy matches them. */
  readonly headers: ReadonlyMap<string, string>;
}

/** A connection whose content Envoy does not read. */
export interface ClientConnection extends ListenerChoice {
  readonly scheme: "tcp" | "tls" | "udp";
  /** The host of the URL. */
  readonly authority: string;
  readonly port: number;
  readonly target?: string;
  /** The server name in the client's TLS handshake, in lower case; empty without TLS and for addresses. */
  readonly serverName: string;
}

/** What selects one of several listeners that have a host on a port. */
export interface ListenerChoice {
  /** `namespace/name` of a Gateway. */
  readonly gateway?: string;
  /** An IP address that its listener is bound to. */
  readonly address?: string;
}

const token = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;

/**
 * Parses a request from a command line.
 *
 * @param headers lines of `name: value`; `Host` replaces the host of the URL.
 * @throws RequestSyntaxError
 */
export function readRequest(
  method: string,
  url: string,
  headers: readonly string[] = [],
  choice: ListenerChoice = {},
): ClientRequest {
  if (!token.test(method)) throw new RequestSyntaxError(`${method}: not an HTTP method`);
  const [, scheme, place = "", path, query] =
    /^(https?):\/\/([^/?#]+)([^?#]*)(?:\?([^#]*))?/i.exec(url) ?? [];
  if (!scheme) throw new RequestSyntaxError(`${url}: expected http://HOST/PATH or https://HOST/PATH`);
  if (!/^(?:[^\s@:[\]]+|\[[0-9a-f:.]+\])(?::\d+)?$/i.test(place))
    throw new RequestSyntaxError(`${url}: ${place} is not a host`);
  const { host, others } = readHeaders(headers);
  const name = hostName(place);
  return {
    method,
    scheme: scheme.toLowerCase() === "https" ? "https" : "http",
    authority: host ?? place,
    ...portOf(place),
    serverName: isAddress(name) ? "" : name,
    path: encode(path || "/"),
    query: query === undefined ? undefined : encode(query),
    headers: others,
    ...targetOf(place),
    ...readChoice(choice),
  };
}

/**
 * Parses a connection: `tcp://HOST:PORT`, `udp://HOST:PORT`, or `tls://SERVER_NAME:PORT`.
 *
 * @throws RequestSyntaxError
 */
export function readConnection(url: string, choice: ListenerChoice = {}): ClientConnection {
  const [, scheme = "", place = ""] = /^(tcp|tls|udp):\/\/([^/?#]+)\/?$/i.exec(url) ?? [];
  const { port: found } = portOf(place);
  if (!/^(?:[^\s@:[\]]+|\[[0-9a-f:.]+\]):\d+$/i.test(place) || found === undefined)
    throw new RequestSyntaxError(
      `${url}: expected tcp://HOST:PORT, tls://SERVER_NAME:PORT or udp://HOST:PORT`,
    );
  const name = hostName(place);
  const lower = scheme.toLowerCase() as ClientConnection["scheme"];
  return {
    scheme: lower,
    authority: place,
    port: found,
    serverName: lower !== "tls" || isAddress(name) ? "" : name,
    ...targetOf(place),
    ...readChoice(choice),
  };
}

/** Whether a URL is that of a connection whose content Envoy does not read. */
export const isConnectionUrl = (url: string): boolean => /^(?:tcp|tls|udp):\/\//i.test(url);

/** Parses an HTTP request, or with a URL of another scheme a connection. @throws RequestSyntaxError */
export const readAsked = (
  method: string,
  url: string,
  headers: readonly string[],
  choice: ListenerChoice,
): ClientRequest | ClientConnection =>
  isConnectionUrl(url) ? readConnection(url, choice) : readRequest(method, url, headers, choice);

function readChoice({ gateway, address }: ListenerChoice): ListenerChoice {
  if (gateway !== undefined && !/^[^\s/]+\/[^\s/]+$/.test(gateway))
    throw new RequestSyntaxError(`${gateway}: expected a Gateway as NAMESPACE/NAME`);
  const plain = address?.replace(/^\[(.*)\]$/, "$1");
  if (plain !== undefined && !ipaddr.isValid(plain))
    throw new RequestSyntaxError(`${address}: expected an IP address`);
  return {
    ...(gateway === undefined ? {} : { gateway }),
    ...(plain === undefined ? {} : { address: plain }),
  };
}

function targetOf(place: string): Pick<ClientRequest, "target"> {
  const name = hostName(place);
  return isAddress(name) ? { target: name.replace(/^\[(.*)\]$/, "$1") } : {};
}

function readHeaders(lines: readonly string[]): { host?: string; others: Map<string, string> } {
  const others = new Map<string, string>();
  let host: string | undefined;
  for (const line of lines) {
    const colon = line.indexOf(":");
    const name = line.slice(0, colon).trim().toLowerCase();
    if (colon < 0 || !token.test(name)) throw new RequestSyntaxError(`-H ${line}: expected 'name: value'`);
    const value = line.slice(colon + 1).trim();
    if (name === "host") host = value;
    else others.set(name, others.has(name) ? `${others.get(name)},${value}` : value);
  }
  return host === undefined ? { others } : { host, others };
}

/** A client escapes the characters that a request line can't contain. */
const encode = (text: string): string =>
  text.replace(/[^\x21-\x7e]+/g, (part) => encodeURIComponent(part.toWellFormed()));

const port = /:\d+$/;

/** A host without its port, in lower case, as Envoy compares hosts. */
export const hostName = (authority: string): string => authority.toLowerCase().replace(port, "");

function portOf(place: string): Pick<ClientRequest, "port"> {
  const found = port.exec(place)?.[0];
  return found ? { port: Number(found.slice(1)) } : {};
}

const isAddress = (host: string): boolean => host.startsWith("[") || /^\d+(?:\.\d+){3}$/.test(host);

/** How a connection manager changes a request before routing. */
export interface Normalization {
  /** The handling of `%2f` and `%5c` in the path. */
  readonly escapedSlashes: SettingsSpec["escapedSlashes"];
  readonly normalizePath: boolean;
  readonly mergeSlashes: boolean;
  readonly stripTrailingHostDot: boolean;
}

/** A request as a route table receives it. */
export interface SeenRequest {
  readonly method: string;
  /** Lower case, without its port. */
  readonly host: string;
  /** Normalized, without a query. */
  readonly path: string;
  readonly query: string | undefined;
  /** Includes pseudo headers. */
  readonly headers: ReadonlyMap<string, string>;
}

/** Undefined when Envoy refuses the path (400). */
export function seenRequest(request: ClientRequest, options: Normalization): SeenRequest | undefined {
  if (options.escapedSlashes === "reject" && hasEscapedSlash(request.path)) return undefined;
  const written = options.escapedSlashes === "unescape" ? unescapeSlashes(request.path) : request.path;
  const normal = options.normalizePath ? normalizePath(written) : written;
  if (normal === undefined) return undefined;
  const path = options.mergeSlashes ? mergeSlashes(normal) : normal;
  const authority = options.stripTrailingHostDot
    ? request.authority.replace(/\.(?=(?::\d+)?$)/, "")
    : request.authority;
  const { method, query, scheme } = request;
  return {
    method,
    host: hostName(authority),
    path,
    query,
    headers: new Map([
      ...request.headers,
      [":method", method],
      [":authority", authority],
      [":scheme", scheme],
      [":path", query === undefined ? path : `${path}?${query}`],
      // Envoy overwrites this header of untrusted clients.
      ["x-forwarded-proto", scheme],
    ]),
  };
}
