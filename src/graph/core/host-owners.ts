import type { ErrorCode } from "../../schema/finding-codes.js";
import type { FindingType } from "../../schema/finding-types.js";
import { servesGateways } from "../../schema/gateway-settings.js";
import type { ObjectMeta, Ref } from "../../schema/meta.js";
import { type AttachedRoutes, attachedRoutes } from "../api/gateway/host.js";
import { widerThan } from "../api/gateway/hostnames.js";
import { proxiesOf } from "../api/httpproxy/httpproxy.js";
import { type Ingress, ingressesOf, nginxIngressesOf } from "../api/ingress/ingress.js";
import { ingressRoutesOf } from "../api/ingressroute/ingressroute.js";
import { isRootNamespace } from "./class.js";
import { hostUnit } from "./keys.js";
import { ownersOf } from "./owners.js";
import type { Reader, Report } from "./reader.js";
import type { RootObject } from "./roots.js";
import { claimFinding } from "./sharing.js";

/** The objects of all kinds that claim one host. */
export interface HostClaims {
  readonly roots: readonly RootObject[];
  /** The last one takes precedence. */
  readonly ingresses: readonly Ingress[];
  /** Those that are served as ingress-nginx serves them, the oldest first. */
  readonly nginx: readonly Ingress[];
  readonly routes: AttachedRoutes;
}

export function readHostClaims(host: string, reader: Reader): HostClaims {
  const claimants = reader.claimants(hostUnit(host));
  return {
    roots: [...proxiesOf(claimants, reader), ...ingressRoutesOf(claimants, reader)],
    ingresses: ingressesOf(claimants, reader),
    nginx: nginxIngressesOf(claimants, reader),
    routes: servesGateways(reader.settings) ? attachedRoutes(host, reader) : new Map(),
  };
}

interface Claimant {
  readonly ref: Ref;
  readonly kind: string;
  readonly meta: ObjectMeta;
}

/** The field in which each kind names its hosts. */
const paths: Readonly<Record<string, string>> = {
  Ingress: "spec.rules",
  HTTPRoute: "spec.hostnames",
  GRPCRoute: "spec.hostnames",
  TLSRoute: "spec.hostnames",
  TCPRoute: "spec.parentRefs",
  UDPRoute: "spec.parentRefs",
};

/** Why an object may not have a host. The reasons and messages for roots outside the root namespaces are Contour's. */
interface Refusal {
  readonly type: FindingType;
  readonly reason: ErrorCode;
  readonly message: string;
  readonly path: string;
}

/**
 * Keeps the claims of objects that may have the host according to the settings `hostOwners` and `rootNamespaces`, and
 * reports an error for each other object. An entry of `hostOwners` takes precedence over `rootNamespaces`, except for
 * roots, which need both.
 */
export function withOwners(host: string, claims: HostClaims, reader: Reader, report: Report): HostClaims {
  const { settings } = reader;
  if (settings.hostOwners.length + settings.rootNamespaces.length === 0) return claims;
  const owners = ownersOf(host, settings);
  const named = filterClaims(claims, ({ ref, kind, meta }) => {
    if (!owners || owners.includes(meta.namespace)) return true;
    const message = `host "${host}" is reserved for objects in ${owners.join(", ")} (setting hostOwners)`;
    return refuse(ref, {
      type: claimFinding(ref),
      reason: "HostNotAllowedInNamespace",
      message,
      path: pathOf(kind),
    });
  });
  let held: boolean | undefined;
  const isHeld = (): boolean => (held ??= !owners && isOfRoots(host, named, reader));
  return filterClaims(named, ({ ref, kind, meta }) => {
    if (isRootNamespace(meta.namespace, settings)) return true;
    if (kind === "HTTPProxy" || kind === "IngressRoute") return refuse(ref, notARoot(kind));
    if (!isHeld()) return true;
    const message = `host "${host}" belongs to an object in the root namespaces and is reserved for objects in these (setting rootNamespaces)`;
    return refuse(ref, {
      type: claimFinding(ref),
      reason: "HostNotAllowedInNamespace",
      message,
      path: pathOf(kind),
    });
  });

  function refuse(ref: Ref, { type, reason, message, path }: Refusal): false {
    report.error(ref, type, reason, message, path);
    return false;
  }
}

const pathOf = (kind: string): string => paths[kind] ?? "spec.virtualhost.fqdn";

const notARoot = (kind: "HTTPProxy" | "IngressRoute"): Refusal => ({
  ...(kind === "HTTPProxy"
    ? { type: "RootNamespaceError", reason: "RootProxyNotAllowedInNamespace" }
    : { type: "IngressRouteError", reason: "RootIngressRouteNotAllowedInNamespace" }),
  message: `root ${kind} cannot be defined in this namespace`,
  path: "metadata.namespace",
});

function filterClaims(
  { roots, ingresses, nginx, routes }: HostClaims,
  may: (object: Claimant) => boolean,
): HostClaims {
  return {
    roots: roots.filter(may),
    ingresses: ingresses.filter(may),
    nginx: nginx.filter(may),
    routes: new Map([...routes].filter(([route]) => may(route))),
  };
}

/**
 * The namespaces that may receive requests for a host that is in `hostOwners`, or that an object in a root namespace
 * claims.
 */
export function keepersOf(
  host: string,
  claims: HostClaims,
  { settings }: Reader,
): ((namespace: string) => boolean) | undefined {
  const entry = settings.hostOwners.find((one) => one.host === host);
  if (entry) return (namespace) => entry.namespaces.includes(namespace);
  // A wider entry already covers the host.
  if (settings.rootNamespaces.length === 0 || ownersOf(host, settings)) return undefined;
  const isRoot = (namespace: string): boolean => isRootNamespace(namespace, settings);
  return someOf(claims, ({ meta }) => isRoot(meta.namespace)) ? isRoot : undefined;
}

const someOf = (
  { roots, ingresses, nginx, routes }: HostClaims,
  is: (object: Claimant) => boolean,
): boolean => [...roots, ...ingresses, ...nginx, ...routes.keys()].some(is);

/**
 * Whether an object in a root namespace claims the host or a wildcard that covers it. A claim of any host (`*`)
 * reserves no host.
 */
function isOfRoots(host: string, claims: HostClaims, reader: Reader): boolean {
  const isRoot = ({ meta }: Claimant): boolean => isRootNamespace(meta.namespace, reader.settings);
  const some = (found: HostClaims): boolean => someOf(found, isRoot);
  if (host === "*") return false;
  if (some(claims)) return true;
  return widerThan(host).some((wider) => wider !== "*" && some(readHostClaims(wider, reader)));
}
