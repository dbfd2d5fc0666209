import { kindOf, type Ref } from "../../schema/meta.js";
import { readProxyRoot } from "../api/httpproxy/httpproxy.js";
import {
  type IngressRoute,
  ingressRouteProblem,
  readIngressRouteRoot,
} from "../api/ingressroute/ingressroute.js";
import type { HTTPProxy, Reader, Report } from "./reader.js";
import type { Root } from "./root.js";
import { claimFinding, listSome } from "./sharing.js";

/** An object with a virtual host. */
export type RootObject = HTTPProxy | IngressRoute;

/**
 * Reads the one root of a host; undefined when it can't be served. If a host has several roots, HTTPProxies or
 * IngressRoutes, all of them are refused. The result is `contested` if they are in several namespaces.
 */
export function readRoot(
  candidates: readonly RootObject[],
  reader: Reader,
  report: Report,
): Root | "contested" | undefined {
  const roots = candidates.filter((root) => {
    const problem = root.kind === "IngressRoute" ? ingressRouteProblem(root) : undefined;
    if (problem) report.error(root.ref, claimFinding(root.ref), "FQDNNotValid", problem, fqdnPath);
    return problem === undefined;
  });
  const [root, another] = roots;
  if (!another) return root && readOne(root, reader, report);
  const owners = describe(roots.map(({ ref }) => ref));
  for (const { ref, spec } of roots) {
    const message = `fqdn "${spec.virtualhost?.fqdn}" is used in multiple ${owners}`;
    report.error(ref, claimFinding(ref), "DuplicateVhost", message, fqdnPath);
  }
  return new Set(roots.map(({ meta }) => meta.namespace)).size > 1 ? "contested" : undefined;
}

/** The maximum number of roots in a message: listing all of them in each would grow with the square of their number. */
const maxRoots = 10;
const fqdnPath = "spec.virtualhost.fqdn";

const readOne = (root: RootObject, reader: Reader, report: Report): Root | undefined =>
  root.kind === "HTTPProxy"
    ? readProxyRoot(root, reader, report)
    : readIngressRouteRoot(root, reader, report);

const plurals: Readonly<Record<string, string>> = { HTTPProxy: "HTTPProxies", IngressRoute: "IngressRoutes" };

/** Contour's wording if all are of one kind: `HTTPProxies: a/x, b/y`. */
function describe(refs: readonly Ref[]): string {
  const kinds = [...new Set(refs.map(kindOf))].sort();
  const names = refs.map((ref) => (kinds.length === 1 ? ref.slice(kindOf(ref).length + 1) : ref));
  return `${kinds.map((kind) => plurals[kind]).join(" and ")}: ${listSome(names, maxRoots)}`;
}
