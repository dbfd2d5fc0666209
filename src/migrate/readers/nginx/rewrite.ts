import { targetRewrite } from "../../../graph/api/ingress-nginx/rewrite.js";
import type { PathMatch } from "../../../graph/matches/match-types.js";
import { hasTopLevelBranch, prefix, regex, segments } from "../../matches.js";
import type { SourceRewrite } from "../../model.js";
import { regexProgramSize } from "../../rewrites.js";

/** How a path of a host in regex mode is matched and rewritten. */
export interface RegexPath {
  readonly match: PathMatch;
  readonly rewrite?: SourceRewrite;
  /** The reason why the path cannot be converted. */
  readonly problem?: string;
}

const plain = /^[A-Za-z0-9/._~-]*$/;

/**
 * Converts paths whose target replaces one prefix with another: `/p(/|$)(.*)` with `/q/$2`, `/p/(.*)` with `/q/$1`, and
 * paths without syntax of regular expressions. Undefined for other forms.
 */
export function usualForm(path: string, target: string | undefined): RegexPath | undefined {
  const effective = target === path ? undefined : target;
  if (plain.test(path)) {
    if (effective === undefined) return { match: prefix(path) };
    return /\$/.test(effective)
      ? undefined
      : { match: prefix(path), rewrite: { kind: "full", value: effective } };
  }
  if (effective === undefined) return undefined;
  const [, segment] = /^([A-Za-z0-9/_~-]*)\(\/\|\$\)\(\.\*\)$/.exec(path) ?? [];
  const [, second] = /^((?:\/[A-Za-z0-9._~-]+)*\/)\$2$/.exec(effective) ?? [];
  if (segment !== undefined && second !== undefined)
    return { match: segments(segment), rewrite: { kind: "prefix", value: second.replace(/(?<=.)\/$/, "") } };
  const [, slashed] = /^([A-Za-z0-9/_~-]*\/)\(\.\*\)$/.exec(path) ?? [];
  const [, first] = /^(\/(?:[A-Za-z0-9/._~-]*\/)?)\$1$/.exec(effective) ?? [];
  if (slashed !== undefined && first !== undefined)
    return slashed === first
      ? { match: prefix(slashed) }
      : { match: prefix(slashed), rewrite: { kind: "prefix", value: first } };
  return undefined;
}

/** Converts any other path: a case-insensitive regular expression, anchored at the start of the path. */
export function anyForm(path: string, target: string | undefined): RegexPath {
  const effective = target === path ? undefined : target;
  const match = regex(`(?i)${path}.*`);
  if (hasTopLevelBranch(path))
    return { match, problem: "has a | outside of groups, of which nginx anchors the first branch alone" };
  if (effective === undefined) return { match };
  if (!effective.includes("$")) return { match, rewrite: { kind: "full", value: effective } };
  const rewrite = targetRewrite(path, effective, regexProgramSize);
  if (typeof rewrite === "string")
    return { match, problem: `is rewritten to ${effective}: the target ${rewrite}` };
  return { match, rewrite: { kind: "regex", regex: rewrite.pattern, replacement: rewrite.substitution } };
}
