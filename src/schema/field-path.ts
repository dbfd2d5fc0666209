import { quote } from "./words.js";

/**
 * The path of a field: field names and list indexes, outermost first. Findings contain the path as text, because it is
 * stored, sent and shown as text; only this module prints and parses it.
 */
export type FieldPath = readonly (string | number)[];

/**
 * `spec.routes[0].services[1].port`; keys with other characters than `\w` and `-` are quoted:
 * `metadata.annotations["a/b"]`.
 */
export const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    const word = String(key);
    if (!/^[\w-]+$/.test(word)) return `${text}[${quote(word)}]`;
    return text ? `${text}.${word}` : word;
  }, "");

const step = /\[("(?:[^"\\]|\\.)*")\]|\[(\d+)\]|([^.[\]]+)/g;

/** Parses the output of `pathText`. */
export const pathOf = (text: string): FieldPath =>
  Array.from(text.matchAll(step), ([, quoted, index, word]) =>
    quoted === undefined ? (word ?? Number(index)) : unquoted(quoted),
  );

function unquoted(text: string): string {
  try {
    return JSON.parse(text) as string;
  } catch {
    return text.slice(1, -1);
  }
}

/** The path `inner`, which is relative to the path `outer`, as a whole path. */
export function joinPaths(outer: string, inner: string): string {
  if (outer === "" || inner === "") return outer || inner;
  return inner.startsWith("[") ? outer + inner : `${outer}.${inner}`;
}

/** Whether a path is the path of a field or of a value inside it. */
export function isWithin(path: string, field: string): boolean {
  const [inner, outer] = [pathOf(path), pathOf(field)];
  return outer.every((key, i) => inner[i] === key);
}

/**
 * The list index in a path: 1 for `spec.listeners[1].tls` and the list `spec.listeners`; undefined for a path outside
 * of the list.
 */
export function indexIn(path: string, list: string): number | undefined {
  const outer = pathOf(list);
  const index = isWithin(path, list) ? pathOf(path)[outer.length] : undefined;
  return typeof index === "number" ? index : undefined;
}
