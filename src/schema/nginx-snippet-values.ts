import { headerValueProblem } from "./header-names.js";

/** A value with variables of nginx, as parts. */
export type SnippetValue = readonly ({ readonly text: string } | { readonly variable: string })[];

/** The variables that have an equivalent in a header format of Envoy. */
const variables = new Set([
  "host",
  "http_host",
  "proxy_add_x_forwarded_for",
  "remote_addr",
  "req_id",
  "request_id",
  "request_method",
  "request_uri",
  "scheme",
]);

/** The header of a variable `http_NAME`. */
export const headerOf = (variable: string): string | undefined =>
  /^http_([a-z0-9_]+)$/.exec(variable)?.[1]?.replaceAll("_", "-");

/** Reads a value; undefined if it has a variable without an equivalent, or a character that no header may have. */
export function readValue(text: string): SnippetValue | undefined {
  if (headerValueProblem(text) !== undefined) return undefined;
  const parts = text.split(/(\$\{?[A-Za-z0-9_]+\}?)/).filter((part) => part !== "");
  const read = parts.map((part) =>
    /^\$/.test(part) ? { variable: part.replace(/[${}]/g, "").toLowerCase() } : { text: part },
  );
  const isKnown = read.every(({ text, variable }) =>
    variable === undefined
      ? !text.includes("$")
      : variables.has(variable) || headerOf(variable) !== undefined,
  );
  return isKnown ? read : undefined;
}
