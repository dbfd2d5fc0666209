import type { Resource } from "./store.js";

/**
 * The resources of one type and group. Several units may emit the same resource (a shared cluster), which exists until
 * the last of them is removed.
 */
export class Group {
  readonly byName = new Map<string, Resource>();
  /** The number of units that emit a resource, when it is above one. */
  readonly #users = new Map<string, number>();
  /** Sorted by name. Built on first use, and updated after that. */
  #sorted: Resource[] | undefined;

  add(resource: Resource): void {
    const { name } = resource;
    const { size } = this.byName;
    this.byName.set(name, resource);
    const known = this.byName.size === size;
    if (known) this.#users.set(name, (this.#users.get(name) ?? 1) + 1);
    this.#sorted?.splice(this.#place(name), known ? 1 : 0, resource);
  }

  /** Replaces the content of an existing resource. */
  replace(resource: Resource): void {
    const { name } = resource;
    if (!this.byName.has(name)) return;
    this.byName.set(name, resource);
    this.#sorted?.splice(this.#place(name), 1, resource);
  }

  remove(name: string): void {
    const users = this.#users.get(name) ?? 1;
    if (users > 2) this.#users.set(name, users - 1);
    else if (users === 2) this.#users.delete(name);
    else if (this.byName.delete(name)) this.#sorted?.splice(this.#place(name), 1);
  }

  /** The sorted position of a name. */
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

/** A multimap, optimized for many keys with one or two values: these use no Set. */
export class Index<V extends string> {
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
