import type { Resource } from "./store.js";

/**
 * The resources of one type and group. Several units may emit one (a shared cluster): it lives as long as the last of
 * them.
 */
export class Group {
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

  /** Gives a resource that is there another content. */
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
