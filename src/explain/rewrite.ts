import { type Matcher, RE2JS } from "re2js";
import type { RegexMatchAndSubstitute, RouteAction, RouteMatch } from "../gen/envoy.js";

/** The rewrite of a route or redirect. */
export type Rewrite = Pick<RouteAction, "prefix_rewrite" | "regex_rewrite">;

/** The rewritten path, without its query; undefined without a rewrite. */
export function rewritten(
  { prefix_rewrite: to, regex_rewrite: regex }: Rewrite,
  match: RouteMatch | undefined,
  path: string,
): string | undefined {
  if (regex) return substitute(regex, path);
  if (!to) return undefined;
  return to + path.slice((match?.prefix ?? match?.path_separated_prefix ?? path).length);
}

/** Like RE2: replaces each match, except an empty one at the end of the previous match. */
function substitute({ pattern, substitution = "" }: RegexMatchAndSubstitute, path: string): string {
  const matcher = RE2JS.compile(pattern?.regex ?? "").matcher(path);
  let result = "";
  let end: number | undefined;
  while (matcher.find()) {
    if (matcher.start() === end && matcher.end() === end) continue;
    result += path.slice(end, matcher.start()) + filledIn(substitution, matcher);
    end = matcher.end();
  }
  return result + path.slice(end);
}

/** `\1` is a group, `\0` the whole match, `\\` a backslash. */
const filledIn = (substitution: string, matcher: Matcher): string =>
  substitution.replace(/\\([\\\d])/g, (_, what: string) =>
    what === "\\" ? what : (matcher.group(Number(what)) ?? ""),
  );
