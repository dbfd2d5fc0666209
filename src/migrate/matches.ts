import type { HeaderMatch, Match, PathMatch, QueryMatch } from "../graph/matches/match-types.js";
import { compareHeaders, compareQueries, quoteRegex } from "../graph/matches/order.js";

export const methodHeader = ":method";

/** The HTTP methods of the Gateway API. */
export const methods: readonly string[] = [
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "DELETE",
  "CONNECT",
  "OPTIONS",
  "TRACE",
  "PATCH",
];

interface HeaderOptions {
  readonly invert?: boolean;
  readonly ignoreCase?: boolean;
  readonly treatMissingAsEmpty?: boolean;
}

export const header = (
  name: string,
  kind: HeaderMatch["kind"],
  value = "",
  { invert = false, ignoreCase = false, treatMissingAsEmpty = false }: HeaderOptions = {},
): HeaderMatch => ({ name: name.toLowerCase(), kind, value, invert, ignoreCase, treatMissingAsEmpty });

export const method = (name: string): HeaderMatch => header(methodHeader, "exact", name.toUpperCase());

export const query = (name: string, kind: QueryMatch["kind"], value = ""): QueryMatch => ({
  name,
  kind,
  value,
  ignoreCase: false,
});

export const matchOf = (
  path: PathMatch,
  headers: readonly HeaderMatch[] = [],
  queries: readonly QueryMatch[] = [],
): Match => ({
  path,
  headers: [...headers].sort(compareHeaders),
  queries: [...queries].sort(compareQueries),
});

export const anyPath: PathMatch = { kind: "prefix", value: "/" };
export const prefix = (value: string): PathMatch => ({ kind: "prefix", value: value === "" ? "/" : value });
export const exact = (value: string): PathMatch => ({ kind: "exact", value });
export const regex = (value: string): PathMatch => ({ kind: "regex", value });
/** A prefix match of whole path segments. */
export function segments(value: string): PathMatch {
  const path = value.replace(/\/+$/, "");
  return path === "" ? anyPath : { kind: "segment", value: path };
}

/** A case-insensitive prefix match, as a regular expression. */
export const anyCasePrefix = (value: string): PathMatch => regex(`(?i)${quoteRegex(value)}.*`);

/** Converts a regular expression that Go or nginx search anywhere in a text to one that matches the whole text. */
export function wholeRegex(searched: string): string {
  const flags = /^\(\?[a-z]+\)/.exec(searched)?.[0] ?? "";
  let body = searched.slice(flags.length);
  // Each branch at the top level has its own anchors.
  if (hasTopLevelBranch(body)) return `${flags}(?:.*(?:${body}).*)`;
  let start = ".*";
  let end = ".*";
  if (body.startsWith("^")) {
    start = "";
    body = body.slice(1);
  } else if (body.startsWith(".*")) start = "";
  if (body.endsWith("$") && !isEscaped(body, body.length - 1)) {
    end = "";
    body = body.slice(0, -1);
  } else if (body.endsWith(".*") && !isEscaped(body, body.length - 2)) end = "";
  return `${flags}${start}${body}${end}`;
}

function isEscaped(text: string, at: number): boolean {
  let slashes = 0;
  while (text[at - 1 - slashes] === "\\") slashes++;
  return slashes % 2 === 1;
}

/** Whether a regular expression has `|` outside groups and character classes. */
export function hasTopLevelBranch(text: string): boolean {
  let depth = 0;
  let inClass = false;
  for (let at = 0; at < text.length; at++) {
    const one = text[at];
    if (one === "\\") at++;
    else if (inClass) inClass = one !== "]";
    else if (one === "[") inClass = true;
    else if (one === "(") depth++;
    else if (one === ")") depth--;
    else if (one === "|" && depth === 0) return true;
  }
  return false;
}

/** The literal text at the start of all matches of a regular expression. */
export function literalHead(expression: string): string {
  if (/\(\?\w*i/.test(expression) || hasTopLevelBranch(expression)) return "/";
  let head = "";
  for (let at = expression.startsWith("^") ? 1 : 0; at < expression.length; at++) {
    let one = expression[at] ?? "";
    if (one === "\\" && /[^A-Za-z0-9]/.test(expression[at + 1] ?? "")) one = expression[++at] ?? "";
    else if (/[\\.+*?()|[\]{}^$]/.test(one)) break;
    if (/[*?{]/.test(expression[at + 1] ?? "")) break;
    head += one;
  }
  return head;
}

/** A regular expression for HTTPProxy, which requires a slash at the start. `/{0}` matches the empty text. */
export function slashedRegex(expression: string): string {
  if (expression.startsWith("/")) return expression;
  const [, flags, rest] = /^\(\?([a-zA-Z]+)\)\/(.*)$/s.exec(expression) ?? [];
  return flags === undefined ? `/{0}${expression}` : `/(?${flags}:${rest})`;
}
