import { memoized } from "../schema/memoized.js";
import { type Linked, ResourceSet } from "./resource-set.js";
import { formatVersion } from "./version.js";

/** The served resources of one type, with their version. */
export interface Served {
  readonly set: ResourceSet;
  readonly sequence: number;
  readonly version: string;
}

/** The resources that a request selects; all resources of the type for a request without names. */
export interface Selection {
  readonly resources: ResourceSet;
  readonly version: string;
}

/** Adds a version to a set; `target` is the set without the resources that will be removed. */
export const serveSet = (set: ResourceSet, sequence: number, target = set): Served => ({
  set,
  sequence,
  version: formatVersion({ sequence, hash: set.hash, target: target.hash }),
});

/**
 * The limit of cached selections with several names. Envoy requests one name at a time; other clients may combine
 * names.
 */
const maxCombinations = 256;
const selectionsOf = memoized((_: Served) => ({
  single: new Map<string, Selection>(),
  several: new Map<string, Selection>(),
}));

/**
 * The served resources with some names. The version depends only on them, so that changes of other resources do not
 * answer a held poll. Undefined when a name is not served.
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
