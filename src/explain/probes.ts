import { RE2JS } from "re2js";
import type { RouteMatch, StringMatcher } from "../gen/envoy.js";
import { matchesPath } from "./match.js";

/** A request with all attributes that routes compare. */
export interface Probe {
  readonly method: string;
  readonly path: string;
  readonly query: string | undefined;
  readonly headers: ReadonlyMap<string, string>;
}

export interface Probes {
  readonly probes: readonly Probe[];
  /**
   * Whether the requests represent all possible ones: each other request is equivalent to one of them for these
   * matches.
   */
  readonly complete: boolean;
  /** Whether the list was cut at the limit. */
  readonly cut: boolean;
}

const maxPerPath = 64;
const maxProbes = 2000;

/**
 * Requests that cover the routes with these matches. Routes compare text only with their own strings, so a path for
 * each string, and one for each string with a suffix, represent all paths; the same holds for headers and query
 * parameters. It does not hold for regular expressions: some matching paths are tried for them.
 *
 * @param changed the matches whose routes differ: if the requests do not represent all, the list begins with one
 * request for each of these
 */
export function probesFor(matches: readonly RouteMatch[], changed: readonly RouteMatch[] = []): Probes {
  const { probes, complete, cut } = allProbes(matches);
  if (complete) return { probes, complete, cut };
  const distinct = new Map([...changed.flatMap(ownProbes), ...probes].map((probe) => [keyOf(probe), probe]));
  return { probes: [...distinct.values()].slice(0, maxProbes), complete, cut };
}

const keyOf = ({ method, path, query = "", headers }: Probe): string =>
  JSON.stringify([method, path, query, [...headers]]);

/** A request that meets the conditions of one match, if one is found in a simple way. */
function ownProbes(match: RouteMatch): readonly Probe[] {
  const [path] = pathsOf([match]).texts.filter((text) => matchesPath(match, { path: text }));
  if (path === undefined) return [];
  const set = new Map<string, string | undefined>();
  const more = otherThan(JSON.stringify(match).toLowerCase());
  const note = (key: string, matcher: StringMatcher = {}): void =>
    void set.set(key, valuesFor(matcher, more)[0] || more);
  for (const { name = "", string_match } of match.headers ?? [])
    if (!given.has(name.toLowerCase())) note(`h ${name.toLowerCase()}`, string_match);
  for (const { name, string_match } of match.query_parameters ?? []) note(`q ${name}`, string_match);
  return [probeOf(path, set)];
}

function allProbes(matches: readonly RouteMatch[]): Probes {
  const paths = pathsOf(matches);
  let { complete } = paths;
  let cut = false;
  const probes: Probe[] = [];
  for (const path of paths.texts) {
    const conditions = conditionsOf(matches.filter((match) => matchesPath(match, { path })));
    const sets = assignments(conditions.values);
    complete &&= conditions.complete && sets.complete;
    cut ||= sets.cut;
    for (const set of sets.all) probes.push(probeOf(path, set));
    if (probes.length > maxProbes) return { probes: probes.slice(0, maxProbes), complete: false, cut: true };
  }
  return { probes, complete, cut };
}

interface Texts {
  readonly texts: readonly string[];
  readonly complete: boolean;
}

function pathsOf(matches: readonly RouteMatch[]): Texts {
  const strings = new Set(["/"]);
  const examples = new Set<string>();
  for (const { prefix, path, path_separated_prefix: segment, safe_regex } of matches) {
    for (const text of [prefix, path, segment]) if (text) strings.add(text);
    if (segment) strings.add(`${segment}/`);
    if (safe_regex) for (const text of examplesOf(safe_regex.regex ?? "")) examples.add(text);
  }
  const more = otherThan([...strings].join("\n"));
  const texts = [...strings].flatMap((text) => [text, text + more]);
  return {
    // A path has no query, no white space and no character that a client would escape.
    texts: [...new Set([...texts, ...examples])].filter(
      (text) => /^\/[\x21-\x7e]*$/.test(text) && !/[?#]/.test(text),
    ),
    complete: examples.size === 0 && matches.every(({ safe_regex }) => !safe_regex),
  };
}

/** A word that is not part of any of the texts. */
function otherThan(texts: string): string {
  for (let i = 0; ; i++) {
    const word = i === 0 ? "other" : `other${i}`;
    if (!texts.includes(word)) return word;
  }
}

/** Texts that a simple regular expression matches; empty when none is found. */
function examplesOf(regex: string): string[] {
  const text = regex
    .replace(/^\^|\$$/g, "")
    .replace(/\((?:\?:)?([^()|]*)(?:\|[^()]*)?\)\?/g, "")
    .replace(/\((?:\?:)?([^()|]*)(?:\|[^()]*)?\)/g, "$1")
    .replace(/(?:\\d|\[0-9\])(?:\+|\*|\{\d+(?:,\d*)?\})?/g, "1")
    .replace(/(?:\\w|\[[^\]]*\]|(?<!\\)\.)(?:[+*]\??|\{\d+(?:,\d*)?\})?/g, "x")
    .replace(/\\(.)/g, "$1");
  return [text, `/${text}`].filter((one) => RE2JS.compile(regex).matcher(one).matches());
}

