import type { ValueMatch } from "../../../schema/gateway-routes.js";
import type { ObjectByKind } from "../../core/reader.js";
import type { HeaderMatch, Match, PathMatch, QueryMatch } from "../../matches/match-types.js";
import { isPath, trimSlashes } from "../../matches/normalize-path.js";
import { compareHeaders, compareQueries } from "../../matches/order.js";
import { regexProblem } from "../../matches/regex.js";
import type { GatewayRouteContext } from "./problems.js";

type HttpMatch = ObjectByKind<"HTTPRoute">["spec"]["rules"][number]["matches"][number];
type GrpcMatch = ObjectByKind<"GRPCRoute">["spec"]["rules"][number]["matches"][number];

/** Reads one match of an HTTPRoute; undefined, with a finding, if it is invalid. */
export function readHttpMatch(
  context: GatewayRouteContext,
  match: HttpMatch,
  path: string,
): Match | undefined {
  const found = readPath(context, match.path, `${path}.path`);
  const headers = readValues(context, match.headers, `${path}.headers`);
  const queries = readValues(context, match.queryParams, `${path}.queryParams`, false);
  if (!found || !headers || !queries) return undefined;
  if (match.method) headers.push({ name: ":method", kind: "exact", value: match.method });
  return matchOf(found, headers, queries);
}

const matchOf = (path: PathMatch, headers: readonly Value[], queries: readonly Value[]): Match => ({
  path,
  headers: headers.length === 0 ? none : headers.map(headerMatch).sort(compareHeaders),
  queries: queries.length === 0 ? none : queries.map(queryMatch).sort(compareQueries),
});

const none: readonly never[] = [];

const queryMatch = ({ name, kind, value }: Value): QueryMatch => ({ name, kind, value, ignoreCase: false });

const headerMatch = ({ name, kind, value }: Value): HeaderMatch => ({
  name,
  kind,
  value,
  invert: false,
  ignoreCase: false,
  treatMissingAsEmpty: false,
});

function readPath(
  { fail, reader }: GatewayRouteContext,
  { type, value }: HttpMatch["path"],
  at: string,
): PathMatch | undefined {
  const refuse = (message: string): undefined => fail("Accepted", "UnsupportedValue", message, `${at}.value`);
  if (type === "RegularExpression") {
    const wrong = regexProblem(value, reader.settings.budgets.regexProgramSize);
    return wrong ? refuse(`path ${JSON.stringify(value)} is not RE2: ${wrong}`) : { kind: "regex", value };
  }
  if (!isPath(value) || value.includes("//"))
    return refuse(
      `path ${JSON.stringify(value)} must start with / and hold no //, query, space or control character`,
    );
  if (type === "Exact") return { kind: "exact", value };
  const trimmed = trimSlashes(value);
  return trimmed === "" ? { kind: "prefix", value: "/" } : { kind: "segment", value: trimmed };
}

interface Value {
  readonly name: string;
  readonly kind: "exact" | "regex";
  readonly value: string;
}

/** Of several matches of one name, only the first applies (Gateway API, HTTPHeaderMatch.name). */
function readValues(
  { fail, reader }: GatewayRouteContext,
  matches: readonly ValueMatch[],
  path: string,
  ignoresCase = true,
): Value[] | undefined {
  if (matches.length === 0) return [];
  const found = new Map<string, Value>();
  for (const [i, { type, name, value }] of matches.entries()) {
    const key = ignoresCase ? name.toLowerCase() : name;
    const wrong =
      type === "RegularExpression"
        ? regexProblem(value, reader.settings.budgets.regexProgramSize)
        : undefined;
    if (wrong) {
      const message = `${JSON.stringify(value)} is not RE2: ${wrong}`;
      return fail("Accepted", "UnsupportedValue", message, `${path}[${i}].value`);
    }
    if (!found.has(key)) found.set(key, { name: key, kind: type === "Exact" ? "exact" : "regex", value });
  }
  return [...found.values()];
}

/** Reads one match of a GRPCRoute: a service, a method or both, as the path of the gRPC request. */
export function readGrpcMatch(
  context: GatewayRouteContext,
  match: GrpcMatch,
  path: string,
): Match | undefined {
  const found = readMethod(context, match.method, `${path}.method`);
  const headers = readValues(context, match.headers, `${path}.headers`);
  return found && headers && matchOf(found, headers, []);
}

function readMethod(
  { fail, reader }: GatewayRouteContext,
  match: GrpcMatch["method"],
  at: string,
): PathMatch | undefined {
  const { type = "Exact", service = "", method = "" } = match ?? {};
  if (match === undefined) return { kind: "prefix", value: "/" };
  const refuse = (message: string): undefined => fail("Accepted", "UnsupportedValue", message, at);
  if (service === "" && method === "") return refuse("a service or a method must be given");
  const isName = /^[\w.]+$/;
  if (type === "Exact") {
    if (![service, method].every((name) => name === "" || isName.test(name)))
      return refuse("a service and a method are names of letters, digits, _ and .");
    if (method === "") return { kind: "segment", value: `/${service}` };
    if (service !== "") return { kind: "exact", value: `/${service}/${method}` };
    return { kind: "regex", value: `/[^/]+/${method.replaceAll(".", "\\.")}` };
  }
  const value = `/${service ? `(?:${service})` : "[^/]+"}/${method ? `(?:${method})` : "[^/]+"}`;
  const { regexProgramSize } = reader.settings.budgets;
  const wrong = [service, method, value]
    .map((expression) => regexProblem(expression, regexProgramSize))
    .find((problem) => problem);
  return wrong ? refuse(`${JSON.stringify(value)} is not RE2: ${wrong}`) : { kind: "regex", value };
}

/** Two matches with the same key match the same requests. Most matches are a path alone. */
export const matchKey = ({ path, headers, queries }: Match): string =>
  headers.length + queries.length === 0
    ? `${path.kind} ${path.value}`
    : JSON.stringify([path, headers, queries]);
