import type { HeaderMatch, PathMatch, QueryMatch } from "../../../graph/matches/match-types.js";
import { exact, header, method, prefix, query, regex, wholeRegex } from "../../matches.js";

/** One alternative of a rule. All its conditions must match. */
export interface Branch {
  /** Lower case; `*` is any host. */
  readonly hosts: readonly string[];
  readonly path: PathMatch;
  readonly headers: readonly HeaderMatch[];
  readonly queries: readonly QueryMatch[];
  /** A condition that cannot be expressed. Without it, the branch matches more requests than the source. */
  readonly problem?: string;
}

type Expression =
  | { readonly kind: "and" | "or"; readonly of: readonly Expression[] }
  | { readonly kind: "not"; readonly of: Expression }
  | { readonly kind: "call"; readonly name: string; readonly values: readonly string[] };

interface Term {
  readonly name: string;
  readonly values: readonly string[];
  readonly isNot: boolean;
}

const mostBranches = 64;

/**
 * Parses a rule of Traefik, in the syntax of version 3 or, with `isOld`, of version 2.
 *
 * @returns its branches, or the reason why it cannot be parsed.
 */
export function readRule(text: string, { isOld }: { readonly isOld: boolean }): readonly Branch[] | string {
  const expression = new Parser(text).read();
  if (typeof expression === "string") return expression;
  const branches = expand(expression, false, isOld);
  if (branches.length > mostBranches) return `has more than ${mostBranches} alternatives`;
  return branches.map((terms) => branchOf(terms, isOld));
}

class Parser {
  #tokens: string[];
  #at = 0;

  constructor(private readonly text: string) {
    this.#tokens = text.match(/`[^`]*`|"(?:\\.|[^"\\])*"|&&|\|\||[!(),]|[A-Za-z]+|\S/g) ?? [];
  }

  read(): Expression | string {
    try {
      const found = this.#or();
      return this.#at < this.#tokens.length ? `can't be read at ${this.#tokens[this.#at]}` : found;
    } catch (error) {
      return error instanceof SyntaxError ? error.message : `can't be read: ${this.text}`;
    }
  }

  #take(token: string): boolean {
    if (this.#tokens[this.#at] !== token) return false;
    this.#at++;
    return true;
  }

