import type { NginxAnnotation } from "../../../schema/ingress-nginx.js";
import type { PathMatch } from "../../matches/match-types.js";
import { isPath, trimSlashes, unreachablePath } from "../../matches/normalize-path.js";
import { quoteRegex } from "../../matches/order.js";
import { regexProblem } from "../../matches/regex.js";
import type { Ingress } from "../ingress/ingress.js";
import { type AnnotatedIngress, type NginxHostContext, type } from "./annotated-ingress.js";

type Rule = NonNullable<Ingress["spec"]["rules"]>[number];
export type BackendFields = NonNullable<Rule["http"]>["paths"][number]["backend"];

/** A path of a host. As in ingress-nginx, each path of a rule is a location. */
export interface NginxLocation {
  /** The path as written in the rule. */
  readonly path: string;
  readonly exact: boolean;
  readonly of: AnnotatedIngress;
  /** Absent: requests get 404, as from the default backend of ingress-nginx. */
  readonly backend?: BackendFields;
  /** Field path of the backend. */
  readonly field: string;
}

/** The host of a rule; `*` for a rule without a host. */
const hostOf = ({ host }: Rule): string => (host || "*").toLowerCase();

export const hasRuleFor = (ingress: Ingress, host: string): boolean =>
  (ingress.spec.rules ?? []).some((rule) => hostOf(rule) === host) ||
  (host === "*" && ingress.spec.defaultBackend !== undefined && !ingress.spec.rules?.length);

/**
 * The locations of a host, those of the oldest Ingress first. If no rule has the path `/`, it is added with the
 * annotations of the oldest Ingress. A location whose path an older Ingress has is not among them; `hidden` has these.
 */
export function readLocations(
  mains: readonly AnnotatedIngress[],
  host: string,
): { readonly locations: readonly NginxLocation[]; readonly hidden: readonly HiddenLocation[] } {
  const [first] = mains;
  if (!first) return { locations: [], hidden: [] };
  const added: NginxLocation = {
    path: "/",
    exact: false,
    of: first,
    field: first.ingress.spec.defaultBackend ? "spec.defaultBackend" : "spec.rules",
    ...(first.ingress.spec.defaultBackend ? { backend: first.ingress.spec.defaultBackend } : {}),
  };
  const found = new Map<string, NginxLocation>();
  const hidden: HiddenLocation[] = [];
  for (const of of mains)
    for (const location of pathsOf(of, host)) {
      const key = `${location.exact} ${location.path}`;
      const earlier = found.get(key);
      if (!earlier) found.set(key, location);
      else if (earlier.of !== of) hidden.push({ location, earlier });
    }
  if (!found.has("false /")) found.set("false /", added);
  return { locations: [...found.values()], hidden };
}

/** A location that another Ingress has already. */
export interface HiddenLocation {
  readonly location: NginxLocation;
  readonly earlier: NginxLocation;
}

/** Warns of locations that older Ingresses serve. A path that is not served at all has its own finding. */
export function reportHidden(
  hidden: readonly HiddenLocation[],
  served: ReadonlySet<NginxLocation>,
  { host, report }: NginxHostContext,
): void {
  for (const { location, earlier } of hidden) {
    if (!served.has(earlier)) continue;
    const message = `host ${JSON.stringify(host)}: ${earlier.of.ingress.ref} is older and has the path ${JSON.stringify(location.path)}, too`;
    report.warn(location.of.ingress.ref, type, "SameMatch", message, location.field);
  }
}

/** The same for matches that the same requests can have. */
export const matchKey = ({ kind, value }: PathMatch): string =>
  kind === "prefix" || kind === "segment" ? `prefix ${trimSlashes(value)}` : `${kind} ${value}`;

export function* pathsOf(of: AnnotatedIngress, host: string): Iterable<NginxLocation> {
  for (const [i, rule] of (of.ingress.spec.rules ?? []).entries()) {
    if (hostOf(rule) !== host) continue;
    for (const [j, { path, pathType, backend }] of (rule.http?.paths ?? []).entries())
      yield {
        path: path || "/",
        exact: pathType === "Exact",
        of,
        backend,
        field: `spec.rules[${i}].http.paths[${j}].backend`,
      };
  }
}

/** Whether `rewrite-target` has an effect. As in ingress-nginx, a target that equals the path has none. */
export const rewrites = ({ path, of }: Pick<NginxLocation, "path" | "of">): boolean => {
  const target = of.values["rewrite-target"];
  return target !== undefined && target !== "" && target !== path;
};

/** Whether all paths of a host are regular expressions: an Ingress of the owner's namespace requires it. */
export const isRegexHost = (locations: readonly NginxLocation[], owner: string): boolean =>
  locations.some(
    (location) =>
      location.of.ingress.meta.namespace === owner &&
      (location.of.values["use-regex"] === true || rewrites(location)),
  );

