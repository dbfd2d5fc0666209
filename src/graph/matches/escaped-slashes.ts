import { kindOf, type Ref } from "../../schema/meta.js";
import type { Route } from "../core/nodes.js";
import type { Reader, Report } from "../core/reader.js";
import { claimFinding } from "../core/sharing.js";
import { comparedProtections } from "../policies/index.js";

/**
 * Warns if paths select protections and `%2f` in paths is kept: a backend that decodes it reads `/admin/x` in a
 * request for `/admin%2fx`, which matches another route. Each object gets one warning, at its first such route.
 *
 * @param lists all routes of a host, from any object; a route may be in several lists.
 */
export function warnOfEscapedSlashes(
  lists: readonly (readonly Route[])[],
  reader: Reader,
  report: Report,
): void {
  if (reader.settings.escapedSlashes !== "keep" || !lists.some((routes) => routes.some(isProtected))) return;
  const forwarding = lists
    .flat()
    .filter(({ action }) => action.kind === "forward")
    .map(protectedBy);
  const isDecided = decidedByPath(forwarding);
  const found = new Map<Ref, Set<string>>();
  for (const one of forwarding)
    if (isDecided(one)) found.set(one.from, (found.get(one.from) ?? new Set()).add(one.field));
  for (const [about, fields] of found) {
    const [first = "", ...more] = [...fields].sort((a, b) => a.length - b.length || (a < b ? -1 : 1));
    const others = more.length > 0 ? ` (and ${more.length} more)` : "";
    const message = `the protection of this route${others} depends on the path: %2f in a path is kept, and a backend that decodes it reads another path; set escapedSlashes to reject or unescape`;
    const isProxy = kindOf(about) === "HTTPProxy";
    const type = isProxy ? "RouteError" : claimFinding(about);
    report.warn(about, type, "EscapedSlashes", message, isProxy ? `${first}.conditions` : first);
  }
}

interface Protected {
  /** JSON, for comparison. */
  readonly protection: string;
  readonly path: string;
  readonly from: Ref;
  readonly field: string;
}

/**
 * Whether a route has a protection that a route with another path lacks, or lacks one that all other paths have.
 * Counts pairs of protection and path, so that the time per route is constant.
 */
function decidedByPath(routes: readonly Protected[]): (route: Protected) => boolean {
  const pairs = new Map(routes.map((route) => [JSON.stringify([route.protection, route.path]), route]));
  const ofProtection = new Map<string, number>();
  const ofPath = new Map<string, number>();
  for (const { protection, path } of pairs.values()) {
    ofProtection.set(protection, (ofProtection.get(protection) ?? 0) + 1);
    ofPath.set(path, (ofPath.get(path) ?? 0) + 1);
  }
  const isRestProtected = routes.some(({ protection, path }) => path === everything && protection !== none);
  return ({ protection, path }) => {
    if (path === everything) return false;
    if (protection === none) return isRestProtected;
    const sharing = (ofProtection.get(protection) ?? 0) + (ofPath.get(path) ?? 0) - 1;
    return pairs.size > sharing;
  };
}

const isProtected = ({ policies }: Route): boolean => Object.keys(comparedProtections(policies)).length > 0;

function protectedBy(route: Route): Protected {
  const { match, policies, from, field } = route;
  const { kind, value } = match.path;
  const path = kind === "prefix" && value === "/" ? everything : `${kind} ${value}`;
  return { protection: JSON.stringify(comparedProtections(policies)), path, from, field };
}

const everything = "";
const none = "{}";
