import type { Finding, Ref } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import { findingsOf } from "./findings.js";
import type { ClaimKey, Compiled, ReadKey, Resource, ResourceType, Store, UnitKey } from "./store.js";

/**
 * The resources of one type and group. Several units may emit one (a shared cluster): it lives as long as the last of
 * them.
 */
class Group {
  readonly byName = new Map<string, Resource>();
  /** How many units emit a resource, where that is more than one. */
  readonly #users = new Map<string, number>();
  /** By name; made when it is asked for, and kept up to date from then on. */
  #sorted: Resource[] | undefined;

  add(resource: Resource): void {
    const { name } = resource;
    const { size } = this.byName;
    this.byName.set(name, resource);
    const known = this.byName.size === size;
    if (known) this.#users.set(name, (this.#users.get(name) ?? 1) + 1);
    this.#sorted?.splice(this.#place(name), known ? 1 : 0, resource);
  }

  remove(name: string): void {
    const users = this.#users.get(name) ?? 1;
    if (users > 2) this.#users.set(name, users - 1);
    else if (users === 2) this.#users.delete(name);
    else if (this.byName.delete(name)) this.#sorted?.splice(this.#place(name), 1);
  }

  /** Where a name is or would be among the sorted. */
  #place(name: string): number {
    const sorted = this.#sorted ?? [];
    let low = 0;
    let high = sorted.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if ((sorted[middle]?.name ?? "") < name) low = middle + 1;
      else high = middle;
    }
    return low;
  }

  sorted(): readonly Resource[] {
    this.#sorted ??= [...this.byName.keys()].sort().map((name) => this.byName.get(name) as Resource);
    return this.#sorted;
  }
}

const maxListed = 8;

/** A multimap for many keys with one value or two: those cost no Set. */
class Index<V extends string> {
  readonly #map = new Map<string, V | V[] | Set<V>>();

  add(key: string, value: V): void {
    const held = this.#map.get(key);
    if (held === undefined) this.#map.set(key, value);
    else if (typeof held === "string") {
      if (held !== value) this.#map.set(key, [held, value]);
    } else if (held instanceof Set) held.add(value);
    else if (!held.includes(value)) {
      if (held.push(value) > maxListed) this.#map.set(key, new Set(held));
    }
  }

  remove(key: string, value: V): void {
    const held = this.#map.get(key);
    if (held === value) this.#map.delete(key);
    else if (held instanceof Set) {
      held.delete(value);
      if (held.size === 0) this.#map.delete(key);
    } else if (Array.isArray(held)) {
      const others = held.filter((other) => other !== value);
      if (others.length === 0) this.#map.delete(key);
      else this.#map.set(key, others);
    }
  }

  get(key: string): readonly V[] {
    const held = this.#map.get(key);
    if (held === undefined) return [];
    return typeof held === "string" ? [held] : [...held].sort();
  }
}

/** An object with its claims. */
interface Held {
  readonly object: KubeObject;
  readonly claims: readonly ClaimKey[];
}

const none: readonly never[] = [];

class MemoryStore implements Store {
  readonly #objects = new Map<Ref, Held>();
  readonly #claimants = new Index<Ref>();
  readonly #units = new Map<UnitKey, Compiled>();
  readonly #readers = new Index<UnitKey>();
  readonly #groups = new Map<ResourceType, Map<string, Group>>();
  readonly #cursors = new Map<string, string>();
  #undone = 0;

  object(ref: Ref): KubeObject | undefined {
    return this.#objects.get(ref)?.object;
  }

  *objects(): Iterable<KubeObject> {
    for (const { object } of this.#objects.values()) yield object;
  }

  putObject(object: KubeObject, claims: readonly ClaimKey[]): void {
    const { ref } = object;
    this.#dropClaims(ref);
    this.#objects.set(ref, { object, claims });
    for (const key of claims) this.#claimants.add(key, ref);
  }

  deleteObject(ref: Ref): void {
    this.#dropClaims(ref);
    this.#objects.delete(ref);
  }

  #dropClaims(ref: Ref): void {
    for (const key of this.claimsOf(ref)) this.#claimants.remove(key, ref);
  }

  claimsOf(ref: Ref): readonly ClaimKey[] {
    return this.#objects.get(ref)?.claims ?? none;
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
    for (const { type, group, name } of unit.resources) this.#group(type, group).remove(name);
  }

  #group(type: ResourceType, group: string): Group {
    let groups = this.#groups.get(type);
    if (!groups) {
      groups = new Map();
      this.#groups.set(type, groups);
    }
    let found = groups.get(group);
    if (!found) {
      found = new Group();
      groups.set(group, found);
    }
    return found;
  }

  resources(type: ResourceType, group = ""): Iterable<Resource> {
    return this.#groups.get(type)?.get(group)?.sorted() ?? none;
  }

  resource(type: ResourceType, group: string, name: string): Resource | undefined {
    return this.#groups.get(type)?.get(group)?.byName.get(name);
  }

  findings(): Iterable<Finding> {
    return findingsOf(this.#units.values());
  }

  cursor(name: string): string | undefined {
    return this.#cursors.get(name);
  }

  setCursor(name: string, value: string): void {
    this.#cursors.set(name, value);
  }

  get undone(): number {
    return this.#undone;
  }

  transaction<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      this.#undone++;
      throw error;
    }
  }
}

/** The store of Node and the command line: everything in memory, gone with the process. */
export const createMemoryStore = (): Store => new MemoryStore();
