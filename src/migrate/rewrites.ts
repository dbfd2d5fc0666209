import { quoteRegex } from "../graph/matches/order.js";
import { groupCount, regexProblem } from "../graph/matches/regex.js";
import { plainSubstitution } from "../graph/policies/path-rewrite.js";
import { budgets } from "../schema/budgets.js";
import type { Field } from "./field.js";
import type { RegexRewrite } from "./model.js";

/** The largest program of an expression with the usual settings. */
export const { regexProgramSize } = budgets.parse({});

/** The rewrite of two fields in Envoy's form: an expression of RE2, and a replacement with groups such as `\1`. */
export function substitutionOf(pattern: Field, replacement: Field): RegexRewrite | undefined {
  const regex = pattern.text();
  return regex === undefined ? undefined : { kind: "regex", regex, replacement: replacement.text() ?? "" };
}

/**
 * The rewrite of an expression and a replacement in the form of Go's package regexp: `$1`, `${1}`, `$$`. Undefined for
 * groups with names, and for expressions that RE2 does not accept.
 */
export function goSubstitution(regex: string, replacement: string): RegexRewrite | undefined {
  if (regexProblem(regex, regexProgramSize) !== undefined) return undefined;
  const groups = groupCount(regex);
  let hasNames = false;
  const group = (name: string): string => {
    if (!/^\d+$/.test(name)) hasNames = true;
    // Go replaces a group that the expression does not have with the empty text. RE2 has the groups 0 to 9.
    if (Number(name) > 9 && Number(name) <= groups) hasNames = true;
    return Number(name) <= groups ? `\\${name}` : "";
  };
  const text = plainSubstitution(replacement).replace(
    /\$(?:\$|(\w+)|\{(\w+)\})/g,
    (_, word?: string, braced?: string) => {
      const name = word ?? braced;
      return name === undefined ? "$" : group(name);
    },
  );
  return hasNames ? undefined : { kind: "regex", regex, replacement: text };
}

/** Removes the first prefix that the path has; the rest begins with a slash. */
export const withoutPrefixes = (prefixes: readonly string[]): RegexRewrite =>
  withoutPattern(prefixes.map(quoteRegex).join("|"), 0);

/** Removes what an expression matches at the start of the path; the rest begins with a slash. */
export function withoutPrefixRegex(regex: string): RegexRewrite | undefined {
  if (regexProblem(regex, regexProgramSize) !== undefined) return undefined;
  const groups = groupCount(regex);
  return groups >= 9 ? undefined : withoutPattern(regex, groups);
}

const withoutPattern = (pattern: string, groups: number): RegexRewrite => ({
  kind: "regex",
  regex: `^(?:${pattern})/?(.*)$`,
  replacement: `/\\${groups + 1}`,
});
