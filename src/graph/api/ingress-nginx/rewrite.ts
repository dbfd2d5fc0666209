import { regexProblem } from "../../matches/regex.js";
import type { PathRewrite } from "../../policies/path-rewrite.js";
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
  if (!/^\/|^\$\d/.test(target)) return notes.refuse(annotation, `${annotation} must begin with a slash`);
  const groups = countGroups(location.path);
  if (/\$(?!\d)/.test(target))
    return notes.refuse(annotation, `${annotation} has a variable of nginx, which Envoy can't fill in`);
  const substitution = target.replace(/\$(\d)/g, (_, digit: string) =>
    Number(digit) <= groups && digit !== "0" ? `\\${digit}` : "",
  );
  if (!/^\//.test(substitution) && !startsWithSlash(location.path, target))
    return notes.refuse(annotation, `${annotation} makes paths without a slash at their beginning`);
  const alternatives = topAlternatives(location.path).length > 1;
  const path = alternatives ? `(?:${location.path})` : location.path;
  const pattern = `(?i)^${path}.*$`;
  const problem = regexProblem(pattern, reader.settings.budgets.regexProgramSize);
  if (problem)
    return notes.refuse(annotation, `${annotation}: the path is no regular expression that Envoy takes`);
  return { regex: { pattern, substitution } };
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
