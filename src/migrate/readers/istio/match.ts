import type { HeaderMatch, Match, PathMatch } from "../../../graph/matches/match-types.js";
import { quoteRegex } from "../../../graph/matches/order.js";
import type { Field } from "../../field.js";
import {
  anyCasePrefix,
  anyPath,
  exact,
  header,
  matchOf,
  method,
  methods,
  prefix,
  query,
  regex,
} from "../../matches.js";

/** One entry of `match`. */
export interface IstioMatch {
  readonly match: Match;
  /** The host that the entry requires, if any. */
  readonly authority?: string;
  readonly scheme?: string;
  readonly port?: number;
  readonly gateways: readonly string[];
  /** Whether the entry is only for requests inside the mesh. */
  readonly isOfMesh: boolean;
  readonly problem?: string;
}

/** The entries of `match`; without entries, one entry for any request. */
export function matchesOf(field: Field): IstioMatch[] {
  const items = field.items();
  return items.length > 0
    ? items.map(readMatch)
    : [{ match: matchOf(anyPath), gateways: [], isOfMesh: false }];
}

function readMatch(field: Field): IstioMatch {
  const problems: string[] = [];
  const ignoreCase = field.at("ignoreUriCase").flag() ?? false;
  const headers: HeaderMatch[] = [];
  for (const [name, value] of field.at("headers").entries()) headers.push(headerOf(name, value, false));
  for (const [name, value] of field.at("withoutHeaders").entries()) headers.push(headerOf(name, value, true));
  const asked = stringMatch(field.at("method"));
  if (asked?.kind === "exact" && methods.includes(asked.value)) headers.push(method(asked.value));
  else if (asked) problems.push(`the method ${asked.value} can't be said`);
  const queries = field
    .at("queryParams")
    .entries()
    .map(([name, value]) => {
      const found = stringMatch(value);
      return found ? query(name, found.kind, found.value) : query(name, "present");
    });
  const authority = stringMatch(field.at("authority"));
  if (authority && authority.kind !== "exact")
    problems.push("the host can't be compared by a prefix or a regular expression");
  const scheme = stringMatch(field.at("scheme"));
  const port = field.at("port").number();
  const labels = field.at("sourceLabels").entries();
  const namespace = field.at("sourceNamespace").text();
  return {
    match: matchOf(pathOf(field.at("uri"), ignoreCase), headers, queries),
    ...(authority?.kind === "exact" ? { authority: authority.value.toLowerCase() } : {}),
    ...(scheme?.kind === "exact" ? { scheme: scheme.value } : {}),
    ...(port === undefined ? {} : { port }),
    gateways: field.at("gateways").texts(),
    isOfMesh: labels.length > 0 || Boolean(namespace),
    ...(problems[0] === undefined ? {} : { problem: problems[0] }),
  };
}

interface StringMatch {
  readonly kind: "exact" | "prefix" | "regex";
  readonly value: string;
}

function stringMatch(field: Field): StringMatch | undefined {
  for (const kind of ["exact", "prefix", "regex"] as const) {
    const value = field.at(kind).text();
    if (value !== undefined) return { kind, value };
  }
  field.use();
  return undefined;
}

function pathOf(field: Field, ignoreCase: boolean): PathMatch {
  const found = stringMatch(field);
  if (!found) return anyPath;
  const { kind, value } = found;
  if (kind === "regex") return regex(value);
  if (ignoreCase) return kind === "exact" ? regex(`(?i)${quoteRegex(value)}`) : anyCasePrefix(value);
  return kind === "exact" ? exact(value) : prefix(value);
}

function headerOf(name: string, field: Field, invert: boolean): HeaderMatch {
  const found = stringMatch(field);
  if (!found) return header(name, "present", "", { invert });
  const options = { invert, ...(invert ? { treatMissingAsEmpty: true } : {}) };
  if (found.kind === "prefix") return header(name, "regex", `${quoteRegex(found.value)}.*`, options);
  return header(name, found.kind, found.value, options);
}

/** The match of a delegate within the match of its parent; undefined if no request matches both. */
export function merged(parent: IstioMatch, child: IstioMatch): IstioMatch | undefined {
  const [outer, inner] = [parent.match.path, child.match.path];
  const isWide = outer.kind === "prefix" && (outer.value === "/" || inner.value.startsWith(outer.value));
  const isNarrow = inner.kind === "prefix" && inner.value === "/";
  if (!isWide && !isNarrow) return undefined;
  const match = matchOf(
    isNarrow ? outer : inner,
    [...parent.match.headers, ...child.match.headers],
    [...parent.match.queries, ...child.match.queries],
  );
  return { ...parent, ...child, match, gateways: parent.gateways };
}
