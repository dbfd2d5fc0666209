import { contentHash } from "../xds/hash.js";
import type { ResourceSet } from "./snapshot.js";
import { formatVersion, hashSet } from "./version.js";

/** What is served of one type: a set of resources and its version. */
export interface Served {
  readonly set: ResourceSet;
  /** Content hash of each resource, by name. */
  readonly hashes: ReadonlyMap<string, string>;
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

/** Gives a set its version; only what differs from `before` is hashed. */
export function serveSet(set: ResourceSet, sequence: number, before?: Served): Served {
  const hashes = new Map<string, string>();
  const hash = hashSet(set, (name, json) => {
    const known = before?.set.get(name) === json ? before.hashes.get(name) : undefined;
    const found = known ?? contentHash(json);
    hashes.set(name, found);
    return found;
  });
  return { set, hashes, hash, sequence, version: formatVersion({ sequence, hash }) };
}

/** Envoy asks for one name at a time; of other clients' combinations only so many are kept. */
const maxCombinations = 256;
const selections = new WeakMap<Served, { single: Map<string, Selection>; several: Map<string, Selection> }>();

/**
 * What is served under some names, with a version of just these: a change elsewhere wakes nobody. Undefined when a
 * name is not served.
 */
export function selectVersion(served: Served, names: readonly string[]): Selection | undefined {
  if (names.length === 0) return { resources: served.set, hash: served.hash, version: served.version };
  const caches = selections.get(served) ?? { single: new Map(), several: new Map() };
  selections.set(served, caches);
  const cache = names.length === 1 ? caches.single : caches.several;
  const key = names.length === 1 ? (names[0] ?? "") : JSON.stringify(names);
  const found = cache.get(key);
  if (found) return found;
  const resources = new Map<string, string>();
  for (const name of names) {
    const json = served.set.get(name);
    if (json === undefined) return undefined;
    resources.set(name, json);
  }
  const hash = hashSet(resources, (name) => served.hashes.get(name) ?? "");
  const selection = { resources, hash, version: formatVersion({ sequence: served.sequence, hash }) };
  if (names.length === 1 || cache.size < maxCombinations) cache.set(key, selection);
  return selection;
}
