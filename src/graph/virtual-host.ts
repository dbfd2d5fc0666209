import { anyHost } from "./claims.js";
import { warnOfEscapedSlashes } from "./escaped-slashes.js";
import { elsewhereOf, type Others, readGatewayHost, withListeners } from "./gateway/host.js";
import { withOwner } from "./host-owners.js";
import { proxiesOf, type Root, readProxyRoot } from "./httpproxy.js";
import { type Ingress, type IngressHost, ingressesOf, readIngresses, securingIngresses } from "./ingress.js";
import { ingressRoutesOf, readIngressRouteRoot } from "./ingressroute.js";
import { ingressHttp, ingressHttps } from "./listener-names.js";
import { orderRoutes } from "./order.js";
import type { Reader, Report } from "./reader.js";
import { append } from "./tree-budget.js";
import type { Route, Tls, VirtualHost } from "./types.js";

/** The synthetic header of wildcard hosts: one label, as Kubernetes and Contour read `*.x`. */
const wildcard = (host: string): Route["match"]["headers"][number] => ({
  name: ":authority",
  kind: "regex",
  value: `(?i)[a-z0-9]([-a-z0-9]*[a-z0-9])?${host.slice(1).replaceAll(".", "\\.")}(:[0-9]+)?`,
  invert: false,
  ignoreCase: false,
  treatMissingAsEmpty: false,
});

/** What those Ingresses say that may have the host, which is TLS only where there are rules. */
function readIngressHost(
  claimants: readonly Ingress[],
  host: string,
  allowed: (found: readonly Ingress[]) => readonly Ingress[],
  reader: Reader,
  report: Report,
): IngressHost {
  const ingresses = allowed(claimants);
  if (ingresses.length === 0 || host === anyHost) return readIngresses(ingresses, [], host, reader, report);
  const known = new Set(claimants.map(({ ref }) => ref));
  const others = allowed(securingIngresses(host, reader).filter(({ ref }) => !known.has(ref)));
  return readIngresses(ingresses, others, host, reader, report);
}

/**
 * Gathers what every API says of a host. On the same match a route of the Gateway API replaces an HTTPProxy's, that an
 * IngressRoute's, and that an Ingress's.
 */
export function buildVirtualHost(host: string, reader: Reader, report: Report): VirtualHost {
  const claimants = reader.claimants(`vhost:${host}`);
  const allowed = <T extends Parameters<typeof withOwner>[0][number]>(found: readonly T[]): readonly T[] =>
    withOwner(found, host, reader, report);
  const all: Others = {
    ingress: readIngressHost(ingressesOf(claimants, reader), host, allowed, reader, report),
    roots: [
      readIngressRouteRoot(allowed(ingressRoutesOf(claimants, reader)), reader, report),
      readProxyRoot(allowed(proxiesOf(claimants, reader)), reader, report),
    ].filter((root): root is Root => root !== undefined),
  };
  const gateway = readGatewayHost(host, reader, report);
  const others = gateway ? withListeners(gateway, all, report) : all;
  const root = others.roots.at(-1);
  const main = gateway?.ports.get(ingressHttps);
  const { http, https, ...terminal } = merge(others);
  const ported = [...(gateway?.ports.values() ?? [])].map(({ routes }) => routes);
  warnOfEscapedSlashes([http, https, ...ported], reader, report);
  // The certificate is the listener's, what an HTTPProxy asks of clients stays.
  const tlsOfBoth = main?.tls && { ...main.tls, ...terminal.tls, secret: main.tls.secret };
  const { tls, tcp } = main?.tcp ? main : tlsOfBoth ? { tls: tlsOfBoth, tcp: undefined } : terminal;
  const elsewhere = gateway && elsewhereOf(host, gateway);
  return {
    host,
    http: finish([...http, ...(gateway?.ports.get(ingressHttp)?.routes ?? [])], host),
    https: finish([...https, ...(main?.routes ?? [])], host),
    ...(tls ? { tls } : {}),
    ...(tcp ? { tcp } : {}),
    policies: root?.host?.policies ?? {},
    jwtProviders: root?.host?.jwt.providers ?? [],
    ...(root?.host?.authorization ? { authorization: root.host.authorization } : {}),
    ...(root?.fallback && !tcp ? { fallback: root.fallback } : {}),
    ...(gateway ? { websockets: true } : {}),
    ...(elsewhere?.size ? { elsewhere } : {}),
  };
}

/** What Ingresses and roots do for a host over plain HTTP and over TLS. */
function merge({ ingress, roots }: Others): Pick<VirtualHost, "http" | "https" | "tls" | "tcp"> {
  const http = [...ingress.http];
  const https = [...ingress.https];
  let tls: Tls | undefined = ingress.tls;
  let tcp: VirtualHost["tcp"];
  for (const root of roots) {
    append(http, root.routes);
    if (!root.secure) continue;
    if (root.tls) tls = root.tls;
    if (root.tcp?.length) tcp = root.tcp;
    if (!root.tcp) append(https, root.routes);
    if (root.passthrough || root.tcp?.length === 0) tls = undefined;
  }
  return { http, https, ...(tls ? { tls } : {}), ...(tcp ? { tcp } : {}) };
}

function finish(routes: readonly Route[], host: string): Route[] {
  if (!host.startsWith("*.")) return orderRoutes(routes);
  const extra = wildcard(host);
  return orderRoutes(
    routes.map((route) =>
      route.spansLabels
        ? route
        : { ...route, match: { ...route.match, headers: [extra, ...route.match.headers] } },
    ),
  );
}
