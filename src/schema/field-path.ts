import { quote } from "./words.js";

/**
 * A field of an object, from the outermost on: names of fields and places in lists. Findings keep it as printed, because that is what is stored,
 * sent and shown; only this module prints it and reads it.
 */
export type FieldPath = readonly (string | number)[];

/** `spec.routes[0].services[1].port`; keys that are no plain words are quoted: `metadata.annotations["a/b"]`. */
export const pathText = (path: readonly PropertyKey[]): string =>
  path.reduce<string>((text, key) => {
    if (typeof key === "number") return `${text}[${key}]`;
    const word = String(key);
    if (!/^[\w-]+$/.test(word)) return `${text}[${quote(word)}]`;
    return text ? `${text}.${word}` : word;
  }, "");

const step = /\[("(?:[^"\\]|\\.)*")\]|\[(\d+)\]|([^.[\]]+)/g;

/** Reads what `pathText` writes. */
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

/** The path of a field of what stands at another path. */
export function joinPaths(outer: string, inner: string): string {
  if (outer === "" || inner === "") return outer || inner;
  return inner.startsWith("[") ? outer + inner : `${outer}.${inner}`;
}

/** Whether a path is that of a field or of something inside it. */
export function isWithin(path: string, field: string): boolean {
  const [inner, outer] = [pathOf(path), pathOf(field)];
  return outer.every((key, i) => inner[i] === key);
}

/** The place in a list, such as 1 for `spec.listeners[1].tls` and the list `spec.listeners`; undefined for what is not in the list. */
export function indexIn(path: string, list: string): number | undefined {
  const outer = pathOf(list);
  const index = isWithin(path, list) ? pathOf(path)[outer.length] : undefined;
  return typeof index === "number" ? index : undefined;
}
