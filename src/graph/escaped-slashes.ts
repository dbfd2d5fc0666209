import type { Ref } from "../schema/meta.js";
import type { Reader, Report } from "./reader.js";
import type { Route } from "./types.js";

/**
 * Warns where a path decides what protects a request, and `%2f` in paths stays: a backend that decodes it sees `/admin/x` in a request
 * for `/admin%2fx`, which is another route's. Each object is told once, at the first of its routes.
 */
export function warnOfEscapedSlashes(routes: readonly Route[], reader: Reader, report: Report): void {
  if (reader.settings.escapedSlashes !== "keep") return;
  const forwarding = routes.filter(({ action }) => action.kind === "forward").map(protectedBy);
  const paths = new Map<string, Set<string>>();
  for (const { protection, path } of forwarding)
    paths.set(protection, (paths.get(protection) ?? new Set()).add(path));
  if (paths.size < 2) return;
  const isElsewhere = (path: string, found: ReadonlySet<string>): boolean =>
    found.size > 1 || !found.has(path);
  const isDecided = ({ protection, path }: Protected): boolean => {
    if (path === everything) return false;
    if (protection === none)
      return [...paths].some(([other, found]) => other !== none && found.has(everything));
    return [...paths].some(([other, found]) => other !== protection && isElsewhere(path, found));
  };
  const told = new Map<Ref, string[]>();
  for (const one of forwarding)
    if (isDecided(one)) {
      const fields = told.get(one.from);
      if (!fields) told.set(one.from, [one.field]);
      else if (!fields.includes(one.field)) fields.push(one.field);
    }
  for (const [about, [first = "", ...more]] of told) {
    const others = more.length > 0 ? ` (and ${more.length} more)` : "";
    const message = `the path decides what protects this route${others}: %2f in a path stays as it is, so that a backend that decodes it sees another path; set escapedSlashes to reject or unescape`;
    report.warn(about, "RouteError", "EscapedSlashes", message, `${first}.conditions`);
  }
}

interface Protected {
  /** As text, to compare. */
  readonly protection: string;
  readonly path: string;
  readonly from: Ref;
  readonly field: string;
}

/** Not what an authorization service is told, but whether it is asked. */
function protectedBy({ match, policies, from, field }: Route): Protected {
  const { localRateLimit, ignoreHostRateLimits, rateLimits, ipFilter, authorization, jwtProvider } = policies;
  const disabled = authorization !== undefined && "disabled" in authorization;
  const found = { localRateLimit, ignoreHostRateLimits, rateLimits, ipFilter, disabled, jwtProvider };
  const { kind, value } = match.path;
  const path = kind === "prefix" && value === "/" ? everything : `${kind} ${value}`;
  return { protection: JSON.stringify(found), path, from, field };
}

const everything = "";
const none = JSON.stringify({ disabled: false });
