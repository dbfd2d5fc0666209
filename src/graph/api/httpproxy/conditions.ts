import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { HeaderMatch, Match, PathMatch, QueryMatch } from "../../matches/match-types.js";
import { compareHeaders, compareQueries, quoteRegex } from "../../matches/order.js";
import { regexProblem } from "../../matches/regex.js";

/** One entry of HTTPProxy `conditions`; includes and routes have the same form. */
export interface MatchCondition {
  readonly prefix?: string;
  readonly exact?: string;
  readonly regex?: string;
  readonly header?: HeaderCondition;
  readonly queryParameter?: QueryCondition;
}

export interface HeaderCondition {
  readonly name: string;
  readonly present?: boolean;
  readonly notpresent?: boolean;
  readonly contains?: string;
  readonly notcontains?: string;
  readonly exact?: string;
  readonly notexact?: string;
  readonly regex?: string;
  readonly ignoreCase?: boolean;
  readonly treatMissingAsEmpty?: boolean;
}

export interface QueryCondition {
  readonly name: string;
  readonly exact?: string;
  readonly prefix?: string;
  readonly suffix?: string;
  readonly regex?: string;
  readonly contains?: string;
  readonly ignoreCase?: boolean;
  readonly present?: boolean;
}

const slashes = (path: string): string => (path.includes("//") ? path.replace(/\/{2,}/g, "/") : path);

/**
 * Checks that a block has at most one path condition and that each starts with a slash; returns the problem.
 * `maxProgramSize` limits one regular expression, here and below.
 */
