import type { Refusal } from "./auth.js";

const loopback = /^(?:localhost|127(?:\.\d{1,3}){3}|\[::1\])(?::\d{1,5})?$/i;

/** The default name of the xDS cluster in a bootstrap with a loopback URL. */
const usualName = "isoline";

const isOwn = (host: string, name: string): boolean =>
  loopback.test(host) ||
  [usualName, name.toLowerCase()].includes(host.toLowerCase().replace(/:\d{1,5}$/, ""));

/**
 * Without tokens, a web page in a browser on this machine could read keys: it can reach a loopback address under its
 * own host name (DNS rebinding), or write across origins without reading. Requests must therefore have a loopback name
 * or address as `Host`, or the name of the xDS cluster, which Envoy sends; and a request with an `Origin` must come
 * from the server's own page.
 *
 * @returns Why a request is refused; undefined when it is permitted.
 */
export function refuseForeignPage(request: Request, xdsCluster: string): Refusal | undefined {
  const host = request.headers.get("host") ?? new URL(request.url).host;
  if (!isOwn(host, xdsCluster))
    return {
      status: 421,
      code: "wrong-host",
      detail: `a server without tokens accepts only the Host localhost, 127.0.0.1, [::1], ${usualName} and the setting xdsCluster (${xdsCluster}); start it with --tokens for other names`,
      headers: {},
    };
  const origin = request.headers.get("origin");
  if (origin === null || (URL.canParse(origin) && new URL(origin).host === host.toLowerCase()))
    return undefined;
  return {
    status: 403,
    code: "other-origin",
    detail: "a server without tokens accepts no requests from pages of other origins",
    headers: {},
  };
}
