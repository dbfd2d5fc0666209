import { memoized } from "../schema/memoized.js";
import { type Linked, ResourceSet } from "./resource-set.js";
import { formatVersion } from "./version.js";

/** What is served of one type: a set of resources and its version. */
export interface Served {
  readonly set: ResourceSet;
  readonly sequence: number;
  readonly version: string;
}

/** The part of a type that a request asks for; without names, all of it. */
export interface Selection {
  readonly resources: ResourceSet;
  readonly version: string;
}

/** Gives a set its version; `target` is what of it stays. */
export const serveSet = (set: ResourceSet, sequence: number, target = set): Served => ({
  set,
  sequence,
  version: formatVersion({ sequence, hash: set.hash, target: target.hash }),
});

/** Envoy asks for one name at a time; of other clients' combinations only so many are kept. */
const maxCombinations = 256;
const selectionsOf = memoized((_: Served) => ({
  single: new Map<string, Selection>(),
  several: new Map<string, Selection>(),
}));

/**
 * What is served under some names, with a version of just these: a change elsewhere wakes nobody. Undefined when a
 * name is not served.
 */
export function selectVersion(served: Served, names: readonly string[]): Selection | undefined {
  if (names.length === 0) return { resources: served.set, version: served.version };
  const caches = selectionsOf(served);
  const cache = names.length === 1 ? caches.single : caches.several;
  const key = names.length === 1 ? (names[0] ?? "") : JSON.stringify(names);
  const found = cache.get(key);
  if (found) return found;
  const chosen = new Map<string, Linked>();
  for (const name of names) {
    const resource = served.set.get(name);
    if (!resource) return undefined;
    chosen.set(name, resource);
  }
  const resources = new ResourceSet(chosen);
  const version = formatVersion({ sequence: served.sequence, hash: resources.hash });
  const selection = { resources, version };
  if (names.length === 1 || cache.size < maxCombinations) cache.set(key, selection);
  return selection;
}
