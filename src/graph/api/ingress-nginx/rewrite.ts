import { regexProblem } from "../../matches/regex.js";
import type { PathRewrite, PathSubstitution } from "../../policies/path-rewrite.js";
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
  const rewrite = targetRewrite(location.path, target);
  if (typeof rewrite === "string") return notes.refuse(annotation, `${annotation} ${rewrite}`);
  if (regexProblem(rewrite.pattern, reader.settings.budgets.regexProgramSize))
    return notes.refuse(annotation, `${annotation}: the path is no regular expression that Envoy takes`);
  return { regex: rewrite };
}

/** The rewrite of a path in regex mode to a target with groups such as `$1`; a text is the reason why Envoy can't do it. */
export function targetRewrite(path: string, target: string): PathSubstitution | string {
  if (!/^\/|^\$\d/.test(target)) return "must begin with a slash";
  const groups = countGroups(path);
  if (/\$(?!\d)/.test(target)) return "has a variable of nginx, which Envoy can't fill in";
  const substitution = target.replace(/\$(\d)/g, (_, digit: string) =>
    Number(digit) <= groups && digit !== "0" ? `\\${digit}` : "",
  );
  if (!/^\//.test(substitution) && !startsWithSlash(path, target))
    return "makes paths without a slash at their beginning";
  const isBranched = topAlternatives(path).length > 1;
  return { pattern: `(?i)^${isBranched ? `(?:${path})` : path}.*$`, substitution };
}

/** Whether the group at the start of the target begins with a slash, as in `/x(/.*)`. */
function startsWithSlash(path: string, target: string): boolean {
  const group = /^\$(\d)/.exec(target)?.[1];
  const opening = [...path.matchAll(/\((?!\?)/g)][Number(group) - 1];
  return (
    opening !== undefined && path[opening.index + 1] === "/" && !path.slice(opening.index).startsWith("(/|")
  );
}

/** The number of capturing groups. */
export function countGroups(expression: string): number {
  let count = 0;
  let inClass = false;
  for (let at = 0; at < expression.length; at++) {
    const character = expression[at];
    if (character === "\\") at++;
    else if (character === "[") inClass = true;
    else if (character === "]") inClass = false;
    else if (character === "(" && !inClass && /^\((?!\?)|^\(\?P?</.test(expression.slice(at, at + 4)))
      count++;
  }
  return count;
}
