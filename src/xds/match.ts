import type { HeaderMatcher, QueryParameterMatcher, RouteMatch } from "../gen/envoy.js";
import type { HeaderMatch, Match, QueryMatch } from "../graph/matches/match-types.js";

function writePath({ kind, value }: Match["path"]): RouteMatch {
  switch (kind) {
    case "exact":
    case "bare":
      return { path: value };
    case "segment":
      return { path_separated_prefix: value };
    case "regex":
      return { safe_regex: { regex: value.startsWith("^") ? value : `^${value}` } };
    case "prefix":
      return { prefix: value };
  }
}

export function writeHeader(match: HeaderMatch): HeaderMatcher {
  const { name, kind, value } = match;
  const ignoreCase = match.ignoreCase ? { ignore_case: true } : {};
  const flags = {
    ...(match.invert ? { invert_match: true } : {}),
    ...(match.treatMissingAsEmpty ? { treat_missing_header_as_empty: true } : {}),
  };
  if (kind === "present") return { name, present_match: true, ...flags };
  if (kind === "regex") return { name, string_match: { safe_regex: { regex: value } }, ...flags };
  return {
    name,
    string_match: { ...(kind === "exact" ? { exact: value } : { contains: value }), ...ignoreCase },
    ...flags,
  };
}

function writeQuery({ name, kind, value, ignoreCase }: QueryMatch): QueryParameterMatcher {
  if (kind === "present") return { name, present_match: true };
  if (kind === "regex") return { name, string_match: { safe_regex: { regex: value } } };
  return { name, string_match: { [kind]: value, ...(ignoreCase ? { ignore_case: true } : {}) } };
}

export const writeMatch = ({ path, headers, queries }: Match): RouteMatch =>
  Object.assign(
    writePath(path),
    headers.length > 0 && { headers: headers.map(writeHeader) },
    queries.length > 0 && { query_parameters: queries.map(writeQuery) },
  );
