import type { Finding, Ref } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import type { ClaimKey, Compiled, ReadKey, Resource, ResourceType, Store, UnitKey } from "./store.js";

/** Several units may emit one resource (a shared cluster): it lives as long as the last of them. */
interface Shared {
  resource: Resource;
  users: number;
}

/** The resources of one type and group, with a sorted view that is made again only after a change of names. */
class Group {
  readonly byName = new Map<string, Shared>();
  #sorted: string[] | undefined;

  add(resource: Resource): void {
    const shared = this.byName.get(resource.name);
    if (shared) {
      shared.resource = resource;
      shared.users++;
      return;
    }
    this.byName.set(resource.name, { resource, users: 1 });
    this.#sorted = undefined;
  }

  remove(name: string): void {
    const shared = this.byName.get(name);
    if (!shared || --shared.users > 0) return;
    this.byName.delete(name);
    this.#sorted = undefined;
  }

  *sorted(): Iterable<Resource> {
    this.#sorted ??= [...this.byName.keys()].sort();
    for (const name of this.#sorted) {
      const shared = this.byName.get(name);
      if (shared) yield shared.resource;
    }
  }
}

/** A multimap whose common case, one value for a key, costs no Set. */
class Index<V extends string> {
  readonly #map = new Map<string, V | Set<V>>();

  add(key: string, value: V): void {
    const held = this.#map.get(key);
    if (held === undefined) this.#map.set(key, value);
    else if (held instanceof Set) held.add(value);
    else if (held !== value) this.#map.set(key, new Set([held, value]));
  }

  remove(key: string, value: V): void {
    const held = this.#map.get(key);
    if (held === value) this.#map.delete(key);
    else if (held instanceof Set) {
      held.delete(value);
      if (held.size === 0) this.#map.delete(key);
    }
  }

  get(key: string): readonly V[] {
    const held = this.#map.get(key);
    if (held === undefined) return [];
    return held instanceof Set ? [...held].sort() : [held];
  }
}

const groupKey = (type: ResourceType, group: string): string => `${type}/${group}`;

class MemoryStore implements Store {
  readonly #objects = new Map<Ref, KubeObject>();
  readonly #claims = new Map<Ref, readonly ClaimKey[]>();
  readonly #claimants = new Index<Ref>();
  readonly #units = new Map<UnitKey, Compiled>();
  readonly #readers = new Index<UnitKey>();
  readonly #groups = new Map<string, Group>();
  readonly #cursors = new Map<string, string>();

  object(ref: Ref): KubeObject | undefined {
    return this.#objects.get(ref);
  }

  objects(): Iterable<KubeObject> {
    return this.#objects.values();
  }

  putObject(object: KubeObject, claims: readonly ClaimKey[]): void {
    this.#dropClaims(object.ref);
    this.#objects.set(object.ref, object);
    if (claims.length === 0) return;
    this.#claims.set(object.ref, claims);
    for (const key of claims) this.#claimants.add(key, object.ref);
  }

  deleteObject(ref: Ref): void {
    this.#dropClaims(ref);
    this.#objects.delete(ref);
  }

  #dropClaims(ref: Ref): void {
    for (const key of this.claimsOf(ref)) this.#claimants.remove(key, ref);
    this.#claims.delete(ref);
  }

  claimsOf(ref: Ref): readonly ClaimKey[] {
    return this.#claims.get(ref) ?? [];
  }

  claimants(key: ClaimKey): readonly Ref[] {
    return this.#claimants.get(key);
  }

  readers(key: ReadKey): readonly UnitKey[] {
    return this.#readers.get(key);
  }

  unit(key: UnitKey): Compiled | undefined {
    return this.#units.get(key);
  }

  units(): Iterable<Compiled> {
    return this.#units.values();
  }

  putUnit(unit: Compiled): void {
    const old = this.#units.get(unit.unit);
    this.#units.set(unit.unit, unit);
    for (const resource of unit.resources) this.#group(resource.type, resource.group).add(resource);
    for (const key of unit.reads) this.#readers.add(key, unit.unit);
    if (!old) return;
    this.#dropResources(old);
    const kept = new Set(unit.reads);
    for (const key of old.reads) if (!kept.has(key)) this.#readers.remove(key, unit.unit);
  }

  deleteUnit(key: UnitKey): void {
    const old = this.#units.get(key);
    if (!old) return;
    this.#units.delete(key);
    this.#dropResources(old);
    for (const read of old.reads) this.#readers.remove(read, key);
  }

  #dropResources(unit: Compiled): void {
    for (const { type, group, name } of unit.resources) this.#groups.get(groupKey(type, group))?.remove(name);
  }

  #group(type: ResourceType, group: string): Group {
    const key = groupKey(type, group);
    let found = this.#groups.get(key);
    if (!found) {
      found = new Group();
      this.#groups.set(key, found);
    }
    return found;
  }

  resources(type: ResourceType, group = ""): Iterable<Resource> {
    return this.#groups.get(groupKey(type, group))?.sorted() ?? [];
  }

  resource(type: ResourceType, group: string, name: string): Resource | undefined {
    return this.#groups.get(groupKey(type, group))?.byName.get(name)?.resource;
  }

  findings(): Iterable<Finding> {
    const all: Finding[] = [];
    for (const unit of this.#units.values()) all.push(...unit.findings);
    return all.sort((a, b) => (a.about < b.about ? -1 : a.about > b.about ? 1 : 0));
  }

  cursor(name: string): string | undefined {
    return this.#cursors.get(name);
  }

  setCursor(name: string, value: string): void {
    this.#cursors.set(name, value);
  }

  transaction<T>(work: () => T): T {
    return work();
  }
}

/** The store of Node and the command line: everything in memory, gone with the process. */
export const createMemoryStore = (): Store => new MemoryStore();
