import type { ResourceSet } from "./snapshot.js";
import { formatVersion, hashSet } from "./version.js";

/** What is served of one type: a set of resources and its version. */
export interface Served {
  readonly set: ResourceSet;
  readonly hash: string;
  readonly sequence: number;
  readonly version: string;
}

/** The part of a type that a request asks for; without names, all of it. */
export interface Selection {
  readonly resources: ResourceSet;
  readonly hash: string;
  readonly version: string;
}

const selections = new WeakMap<Served, Map<string, Selection>>();

/**
 * What is served under some names, with a version of just these: a change elsewhere wakes nobody. Undefined when a
 * name is not served.
 */
export function selectVersion(served: Served, names: readonly string[]): Selection | undefined {
  if (names.length === 0) return { resources: served.set, hash: served.hash, version: served.version };
  const cache = selections.get(served) ?? new Map<string, Selection>();
  selections.set(served, cache);
  const key = names.join("\n");
  const found = cache.get(key);
  if (found) return found;
  const resources = new Map<string, string>();
  for (const name of names) {
    const json = served.set.get(name);
    if (json === undefined) return undefined;
    resources.set(name, json);
  }
  const hash = hashSet(resources);
  const selection = { resources, hash, version: formatVersion({ sequence: served.sequence, hash }) };
  if (cache.size < 65_536) cache.set(key, selection);
  return selection;
}
