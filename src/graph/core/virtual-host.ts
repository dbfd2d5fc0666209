import { type GatewayView, readGateway } from "../api/gateway/gateway.js";
import { missingListeners, readGatewaySites } from "../api/gateway/host.js";
import { readIngresses } from "../api/ingress/ingress.js";
import { readNginxSites } from "../api/ingress-nginx/ingress-nginx.js";
import { warnOfEscapedSlashes } from "../matches/escaped-slashes.js";
import { closedListeners } from "./closed-listeners.js";
import { type HostClaims, keepersOf, readHostClaims, withOwners } from "./host-owners.js";
import { ingressHttp, ingressHttps } from "./listener-names.js";
import type { Sites, VirtualHost } from "./nodes.js";
import { createReport, type Reader, type Report } from "./reader.js";
import type { Root } from "./root.js";
import { readRoot } from "./roots.js";
import { claimFinding } from "./sharing.js";
import { joinSites } from "./sites.js";

/**
 * Collects the sites of a host from every API. The precedence on a listener is: routes of the Gateway API, the root
 * (HTTPProxy or IngressRoute), Ingresses.
 */
export function buildVirtualHost(host: string, reader: Reader, report: Report): VirtualHost {
  const view = readGateway(reader);
  const claims = readClaims(host, reader, report);
  const sites = readSites(host, claims, view, reader, report);
  warnOfEscapedSlashes(
    [...sites.values()].map(({ routes }) => routes),
    reader,
    report,
  );
  const isKeeper = keepersOf(host, claims, reader);
  const sitesOf = (wider: string): Sites => {
    const quiet = createReport();
    return readSites(wider, readClaims(wider, reader, quiet), view, reader, quiet);
  };
  return {
    host,
    sites,
    closed: isKeeper ? closedListeners({ host, sites, isKeeper }, sitesOf, reader) : noneClosed,
    ...(view ? { websockets: true } : {}),
  };
}

const noneClosed: VirtualHost["closed"] = new Map();

const readClaims = (host: string, reader: Reader, report: Report): HostClaims =>
  withOwners(host, readHostClaims(host, reader), reader, report);

function readSites(
  host: string,
  { roots, ingresses, nginx, routes }: HostClaims,
  view: GatewayView | undefined,
  reader: Reader,
  report: Report,
): Sites {
  const found = readRoot(roots, reader, report);
  const gateway = readGatewaySites(host, routes, reader, report);
  if (found === "contested") refuseIngresses(host, [...ingresses, ...nginx], report);
  const isContested = found === "contested";
  const root = isContested ? undefined : found;
  const isTaken = roots.length + ingresses.length + routes.size > 0;
  const ofIngresses = isContested
    ? []
    : [readIngresses(ingresses, host, reader, report), readNginxSites(nginx, host, reader, report, isTaken)];
  const others = view
    ? withListeners(view, root, ofIngresses, report)
    : [root?.sites ?? noSites, ...ofIngresses];
  return joinSites(host, [gateway, ...others], report);
}

/** A second root, which takes a host out of service, must not make room for an Ingress of the same tenant. */
function refuseIngresses(host: string, ingresses: HostClaims["ingresses"], report: Report): void {
  const message = `host ${JSON.stringify(host)} has roots in several namespaces: neither these nor Ingresses are served; keep one root`;
  for (const { ref } of ingresses)
    report.error(ref, claimFinding(ref), "HostOfAnotherObject", message, "spec.rules");
}

const noSites: Sites = new Map();

/**
 * The sites of a root and of Ingresses for which the Gateway has a listener. As in Contour, a root that needs a
 * missing listener is not served at all. The objects concerned get an error.
 */
function withListeners(
  view: GatewayView,
  root: Root | undefined,
  ingresses: readonly Sites[],
  report: Report,
): readonly Sites[] {
  const missing = missingListeners(view);
  if (missing.size === 0) return [root?.sites ?? noSites, ...ingresses];
  const asked = root?.secure ? (["HTTP", "HTTPS"] as const) : (["HTTP"] as const);
  const lacking = asked.filter((kind) => missing.has(kind));
  const fail = (about: Root["ref"], kind: "HTTP" | "HTTPS"): void =>
    report.error(about, "ListenerError", "ErrorIdentifyingListener", `no ${kind} listener configured`);
  if (root) for (const kind of lacking) fail(root.ref, kind);
  if (missing.has("HTTP"))
    for (const from of new Set(
      ingresses.flatMap((sites) => sites.get(ingressHttp)?.routes ?? []).map((route) => route.from),
    ))
      fail(from, "HTTP");
  const keep = (sites: Sites): Sites =>
    new Map(
      [...sites].filter(
        ([listener]) => !missing.has("HTTP") && (listener !== ingressHttps || !missing.has("HTTPS")),
      ),
    );
  return [lacking.length > 0 ? noSites : (root?.sites ?? noSites), ...ingresses.map(keep)];
}
