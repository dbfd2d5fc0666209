import { RE2JS } from "re2js";
import type { HeaderMatcher, QueryParameterMatcher, RouteMatch, StringMatcher } from "../gen/envoy.js";
import { memoizedLast } from "../schema/memoized.js";
import type { SeenRequest } from "./request.js";

const quote = (text: string): string => JSON.stringify(text);

/** Envoy's regular expressions must match the whole text. */
const fits = (regex: string, text: string): boolean => compiled(regex).matcher(text).matches();

/** A route is compared with many requests. */
const compiled = memoizedLast((regex: string) => RE2JS.compile(regex), { maxSize: 256, sizeOf: () => 1 });

/**
 * Whether to show the values that headers and query parameters are compared with. Hidden values still show that there
 * is a comparison. Pseudo headers are always shown, as paths are.
 */
export type Values = "shown" | "hidden";

/** The first reason why a route does not match a request: path, then headers, then query; undefined when it matches. */
export function mismatch(
  match: RouteMatch,
  request: SeenRequest,
  values: Values = "shown",
): string | undefined {
  const path = pathMismatch(match, request.path);
  if (path) return path;
  for (const matcher of match.headers ?? []) {
    const reason = headerMismatch(matcher, request.headers, values);
    if (reason) return reason;
  }
  const parameters = match.query_parameters?.length ? queryParameters(request.query) : undefined;
  for (const matcher of parameters ? (match.query_parameters ?? []) : []) {
    const reason = queryMismatch(matcher, parameters?.get(matcher.name ?? ""), values);
    if (reason) return reason;
  }
  return undefined;
}

/** Whether the path of a route matches, independently of its other conditions. */
export const matchesPath = (match: RouteMatch, request: Pick<SeenRequest, "path">): boolean =>
  pathMismatch(match, request.path) === undefined;

function pathMismatch(match: RouteMatch, path: string): string | undefined {
  const { prefix, path: exact, safe_regex, path_separated_prefix: segment } = match;
  if (exact !== undefined) return path === exact ? undefined : `path ${path} is not ${exact}`;
  if (prefix !== undefined)
    return path.startsWith(prefix) ? undefined : `path ${path} does not start with ${prefix}`;
  if (segment !== undefined)
    return path === segment || path.startsWith(`${segment}/`)
      ? undefined
      : `path ${path} is not ${segment} or below it`;
  const regex = safe_regex?.regex ?? "";
  return fits(regex, path) ? undefined : `path ${path} does not match ${regex}`;
}

/**
 * An absent header matches only an inverted `present_match`, unless it counts as empty. This also holds for
 * `invert_match` of a value, which surprises many users.
 */
function headerMismatch(
  matcher: HeaderMatcher,
  headers: ReadonlyMap<string, string>,
  values: Values,
): string | undefined {
  const name = matcher.name?.toLowerCase() ?? "";
  const label = `header ${name}`;
  const found = headers.get(name === "host" ? ":authority" : name);
  const invert = matcher.invert_match ?? false;
  if (!matcher.string_match) {
    const mustBePresent = (matcher.present_match ?? true) !== invert;
    if ((found !== undefined) === mustBePresent) return undefined;
    return mustBePresent ? `${label} is absent` : `${label} is present and must be absent`;
  }
  if (found === undefined && !matcher.treat_missing_header_as_empty) return `${label} is absent`;
  const value = found ?? "";
  if (matchesText(matcher.string_match, value) !== invert) return undefined;
  const verb = invert ? "must not be" : "is not";
  return `${label} is ${quote(value)}, which ${verb} ${describeText(matcher.string_match, valuesOf(name, values))}`;
}

function queryMismatch(
  matcher: QueryParameterMatcher,
  found: string | undefined,
  values: Values,
): string | undefined {
  const label = `query parameter ${matcher.name}`;
  if (found === undefined) return `${label} is absent`;
  if (!matcher.string_match || matchesText(matcher.string_match, found)) return undefined;
  return `${label} is ${quote(found)}, which is not ${describeText(matcher.string_match, values)}`;
}

/** The first value of each parameter; Envoy does not decode them. */
function queryParameters(query: string | undefined): Map<string, string> {
  const found = new Map<string, string>();
  for (const part of query?.split("&") ?? []) {
    const equals = part.indexOf("=");
    const name = equals < 0 ? part : part.slice(0, equals);
    if (!found.has(name)) found.set(name, equals < 0 ? "" : part.slice(equals + 1));
  }
  return found;
}

/** The kind of comparison in a string matcher, with its text. */
function textKind(matcher: StringMatcher): readonly ["exact" | "prefix" | "suffix" | "contains", string] {
  for (const kind of ["prefix", "suffix", "contains"] as const) {
    const text = matcher[kind];
    if (text !== undefined) return [kind, text];
  }
  return ["exact", matcher.exact ?? ""];
}

function matchesText(matcher: StringMatcher, value: string): boolean {
  if (matcher.safe_regex) return fits(matcher.safe_regex.regex ?? "", value);
  const [kind, text] = textKind(matcher);
  const fold = (string: string): string => (matcher.ignore_case ? string.toLowerCase() : string);
  const [a, b] = [fold(value), fold(text)];
  switch (kind) {
    case "exact":
      return a === b;
    case "prefix":
      return a.startsWith(b);
    case "suffix":
      return a.endsWith(b);
    case "contains":
      return a.includes(b);
  }
}

const phrases = {
  exact: "",
  prefix: "text that starts with ",
  suffix: "text that ends with ",
  contains: "text with ",
};

const valuesOf = (header: string, values: Values): Values => (header.startsWith(":") ? "shown" : values);

function describeText(matcher: StringMatcher, values: Values): string {
  if (values === "hidden") return "(hidden)";
  if (matcher.safe_regex) return `text that matches ${matcher.safe_regex.regex}`;
  const [kind, text] = textKind(matcher);
  return `${phrases[kind]}${quote(text)}${matcher.ignore_case ? " (in any case)" : ""}`;
}

/** A description of a match: `prefix /api, header x-canary is "yes"`. */
export function describeMatch(match: RouteMatch, values: Values = "shown"): string {
  const queries = (match.query_parameters ?? []).map(({ name, string_match }) =>
    string_match
      ? `query parameter ${name} is ${describeText(string_match, values)}`
      : `query parameter ${name} is present`,
  );
  const headers = (match.headers ?? []).map((matcher) => describeHeader(matcher, values));
  return [describePath(match), ...headers, ...queries].join(", ");
}

export function describeHeader(matcher: HeaderMatcher, values: Values = "shown"): string {
  const { name = "", string_match: text } = matcher;
  const invert = matcher.invert_match ?? false;
  if (!text) return `header ${name} is ${(matcher.present_match ?? true) === invert ? "absent" : "present"}`;
  const empty = matcher.treat_missing_header_as_empty ? " (absent counts as empty)" : "";
  return `header ${name} is ${invert ? "not " : ""}${describeText(text, valuesOf(name, values))}${empty}`;
}

function describePath({ prefix, path, safe_regex, path_separated_prefix: segment }: RouteMatch): string {
  if (path !== undefined) return `path ${path}`;
  if (prefix !== undefined) return `prefix ${prefix}`;
  return segment === undefined ? `regex ${safe_regex?.regex ?? ""}` : `segments ${segment}`;
}