/** Values to try for each header (`h name`) and query parameter (`q name`); undefined: absent. */
type Values = ReadonlyMap<string, readonly (string | undefined)[]>;

/** Headers that a client can't choose, or that the host determines. */
const given = new Set([":authority", "host", ":scheme", ":path", "x-forwarded-proto"]);
const pathFields = new Set(["prefix", "path", "path_separated_prefix", "safe_regex"]);
const methods = ["GET", "POST", "PUT", "DELETE", "PATCH", "OPTIONS", "HEAD", "TRACE", "CONNECT"];

function conditionsOf(matches: readonly RouteMatch[]): {
  readonly values: Values;
  readonly complete: boolean;
} {
  const matchers = new Map<string, StringMatcher[]>();
  let complete = true;
  const note = (key: string, matcher: StringMatcher | undefined): void => {
    const all = matchers.get(key) ?? [];
    if (matcher && !all.some((one) => JSON.stringify(one) === JSON.stringify(matcher))) all.push(matcher);
    matchers.set(key, all);
  };
  for (const { headers = [], query_parameters = [], ...rest } of matches) {
    if (Object.keys(rest).some((field) => !pathFields.has(field))) complete = false;
    for (const { name = "", string_match } of headers) {
      if (given.has(name.toLowerCase())) complete = false;
      else note(`h ${name.toLowerCase()}`, string_match);
    }
    for (const { name, string_match } of query_parameters) note(`q ${name}`, string_match);
  }
  const values = new Map<string, readonly (string | undefined)[]>();
  for (const [key, all] of matchers) {
    const exact = all.filter((matcher) => matcher.exact !== undefined);
    const isBlurred = all.some(
      ({ safe_regex, ignore_case }) => safe_regex || (ignore_case && all.length > 1),
    );
    if (all.length - exact.length > 1 || isBlurred) complete = false;
    if (key !== "h :method") {
      const more = otherThan(JSON.stringify(all).toLowerCase());
      values.set(key, [...new Set([undefined, ...all.flatMap((matcher) => valuesFor(matcher, more)), more])]);
    } else {
      const named = exact.flatMap((matcher) => matcher.exact ?? []);
      values.set(key, [...new Set([methods.find((method) => !named.includes(method)), ...named])]);
    }
  }
  return { values, complete };
}

function valuesFor({ exact, prefix, suffix, contains, safe_regex }: StringMatcher, more: string): string[] {
  if (prefix !== undefined) return [prefix, prefix + more];
  if (suffix !== undefined) return [suffix, more + suffix];
  if (contains !== undefined) return [contains, more + contains + more];
  if (safe_regex) return examplesOf(safe_regex.regex ?? "").slice(0, 1);
  return [exact ?? ""];
}

type Assignment = ReadonlyMap<string, string | undefined>;

/** Every combination, or, if there are too many, each value alone. */
function assignments(values: Values): {
  readonly all: readonly Assignment[];
  readonly complete: boolean;
  readonly cut: boolean;
} {
  const count = [...values.values()].reduce((product, { length }) => product * length, 1);
  let all: Map<string, string | undefined>[] = [new Map()];
  if (count <= maxPerPath) {
    for (const [key, some] of values)
      all = all.flatMap((one) => some.map((value) => new Map([...one, [key, value]])));
    return { all, complete: true, cut: false };
  }
  for (const [key, some] of values) for (const value of some) all.push(new Map([[key, value]]));
  return { all: all.slice(0, maxPerPath), complete: false, cut: all.length > maxPerPath };
}

function probeOf(path: string, set: Assignment): Probe {
  const headers = new Map<string, string>();
  const query: string[] = [];
  let method = "GET";
  for (const [key, value] of set) {
    const name = key.slice(2);
    if (value === undefined) continue;
    if (name === ":method" && key.startsWith("h")) method = value;
    else if (key.startsWith("h")) headers.set(name, value);
    else query.push(`${name}=${value}`);
  }
  return { method, path, query: query.length > 0 ? query.join("&") : undefined, headers };
}
