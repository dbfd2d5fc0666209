import type { PathMatch } from "../matches/match-types.js";
import { cleanPath, trimSlashes } from "../matches/normalize-path.js";
import { quoteRegex } from "../matches/order.js";
import { groupCount, regexProblem } from "../matches/regex.js";
import type { Policy } from "./policy.js";

/** Replaces the matched prefix, or applies a substitution to the whole path. */
export type PathRewrite = ({ readonly prefix: string } | { readonly regex: PathSubstitution }) & {
  /** For a prefix with a final slash: the result for the same path without that slash, which the route also matches. */
  readonly bare?: string;
};

/** A pattern of RE2, and the replacement of its matches. */
export interface PathSubstitution {
  readonly pattern: string;
  readonly substitution: string;
}

interface ReplacePrefix {
  readonly prefix?: string;
  readonly replacement: string;
}

type PrefixReplaceProblem = "MustHavePrefix" | "DuplicateReplacement" | "AmbiguousReplacement";

/**
 * The rewrite of a matched prefix: from the entry for that prefix, else from the entry without a prefix, else none.
 * Problems are Contour's PrefixReplaceError reasons.
 */
function readReplacePrefix(
  entries: readonly ReplacePrefix[] | undefined,
  matched: PathMatch,
): { policy?: PathRewrite; reason?: PrefixReplaceProblem; message?: string } {
  if (!entries?.length) return {};
  if (matched.kind !== "prefix") {
    return {
      reason: "MustHavePrefix",
      message: "cannot specify prefix replacements without a prefix condition",
    };
  }
  const seen = new Set<string>();
  for (const { prefix = "" } of entries) {
    if (seen.has(prefix)) {
      return prefix === ""
        ? { reason: "AmbiguousReplacement", message: "ambiguous prefix replacement" }
        : { reason: "DuplicateReplacement", message: `duplicate replacement prefix '${prefix}'` };
    }
    seen.add(prefix);
  }
  const entry = entryFor(entries, matched.value);
  return entry ? { policy: replacePrefix(matched, entry.replacement) } : {};
}

/** The entry for a prefix: the entry that names it, else the entry without a prefix. */
const entryFor = (entries: readonly ReplacePrefix[], matched: string): ReplacePrefix | undefined =>
  entries.find(({ prefix }) => prefix === matched) ?? entries.find(({ prefix }) => !prefix);

/**
 * Replaces the prefix that a route matches; for an exact path or a regular expression, the whole path. The result has
 * a single slash between replacement and rest. A path that would become `/./x` or `/../x` stays unchanged: for example
 * `/app../x` when `/app` is replaced by `/`.
 */
export function replacePrefix({ kind, value }: PathMatch, replacement: string): PathRewrite {
  const clean = cleanPath(replacement);
  if (kind === "exact" || kind === "regex") return { prefix: clean };
  const to = trimSlashes(clean);
  const slashed = value.endsWith("/");
  const bare = slashed && value !== "/" ? { bare: to || "/" } : {};
  if (to !== "" || value.length > longestPath) return { prefix: slashed ? `${to}/` : to || "/", ...bare };
  const matched = `^${quoteRegex(trimSlashes(value))}/*`;
  if (kind === "segment" || slashed) return { regex: { pattern: matched, substitution: "/" }, ...bare };
  return { regex: { pattern: `${matched}(${notDots}.*)?$`, substitution: "/\\1" } };
}

/**
 * Envoy accepts no request with longer headers (`max_request_headers_kb`), and limits the length of a regular
 * expression.
 */
const longestPath = 60 * 1024;

/**
 * The start of a segment that is neither `.` nor `..`, even with path parameters or an escape such as `%2f` behind it.
 */
const notDots = "(?:[^./]|\\.[^./;%]|\\.\\.[^/;%])";

/** A text as a substitution, so that RE2 inserts it unchanged. */
export const plainSubstitution = (text: string): string => text.replaceAll("\\", "\\\\");

/** Why RE2 can't apply a substitution, or a path would have no slash at its start; undefined if it is valid. */
export function substitutionProblem(
  { pattern, substitution }: PathSubstitution,
  maxProgramSize: number,
): string | undefined {
  const wrong = regexProblem(pattern, maxProgramSize);
  if (wrong !== undefined) return `regex: ${wrong}`;
  const groups = groupCount(pattern);
  const missing = [...substitution.matchAll(/\\([\\\d])/g)].find(([, group]) => Number(group) > groups);
  if (missing) return `replacement: ${missing[0]} is not a group of the expression, which has ${groups}`;
  return /^(?:\(\?\w+\))?\^/.test(pattern) && !/^(?:\/|\\\d)/.test(substitution)
    ? "replacement: must begin with a slash or a group, because the expression matches the start of the path"
    : undefined;
}

/** `pathRewritePolicy` of a route. */
export const pathRewrite: Policy<{ route: PathRewrite }> = {
  protects: false,
  fields: { route: ["pathRewritePolicy"] },
  read: {
    route({ route, reader, match, fail, warnIgnored }) {
      const entries = route.pathRewritePolicy?.replacePrefix ?? [];
      const substitute = route.pathRewritePolicy?.replaceRegex;
      if (substitute) {
        const regex = { pattern: substitute.regex, substitution: substitute.replacement };
        const problem =
          entries.length > 0
            ? "both replaceRegex and replacePrefix are set"
            : substitutionProblem(regex, reader.settings.budgets.regexProgramSize);
        return problem === undefined
          ? { regex }
          : fail("RouteError", "PathReplacementNotValid", problem, ".pathRewritePolicy.replaceRegex");
      }
      const { policy, reason, message } = readReplacePrefix(entries, match);
      if (reason) return fail("PrefixReplaceError", reason, message ?? "", ".pathRewritePolicy");
      if (entries.length > 0 && !policy)
        warnIgnored(
          `has no effect for the prefix ${JSON.stringify(match.value)}: no entry has this prefix`,
          ".pathRewritePolicy",
        );
      return policy;
    },
    ingressRoute: ({ route, match }) =>
      route.prefixRewrite ? replacePrefix(match, route.prefixRewrite) : undefined,
  },
};
