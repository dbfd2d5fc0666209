import type { Conversion } from "./conversion.js";
import type { SourceRoute, SourceSite } from "./model.js";
import { isSameTreatment } from "./order.js";
import { isToHttps } from "./writers/httpproxy-route.js";

/**
 * Joins two routes with the same match, one for HTTP and one for HTTPS, on hosts with TLS. Sources such as Traefik have
 * such pairs. If the two differ, an HTTPProxy keeps the HTTPS route, and HTTP redirects to it.
 */
export function joinListeners(
  routes: readonly SourceRoute[],
  sites: readonly SourceSite[],
  conversion: Conversion,
): SourceRoute[] {
  const secure = new Set(sites.flatMap(({ host, tls }) => (tls.kind === "terminate" ? [host] : [])));
  const plainOf = new Map<string, SourceRoute>();
  const secureOf = new Map<string, SourceRoute>();
  const keyOf = (host: string, { match }: SourceRoute): string => JSON.stringify([host, match]);
  for (const route of routes)
    for (const host of route.hosts) {
      if (!secure.has(host)) continue;
      const map = isPlain(route) ? plainOf : isSecure(route) ? secureOf : undefined;
      const key = keyOf(host, route);
      if (map && !map.has(key)) map.set(key, route);
    }
  if (plainOf.size === 0 || secureOf.size === 0) return [...routes];
  return routes.flatMap((route) => {
    const variants = new Map<SourceRoute | undefined, { route: SourceRoute; hosts: string[] }>();
    for (const host of route.hosts) {
      const [plain, secured] = [plainOf.get(keyOf(host, route)), secureOf.get(keyOf(host, route))];
      const made = plain && secured ? joined(route, { plain, secured, host }, conversion) : route;
      if (!made) continue;
      const key = made === route ? undefined : plain;
      const variant = variants.get(key) ?? { route: made, hosts: [] };
      variant.hosts.push(host);
      variants.set(key, variant);
    }
    return [...variants.values()].map((variant) => ({ ...variant.route, hosts: variant.hosts }));
  });
}

const isPlain = ({ http, https }: SourceRoute): boolean => http !== "none" && !https;
const isSecure = ({ http, https }: SourceRoute): boolean => http === "none" && https;

interface Pair {
  readonly plain: SourceRoute;
  readonly secured: SourceRoute;
  readonly host: string;
}

/** The result for one route of a pair; undefined if the HTTPS route of the pair replaces it. */
function joined(
  route: SourceRoute,
  { plain, secured, host }: Pair,
  conversion: Conversion,
): SourceRoute | undefined {
  if (route !== plain && route !== secured) return route;
  const redirects = plain.action.kind === "redirect" && !plain.closed && isToHttps(plain.action.redirect);
  const status = plain.action.kind === "redirect" ? plain.action.redirect.status : 0;
  const isSame = isSameTreatment(plain, secured) && plain.closed === secured.closed;
  if (redirects && (status === 301 || status === 302 || status === 303 || status === 307 || status === 308))
    return route === plain
      ? undefined
      : { ...secured, http: status, parts: [...secured.parts, ...plain.parts] };
  if (isSame)
    return route === plain
      ? undefined
      : { ...secured, http: "serve", parts: [...secured.parts, ...plain.parts] };
  if (conversion.options.to === "gateway" || route === secured) return route;
  const [part] = plain.parts;
  if (part)
    conversion.remark(
      "error",
      part,
      "is not the same over HTTP and over HTTPS, which HTTPProxy can't say: HTTP redirects to HTTPS",
      {
        hosts: [host],
        todo: "let both be the same, or convert with --to gateway",
      },
    );
  return undefined;
}