export type Placed =
  | { readonly match: PathMatch; readonly redirect?: PathMatch; readonly problem?: undefined }
  | { readonly problem: string };

const plainPath = /^\/[-._~/A-Za-z0-9]*$/;

/**
 * The match of a location, or the problem of its path. `redirect` matches the path without its final slash; requests
 * for it are redirected to the path.
 */
export function placeLocation(
  location: NginxLocation,
  { regex, all, context }: { regex: boolean; all: readonly NginxLocation[]; context: NginxHostContext },
): Placed {
  const { path, exact, of } = location;
  const { settings } = context.reader;
  const isGuest = of.ingress.meta.namespace !== context.owner;
  const wantsRegex = of.values["use-regex"] === true || rewrites(location);
  if (isGuest && wantsRegex && !plainPath.test(path))
    return {
      problem: `is a regular expression, which a host takes from the namespace of its oldest Ingress alone (${context.owner})`,
    };
  if (!regex) return placePlain(location, all, context);
  const other = all.some((one) => one.exact && one.path === path && !exact);
  const text = isGuest ? quoteRegex(path) : path;
  const value = anchored(other && !text.endsWith("/") ? `${text}/` : text);
  const problem =
    regexProblem(value, settings.budgets.regexProgramSize) ??
    (isPath(path.replace(/[?#\s]/g, "")) ? undefined : "must start with /");
  if (problem) return { problem: `is no regular expression that Envoy takes: ${problem}` };
  return { match: { kind: "regex", value, length: path.length + Number(other) } };
}

function placePlain(
  { path, exact }: NginxLocation,
  all: readonly NginxLocation[],
  { reader }: NginxHostContext,
): Placed {
  if (!isPath(path)) return { problem: "must start with / and hold no query, space or control character" };
  const trimmed = trimSlashes(path);
  const match: PathMatch = exact
    ? { kind: "exact", value: path }
    : trimmed === ""
      ? { kind: "prefix", value: "/" }
      : path === trimmed
        ? { kind: "segment", value: path }
        : { kind: "prefix", value: `${trimmed}/` };
  const unreachable = unreachablePath(match, reader.settings);
  if (unreachable) return { problem: unreachable };
  const isTaken = all.some((one) => one.path === trimmed);
  return match.kind === "prefix" && trimmed !== "" && !isTaken
    ? { match, redirect: { kind: "exact", value: trimmed } }
    : { match };
}

/** Annotations that restrict access: without them, a path would be open. */
const restricting: readonly NginxAnnotation[] = [
  "allowlist-source-range",
  "auth-snippet",
  "auth-tls-secret",
  "auth-type",
  "auth-url",
  "configuration-snippet",
  "denylist-source-range",
  "enable-modsecurity",
  "limit-rpm",
  "limit-rps",
  "modsecurity-snippet",
  "whitelist-source-range",
];

/**
 * The match that is refused in place of a path that can't be served: all paths that start like its expression.
 * Otherwise a shorter path would answer these requests without the protection. Undefined if the Ingress restricts
 * nothing, or is not in the owner's namespace.
 */
export function closedPart(
  { path, of }: NginxLocation,
  regex: boolean,
  { owner }: NginxHostContext,
): PathMatch | undefined {
  const restricts = of.refusal !== undefined || restricting.some((name) => of.values[name] !== undefined);
  if (!restricts || of.ingress.meta.namespace !== owner) return undefined;
  const [found = "/"] = topAlternatives(path).length > 1 ? ["/"] : (/^\/[-_~/A-Za-z0-9]*/.exec(path) ?? []);
  // An optional character is not part of the common prefix.
  const literal = regex && /[?*{]/.test(path[found.length] ?? "") ? found.slice(0, -1) : found;
  return regex
    ? { kind: "regex", value: `(?i)${literal}.*`, length: path.length }
    : { kind: "prefix", value: literal };
}

/**
 * `~* "^PATH"` of nginx, for an engine that matches whole paths. nginx anchors only the first of several top-level
 * alternatives.
 */
function anchored(path: string): string {
  const [first = "", ...others] = topAlternatives(path);
  if (others.length === 0) return `(?i)${path}.*`;
  return `(?i)(?:${first}.*|.*(?:${others.join("|")}).*)`;
}

/** Splits a regular expression at each `|` outside of groups and classes. */
export function topAlternatives(expression: string): string[] {
  const parts = [""];
  let depth = 0;
  let inClass = false;
  for (let at = 0; at < expression.length; at++) {
    const character = expression[at] ?? "";
    const whole = character === "\\" ? expression.slice(at, ++at + 1) : character;
    if (whole === "[") inClass = true;
    else if (whole === "]") inClass = false;
    else if (whole === "(" && !inClass) depth++;
    else if (whole === ")" && !inClass) depth--;
    if (whole === "|" && depth === 0 && !inClass) parts.push("");
    else parts[parts.length - 1] += whole;
  }
  return parts;
}
