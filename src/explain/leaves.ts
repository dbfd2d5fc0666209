/** A difference between two JSON values; a side without the value has no text. */
export interface Detail {
  readonly what: string;
  readonly before?: string;
  readonly after?: string;
}

const maxText = 300;
/** Keys, certificates and the like: a difference is reported without the values. */
const hidden = new Set(["inline_bytes", "private_key"]);
/** Lists whose order matters. */
const ordered = new Set(["filters", "http_filters", "listener_filters"]);

type Fields = { readonly [key: string]: unknown };
const isFields = (value: unknown): value is Fields =>
  typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * The differences between two JSON values, with paths of Envoy's fields. Lists whose members all have distinct names
 * are compared by name.
 */
export function differences(before: unknown, after: unknown, path = ""): Detail[] {
  if (before === after || JSON.stringify(before) === JSON.stringify(after)) return [];
  const last = path.slice(path.lastIndexOf(".") + 1);
  if (hidden.has(last)) return [{ what: path, before: "(not shown)", after: "(not shown)" }];
  const [a, b] = [membersOf(before), membersOf(after)];
  if (!a || !b) return [leaf(path, before, after)];
  const keys = [...new Set([...Object.keys(a.members), ...Object.keys(b.members)])];
  const details = keys.flatMap((key) => {
    const step = a.list || b.list ? `${path}[${key}]` : path ? `${path}.${key}` : key;
    return differences(a.members[key], b.members[key], step);
  });
  if (details.length > 0 || !ordered.has(last)) return details;
  return [leaf(path, Object.keys(a.members), Object.keys(b.members))];
}

/** The members of an object or list by key; undefined for other values. */
function membersOf(value: unknown): { readonly members: Fields; readonly list: boolean } | undefined {
  if (isFields(value)) return { members: value, list: false };
  if (!Array.isArray(value)) return undefined;
  const names = value.map((item: unknown) =>
    isFields(item) && typeof item.name === "string" ? item.name : "",
  );
  const named = names.every((name) => name !== "") && new Set(names).size === names.length;
  return {
    members: Object.fromEntries(value.map((item, i) => [named ? names[i] : `${i}`, item])),
    list: true,
  };
}

const leaf = (what: string, before: unknown, after: unknown): Detail => ({
  what,
  ...(before === undefined ? {} : { before: show(before) }),
  ...(after === undefined ? {} : { after: show(after) }),
});

function show(value: unknown): string {
  if (typeof value === "string") return value;
  const text = JSON.stringify(value, (key, inner: unknown) => (hidden.has(key) ? "(not shown)" : inner));
  return text.length > maxText ? `${text.slice(0, maxText - 3)}...` : text;
}

/** Differences between two lists of facts, by subject. */
export function factDifferences(before: readonly Labelled[], after: readonly Labelled[]): Detail[] {
  const [a, b] = [grouped(before), grouped(after)];
  return [...new Set([...a.keys(), ...b.keys()])]
    .filter((what) => a.get(what) !== b.get(what))
    .map((what) => leaf(what, a.get(what), b.get(what)));
}

interface Labelled {
  readonly what: string;
  readonly value: string;
}

function grouped(facts: readonly Labelled[]): Map<string, string> {
  const found = new Map<string, string>();
  for (const { what, value } of facts)
    found.set(what, found.has(what) ? `${found.get(what)}; ${value}` : value);
  return found;
}
