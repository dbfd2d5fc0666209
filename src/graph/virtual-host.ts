<<<<<<< HEAD
import { closedListeners } from "./closed-listeners.js";
import { type GatewayView, readGateway } from "./gateway/gateway.js";
import { missingListeners, readGatewaySites } from "./gateway/host.js";
import { type HostClaims, keepersOf, readHostClaims, withOwners } from "./host-owners.js";
import { readIngresses } from "./ingress.js";
=======
import { anyHost } from "./claims.js";
import { warnOfEscapedSlashes } from "./escaped-slashes.js";
import { elsewhereOf, type Others, readGatewayHost, withListeners } from "./gateway/host.js";
import { withOwner } from "./host-owners.js";
import { proxiesOf, type Root, readProxyRoot } from "./httpproxy.js";
import { type Ingress, type IngressHost, ingressesOf, readIngresses, securingIngresses } from "./ingress.js";
import { ingressRoutesOf, readIngressRouteRoot } from "./ingressroute.js";
>>>>>>> w-rewrite
import { ingressHttp, ingressHttps } from "./listener-names.js";
import { createReport, type Reader, type Report } from "./reader.js";
import type { Root } from "./root.js";
import { readRoot } from "./roots.js";
import { joinSites } from "./sites.js";
import type { Sites, VirtualHost } from "./types.js";

/**
 * Gathers what every API says of a host. Who has it on a listener is the first of: routes of the Gateway API, the root
 * (HTTPProxy or IngressRoute), Ingresses.
 */
export function buildVirtualHost(host: string, reader: Reader, report: Report): VirtualHost {
  const view = readGateway(reader);
  const claims = readClaims(host, view, reader, report);
  const sites = readSites(host, claims, view, reader, report);
  const isKeeper = keepersOf(host, claims, reader);
  const sitesOf = (wider: string): Sites => {
    const quiet = createReport();
    return readSites(wider, readClaims(wider, view, reader, quiet), view, reader, quiet);
  };
<<<<<<< HEAD
=======
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
>>>>>>> w-rewrite
  return {
    host,
    sites,
    closed: isKeeper ? closedListeners({ host, sites, isKeeper }, sitesOf, reader) : noneClosed,
    ...(view ? { websockets: true } : {}),
  };
}

const noneClosed: VirtualHost["closed"] = new Map();

const readClaims = (
  host: string,
  view: GatewayView | undefined,
  reader: Reader,
  report: Report,
): HostClaims => withOwners(host, readHostClaims(host, view, reader), view, reader, report);

function readSites(
  host: string,
  { roots, ingresses, routes }: HostClaims,
  view: GatewayView | undefined,
  reader: Reader,
  report: Report,
): Sites {
  const root = readRoot(roots, reader, report);
  const ingress = readIngresses(ingresses, host, reader, report);
  const gateway = readGatewaySites(host, routes, reader, report);
  const others = view ? withListeners(view, root, ingress, report) : [root?.sites ?? noSites, ingress];
  return joinSites(host, [gateway, ...others], report);
}

const noSites: Sites = new Map();

/**
 * As much of what a root and Ingresses make of a host as the Gateway has listeners for. As with Contour, a root that asks for
 * another is not served at all; who asks is told.
 */
function withListeners(
  view: GatewayView,
  root: Root | undefined,
  ingress: Sites,
  report: Report,
): readonly Sites[] {
  const missing = missingListeners(view);
  if (missing.size === 0) return [root?.sites ?? noSites, ingress];
  const asked = root?.secure ? (["HTTP", "HTTPS"] as const) : (["HTTP"] as const);
  const lacking = asked.filter((kind) => missing.has(kind));
  const tell = (about: Root["ref"], kind: "HTTP" | "HTTPS"): void =>
    report.error(about, "ListenerError", "ErrorIdentifyingListener", `no ${kind} listener configured`);
  if (root) for (const kind of lacking) tell(root.ref, kind);
  if (missing.has("HTTP"))
    for (const from of new Set(ingress.get(ingressHttp)?.routes.map((route) => route.from)))
      tell(from, "HTTP");
  const kept = [...ingress].filter(
    ([listener]) => !missing.has("HTTP") && (listener !== ingressHttps || !missing.has("HTTPS")),
  );
  return [lacking.length > 0 ? noSites : (root?.sites ?? noSites), new Map(kept)];
}
