import { groupCount, regexProblem } from "../../matches/regex.js";
import { type PathRewrite, type PathSubstitution, plainSubstitution } from "../../policies/path-rewrite.js";
import type { NginxHostContext, Notes } from "./annotated-ingress.js";
import { type NginxLocation, rewrites, topAlternatives } from "./locations.js";

/** The rewrite of a location: the target replaces the whole path. It may contain groups of the path's expression. */
export function readRewrite(
  location: NginxLocation,
  { reader }: NginxHostContext,
  notes: Notes,
): PathRewrite | undefined {
  const target = location.of.values["rewrite-target"];
  if (target === undefined || !rewrites(location)) return undefined;
  const annotation = "rewrite-target";
  const rewrite = targetRewrite(location.path, target, reader.settings.budgets.regexProgramSize);
  return typeof rewrite === "string"
    ? notes.refuse(annotation, `${annotation} ${rewrite}`)
    : { regex: rewrite };
}

/** The rewrite of a path in regex mode to a target with groups such as `$1`; a text is the reason why Envoy can't do it. */
export function targetRewrite(
  path: string,
  target: string,
  maxProgramSize: number,
): PathSubstitution | string {
  if (!/^\/|^\$\d/.test(target)) return "must begin with a slash";
  if (/\$(?!\d)/.test(target)) return "has a variable of nginx, which Envoy can't fill in";
  const isBranched = topAlternatives(path).length > 1;
  const pattern = `(?i)^${isBranched ? `(?:${path})` : path}.*$`;
  if (regexProblem(pattern, maxProgramSize) !== undefined)
    return "is for a path that is no regular expression that Envoy takes";
  const groups = groupCount(pattern);
  const substitution = plainSubstitution(target).replace(/\$(\d)/g, (_, digit: string) =>
    Number(digit) <= groups && digit !== "0" ? `\\${digit}` : "",
  );
  return /^\//.test(substitution) || startsWithSlash(path, target)
    ? { pattern, substitution }
    : "makes paths without a slash at their beginning";
}

/** Whether the group at the start of the target begins with a slash, as in `/x(/.*)`. */
function startsWithSlash(path: string, target: string): boolean {
  const group = /^\$(\d)/.exec(target)?.[1];
  const opening = [...path.matchAll(/\((?!\?)/g)][Number(group) - 1];
  return (
    opening !== undefined && path[opening.index + 1] === "/" && !path.slice(opening.index).startsWith("(/|")
  );
}
