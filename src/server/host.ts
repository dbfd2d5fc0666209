import type { Refusal } from "./auth.js";

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/** What the bootstrap calls the xDS cluster of a loopback URL, where it is given no other name. */
const usualName = "isoline";

const isOwn = (host: string, name: string): boolean =>
  loopback.test(host) ||
  [usualName, name.toLowerCase()].includes(host.toLowerCase().replace(/:\d{1,5}$/, ""));

/**
 * Where no token is asked for, a web page in a browser on this machine could read keys: it reaches a loopback address under a host name
 * of its own (DNS rebinding), or writes across origins without reading. So requests come under a loopback name or address, or under the
 * xDS cluster's name, which Envoy sends as `Host`; and one with an `Origin` comes from the server's own page.
 *
 * @returns Why a request is not let in; undefined when it is.
 */
export function refuseForeignPage(request: Request, xdsCluster: string): Refusal | undefined {
  const host = request.headers.get("host") ?? new URL(request.url).host;
  if (!isOwn(host, xdsCluster))
    return {
      status: 421,
      code: "wrong-host",
      detail: `a server without tokens answers to the Host localhost, 127.0.0.1, [::1], ${usualName} and the setting xdsCluster (${xdsCluster}) alone; start it with --tokens for other names`,
      headers: {},
    };
  const origin = request.headers.get("origin");
  if (origin === null || (URL.canParse(origin) && new URL(origin).host === host.toLowerCase()))
    return undefined;
  return {
    status: 403,
    code: "other-origin",
    detail: "a server without tokens takes no requests from pages of other origins",
    headers: {},
  };
}
