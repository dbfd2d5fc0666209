import type { NginxAnnotation } from "../../../schema/ingress-nginx.js";
import type { PathMatch } from "../../matches/match-types.js";
import { isPath, trimSlashes, unreachablePath } from "../../matches/normalize-path.js";
import { quoteRegex } from "../../matches/order.js";
import { regexProblem } from "../../matches/regex.js";
import type { Ingress } from "../ingress/ingress.js";
import { type AnnotatedIngress, type NginxHostContext, type } from "./annotated-ingress.js";

type Rule = NonNullable<Ingress["spec"]["rules"]>[number];
export type BackendFields = NonNullable<Rule["http"]>["paths"][number]["backend"];

/** A path of a host, as ingress-nginx makes one of each path of a rule. */
export interface NginxLocation {
  /** As it is written. */
  readonly path: string;
  readonly exact: boolean;
  readonly of: AnnotatedIngress;
  /** Absent: 404, as the default backend answers. */
  readonly backend?: BackendFields;
  /** Field path of the backend. */
  readonly field: string;
}

/** The hosts of rules without a host, and of default backends. */
const hostOf = ({ host }: Rule): string => (host || "*").toLowerCase();

export const hasRuleFor = (ingress: Ingress, host: string): boolean =>
  (ingress.spec.rules ?? []).some((rule) => hostOf(rule) === host) ||
  (host === "*" && ingress.spec.defaultBackend !== undefined && !ingress.spec.rules?.length);

/**
 * The locations of a host, the oldest Ingress first. There is one for `/` with the annotations of the oldest Ingress, in whose place an
 * explicit one comes. A path that a host has already is left out, and its Ingress is told.
 */
export function readLocations(
  mains: readonly AnnotatedIngress[],
  { host, report }: NginxHostContext,
): readonly NginxLocation[] {
  const [first] = mains;
  if (!first) return [];
  const added: NginxLocation = {
    path: "/",
    exact: false,
    of: first,
    field: first.ingress.spec.defaultBackend ? "spec.defaultBackend" : "spec.rules",
    ...(first.ingress.spec.defaultBackend ? { backend: first.ingress.spec.defaultBackend } : {}),
  };
  const found = new Map<string, NginxLocation>();
  for (const of of mains)
    for (const location of pathsOf(of, host)) {
      const key = `${location.exact} ${location.path}`;
      const earlier = found.get(key);
      if (!earlier) found.set(key, location);
      else if (earlier.of !== of) {
        const message = `host ${JSON.stringify(host)}: ${earlier.of.ingress.ref} is older and has the path ${JSON.stringify(location.path)}, too`;
        report.warn(of.ingress.ref, type, "SameMatch", message, location.field);
      }
    }
  if (!found.has("false /")) found.set("false /", added);
  return [...found.values()];
}

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

/** Whether `rewrite-target` changes anything: where it is the path itself, ingress-nginx leaves it out. */
export const rewrites = ({ path, of }: Pick<NginxLocation, "path" | "of">): boolean => {
  const target = of.values["rewrite-target"];
  return target !== undefined && target !== "" && target !== path;
};

/** Whether all paths of a host are regular expressions: some Ingress of the owner's namespace says so. */
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

/** How requests for a location are found. `redirect`: the path without its last slash, which is answered by a redirect to it. */
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

/** Annotations whose loss would open a path. */
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
 * What is closed in place of a path that can't be served, so that no shorter path answers its requests without the protection: all that
 * begins as its expression does. Nothing of an Ingress that restricts nothing, nor of one that has no say for the host.
 */
export function closedPart(
  { path, of }: NginxLocation,
  regex: boolean,
  { owner }: NginxHostContext,
): PathMatch | undefined {
  const restricts = of.refusal !== undefined || restricting.some((name) => of.values[name] !== undefined);
  if (!restricts || of.ingress.meta.namespace !== owner) return undefined;
  const [found = "/"] = topAlternatives(path).length > 1 ? ["/"] : (/^\/[-_~/A-Za-z0-9]*/.exec(path) ?? []);
  // A character that may be absent is no part of what all begins with.
  const literal = regex && /[?*{]/.test(path[found.length] ?? "") ? found.slice(0, -1) : found;
  return regex
    ? { kind: "regex", value: `(?i)${literal}.*`, length: path.length }
    : { kind: "prefix", value: literal };
}

/**
 * `~* "^PATH"` of nginx for an engine that compares whole paths. Of alternatives at the top nginx anchors the first alone.
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
