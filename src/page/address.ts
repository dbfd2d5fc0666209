import { computed, signal } from "@preact/signals";

/** The parts of the URL's fragment: the view, the name of the item that it shows, and the query. */
export interface Address {
  readonly view: string;
  /** The decoded rest of the path, such as a host; empty if there is none. */
  readonly name: string;
  readonly query: URLSearchParams;
}

const hash = signal(location.hash);
addEventListener("hashchange", () => {
  hash.value = location.hash;
});

const decoded = (text: string): string => {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
};

export const address = computed((): Address => {
  const [path = "", query = ""] = hash.value.replace(/^#\/?/, "").split(/\?(.*)/s);
  const [view = "", ...rest] = path.split("/");
  return { view: view || "hosts", name: decoded(rest.join("/")), query: new URLSearchParams(query) };
});

/** The address of a view, for links. */
export function addressOf(
  view: string,
  name = "",
  query: Readonly<Record<string, string | undefined>> = {},
): string {
  const pairs = Object.entries(query).filter((pair): pair is [string, string] => Boolean(pair[1]));
  const search = new URLSearchParams(pairs).toString();
  return `#/${view}${name ? `/${encodeURIComponent(name)}` : ""}${search ? `?${search}` : ""}`;
}

/** Replaces the query of the address without a new entry in the browser's history. */
export function setQuery(query: Readonly<Record<string, string | undefined>>): void {
  const { view, name } = address.value;
  history.replaceState(null, "", addressOf(view, name, query));
  hash.value = location.hash;
}