  #or(): Expression {
    const of = [this.#and()];
    while (this.#take("||")) of.push(this.#and());
    return of.length === 1 && of[0] ? of[0] : { kind: "or", of };
  }

  #and(): Expression {
    const of = [this.#not()];
    while (this.#take("&&")) of.push(this.#not());
    return of.length === 1 && of[0] ? of[0] : { kind: "and", of };
  }

  #not(): Expression {
    if (this.#take("!")) return { kind: "not", of: this.#not() };
    if (this.#take("(")) {
      const inner = this.#or();
      if (!this.#take(")")) throw new SyntaxError("a ) is missing");
      return inner;
    }
    return this.#call();
  }

  #call(): Expression {
    const name = this.#tokens[this.#at++] ?? "";
    if (!/^[A-Za-z]+$/.test(name) || !this.#take("("))
      throw new SyntaxError(`can't be read at ${name || "its end"}`);
    const values: string[] = [];
    while (!this.#take(")")) {
      const token = this.#tokens[this.#at++];
      if (token === undefined || !/^[`"]/.test(token))
        throw new SyntaxError(`a value of ${name} can't be read`);
      values.push(token.startsWith("`") ? token.slice(1, -1) : token.slice(1, -1).replace(/\\(.)/g, "$1"));
      this.#take(",");
    }
    return { kind: "call", name, values };
  }
}

/** Expands an expression to alternatives, each a list of terms. Stops after one more than `mostBranches`. */
function expand(expression: Expression, isNot: boolean, isOld: boolean): Term[][] {
  if (expression.kind === "not") return expand(expression.of, !isNot, isOld);
  if (expression.kind === "call") return calls(expression, isNot, isOld);
  const isOr = (expression.kind === "or") !== isNot;
  const parts = expression.of.map((one) => expand(one, isNot, isOld));
  if (isOr) return parts.flat().slice(0, mostBranches + 1);
  return parts.reduce<Term[][]>(
    (all, part) => all.flatMap((terms) => part.map((more) => [...terms, ...more])).slice(0, mostBranches + 1),
    [[]],
  );
}

const pairs = ["Header", "Headers", "HeaderRegexp", "HeadersRegexp", "Query", "QueryRegexp"];

/** In version 2, a call has several values, and one of them must match. */
function calls(
  { name, values }: Extract<Expression, { kind: "call" }>,
  isNot: boolean,
  isOld: boolean,
): Term[][] {
  const isPair = pairs.includes(name) && !(isOld && name === "Query");
  const sets = isPair ? [values] : values.map((value) => [value]);
  if (isNot) return [sets.map((one) => ({ name, values: one, isNot }))];
  return sets.map((one) => [{ name, values: one, isNot }]);
}

function branchOf(terms: readonly Term[], isOld: boolean): Branch {
  const branch: {
    hosts: string[];
    paths: PathMatch[];
    headers: HeaderMatch[];
    queries: QueryMatch[];
    problem?: string;
  } = {
    hosts: [],
    paths: [],
    headers: [],
    queries: [],
  };
  for (const term of terms) {
    const problem = addTerm(term, branch, isOld);
    if (problem) branch.problem = problem;
  }
  const hosts = new Set(branch.hosts);
  if (hosts.size > 1) branch.problem = `asks for the hosts ${[...hosts].join(" and ")} at once`;
  if (branch.paths.length > 1) branch.problem = "has several conditions for the path";
  const [path = prefix("/")] = branch.paths;
  return {
    hosts: hosts.size > 0 ? [...hosts] : ["*"],
    path,
    headers: branch.headers,
    queries: branch.queries,
    ...(branch.problem === undefined ? {} : { problem: branch.problem }),
  };
}

interface Building {
  readonly hosts: string[];
  readonly paths: PathMatch[];
  readonly headers: HeaderMatch[];
  readonly queries: QueryMatch[];
}

/** Adds a term. Returns a description of the term if it cannot be expressed. */
function addTerm({ name, values, isNot }: Term, building: Building, isOld: boolean): string | undefined {
  const [first = "", second = ""] = values;
  const shown = `${isNot ? "!" : ""}${name}(${values.join(", ")})`;
  if (isNot) return addNot(name, values, building) ? undefined : `${shown} can't be said`;
  switch (name) {
    case "Host":
      building.hosts.push(first.toLowerCase().replace(/\.$/, ""));
      return undefined;
    case "HostRegexp":
      return addHostRegexp(first, building, isOld) ? undefined : `${shown} can't be said`;
    case "Path":
      building.paths.push(isOld && first.includes("{") ? regex(oldPattern(first)) : exact(first));
      return undefined;
    case "PathPrefix":
      building.paths.push(isOld && first.includes("{") ? regex(`${oldPattern(first)}.*`) : prefix(first));
      return undefined;
    case "PathRegexp":
      building.paths.push(regex(wholeRegex(first)));
      return undefined;
    case "Header":
    case "Headers":
      building.headers.push(header(first, "exact", second));
      return undefined;
    case "HeaderRegexp":
    case "HeadersRegexp":
      building.headers.push(header(first, "regex", wholeRegex(second)));
      return undefined;
    case "Method":
      building.headers.push(method(first));
      return undefined;
    case "Query":
      return addQuery(values, building, isOld) ? undefined : `${shown} can't be said`;
    case "QueryRegexp":
      building.queries.push(query(first, "regex", wholeRegex(second)));
      return undefined;
    default:
      return `${shown} can't be said`;
  }
}

function addNot(name: string, [first = "", second = ""]: readonly string[], { headers }: Building): boolean {
  if (name !== "Header" && name !== "Headers") return false;
  headers.push(header(first, "exact", second, { invert: true, treatMissingAsEmpty: true }));
  return true;
}

/** A pattern such as `.+` is any host. A pattern for one label before a fixed name is a wildcard. */
function addHostRegexp(pattern: string, { hosts }: Building, isOld: boolean): boolean {
  const text = isOld ? `^${oldPattern(pattern)}$` : pattern;
  if (/^\^?(?:\(\?:)?\.[+*]\)?\$?$/.test(text)) return true;
  const [, name] =
    /^\^(?:\(\?:)?\[\^?(?:\.|a-z0-9-|\\w-|a-zA-Z0-9-)\][+*]\)?\\?\.((?:[a-z0-9-]+\\?\.)*[a-z0-9-]+)\$$/.exec(
      text,
    ) ?? [];
  if (name === undefined) return false;
  hosts.push(`*.${name.replaceAll("\\.", ".")}`);
  return true;
}

/** Converts `{name:pattern}` of version 2 to a regular expression. */
const oldPattern = (text: string): string =>
  text.replace(/\{[^:}]*(?::((?:[^{}]|\{[^}]*\})*))?\}|[\\.+*?()|[\]^$]/g, (all, pattern?: string) => {
    if (!all.startsWith("{")) return `\\${all}`;
    return pattern === undefined ? "[^/]+" : `(?:${pattern})`;
  });

function addQuery(values: readonly string[], { queries }: Building, isOld: boolean): boolean {
  const [first = "", second] = values;
  const at = first.indexOf("=");
  if (!isOld && second !== undefined) queries.push(query(first, "exact", second));
  else if (isOld && at > 0) queries.push(query(first.slice(0, at), "exact", first.slice(at + 1)));
  else queries.push(query(first, "present"));
  return true;
}