export function pathProblem(
  conditions: readonly MatchCondition[],
  include: boolean,
  maxProgramSize: number,
): string | undefined {
  let found: MatchCondition | undefined;
  let paths = 0;
  for (const condition of conditions) {
    const { prefix, exact, regex } = condition;
    if (!prefix && !exact && !regex) continue;
    found = condition;
    paths += (prefix ? 1 : 0) + (exact ? 1 : 0) + (regex ? 1 : 0);
  }
  if (!found) return undefined;
  if (paths > 1) return "more than one prefix, exact or regex is not allowed in a condition block";
  const { prefix, exact, regex } = found;
  const path = prefix || exact || regex || "";
  if (include && !prefix) return "exact and regex conditions are not allowed in an include";
  if (!path.startsWith("/")) return `path conditions must start with /, ${JSON.stringify(path)} was supplied`;
  if (/[\s\p{Cc}#]/u.test(path)) return `${JSON.stringify(path)} contains a space, # or control character`;
  if (!regex) return path.includes("?") ? `${JSON.stringify(path)} contains a query` : undefined;
  const wrong = regexProblem(regex, maxProgramSize);
  return wrong && `regex ${JSON.stringify(regex)} is not valid RE2: ${wrong}`;
}

/**
 * Joins the path conditions of an include chain and a route; without any, the prefix `/`. As in Contour, an exact path
 * counts as exact only if it is the very last condition; if a header or query condition follows, it is a prefix.
 */
export function mergePath(conditions: readonly MatchCondition[]): PathMatch {
  const parts = conditions.filter((c) => c.prefix || c.exact || c.regex);
  if (parts.length === 0) return { kind: "prefix", value: "/" };
  if (parts.some((part) => part.regex)) {
    const value = parts.map((part) => part.regex ?? quoteRegex(part.prefix ?? part.exact ?? "")).join("");
    return { kind: "regex", value: slashes(value) };
  }
  let value = "";
  for (const part of parts) value += part.prefix ?? part.exact ?? "";
  return { kind: conditions.at(-1)?.exact ? "exact" : "prefix", value: slashes(value) };
}

/** The exact path that is a prefix because other conditions follow it. */
export const weakenedExact = (conditions: readonly MatchCondition[]): string | undefined =>
  conditions.at(-1)?.exact ? undefined : conditions.find(({ exact }) => exact)?.exact;

const header = (
  c: HeaderCondition,
  kind: HeaderMatch["kind"],
  value: string,
  invert = false,
): HeaderMatch => ({
  name: c.name.toLowerCase(),
  kind,
  value,
  invert,
  ignoreCase: c.ignoreCase ?? false,
  treatMissingAsEmpty: invert && (c.treatMissingAsEmpty ?? false),
});

/** The matches of a header condition; empty for a condition without a matcher. */
export function headerMatches(c: HeaderCondition): HeaderMatch[] {
  if (c.present) return [header({ name: c.name }, "present", "")];
  if (c.notpresent) return [header({ name: c.name }, "present", "", true)];
  if (c.contains) return [header(c, "contains", c.contains)];
  if (c.notcontains) return [header(c, "contains", c.notcontains, true)];
  if (c.exact) return [header(c, "exact", c.exact)];
  if (c.notexact) return [header(c, "exact", c.notexact, true)];
  if (c.regex) return [header({ name: c.name }, "regex", c.regex)];
  return [];
}

function queryMatches(c: QueryCondition): QueryMatch[] {
  const match = (kind: QueryMatch["kind"], value: string): QueryMatch[] => [
    { name: c.name, kind, value, ignoreCase: c.ignoreCase ?? false },
  ];
  if (c.present) return [{ name: c.name, kind: "present", value: "", ignoreCase: false }];
  if (c.exact) return match("exact", c.exact);
  if (c.prefix) return match("prefix", c.prefix);
  if (c.suffix) return match("suffix", c.suffix);
  if (c.regex) return [{ name: c.name, kind: "regex", value: c.regex, ignoreCase: false }];
  if (c.contains) return match("contains", c.contains);
  return [];
}

/** The complete match of an include chain and a route. */
export function mergeConditions(conditions: readonly MatchCondition[]): Match {
  const headers: HeaderMatch[] = [];
  const queries: QueryMatch[] = [];
  for (const { header: h, queryParameter: q } of conditions) {
    if (h) headers.push(...headerMatches(h));
    if (q) queries.push(...queryMatches(q));
  }
  return {
    path: mergePath(conditions),
    headers: unique(headers).sort(compareHeaders),
    queries: unique(queries).sort(compareQueries),
  };
}

const unique = <T>(items: T[]): T[] =>
  items.length < 2 ? items : [...new Map(items.map((item) => [JSON.stringify(item), item])).values()];

/** Header conditions that can't be true together, or aren't valid RE2; Contour refuses the same ones. */
export function headerProblem(
  conditions: readonly MatchCondition[],
  maxProgramSize: number,
): string | undefined {
  if (!conditions.some(({ header: c }) => c)) return undefined;
  const seen = new Set<string>();
  for (const { header: c } of conditions) {
    if (!c) continue;
    const name = c.name.toLowerCase();
    const wrong = c.regex && regexProblem(c.regex, maxProgramSize);
    if (wrong)
      return `regular expression ${JSON.stringify(c.regex)} of header ${name} is not valid RE2: ${wrong}`;
    const problem = contradiction(c, name, (condition) => seen.has(`${name} ${condition}`));
    if (problem) return problem;
    for (const [key, value] of Object.entries(c)) seen.add(`${name} ${key} ${value}`).add(`${name} ${key}`);
  }
  return undefined;
}

/** Conditions that exclude each other on the same header (and, except for presence, the same value). */
const opposites = [
  ["present", "notpresent"],
  ["exact", "notexact"],
  ["contains", "notcontains"],
] as const;

function contradiction(
  condition: HeaderCondition,
  name: string,
  earlier: (condition: string) => boolean,
): string | undefined {
  if (condition.exact && earlier("exact")) {
    return `cannot specify duplicate header 'exact match' conditions for ${name}`;
  }
  for (const [is, isNot] of opposites) {
    const clash = (mine: typeof is | typeof isNot, other: typeof is | typeof isNot): boolean =>
      Boolean(condition[mine]) && earlier(`${other} ${condition[mine]}`);
    if (clash(is, isNot) || clash(isNot, is))
      return `cannot specify both '${is}' and '${isNot}' for header ${name}`;
  }
  return undefined;
}

/** Requires exactly one matcher for each query parameter condition, and no duplicate exact ones. */
export function queryProblem(
  conditions: readonly MatchCondition[],
  maxProgramSize: number,
): string | undefined {
  if (!conditions.some(({ queryParameter: c }) => c)) return undefined;
  const exact = new Set<string>();
  for (const { queryParameter: c } of conditions) {
    if (!c) continue;
    const kinds = [c.exact, c.prefix, c.suffix, c.regex, c.contains, c.present || undefined].filter((v) => v);
    if (kinds.length !== 1) return `query parameter ${c.name} must have exactly one matcher`;
    const wrong = c.regex && regexProblem(c.regex, maxProgramSize);
    if (wrong)
      return `regular expression ${JSON.stringify(c.regex)} of query parameter ${c.name} is not valid RE2: ${wrong}`;
    if (c.exact && exact.has(c.name))
      return `cannot specify duplicate 'exact match' conditions for query parameter ${c.name}`;
    if (c.exact) exact.add(c.name);
  }
  return undefined;
}

/** The problem with the conditions of a route combined with those of its includes. */
export function conditionProblem(
  own: readonly MatchCondition[],
  all: readonly MatchCondition[],
  maxProgramSize: number,
): { reason: ErrorCode; message: string } | undefined {
  const path = pathProblem(own, false, maxProgramSize);
  if (path) return { reason: "PathMatchConditionsNotValid", message: `route: ${path}` };
  const headers = headerProblem(all, maxProgramSize);
  if (headers) return { reason: "HeaderMatchConditionsNotValid", message: headers };
  const queries = queryProblem(all, maxProgramSize);
  if (queries) return { reason: "QueryParameterMatchConditionsNotValid", message: queries };
  return undefined;
}
