import type { Resource, ResourceType } from "./store.js";

interface List {
  /** Sorted by name. */
  sorted: readonly Resource[];
  readonly byName: Map<string, Resource>;
  /** Names of resources that were added, changed or removed since `sorted` was built. */
  readonly changed: Set<string>;
}

const byName = (a: Resource, b: Resource): number => (a.name < b.name ? -1 : a.name > b.name ? 1 : 0);
const keyOf = (type: ResourceType, group: string): string => `${type}/${group}`;

/** Caches resource lists and updates them after edits, so that a list is read from the disk only once. */
export class ResourceLists {
  readonly #lists = new Map<string, List>();

  /** The sorted list of a type and group. The first call reads it with `load`, in any order. */
  get(type: ResourceType, group: string, load: () => readonly Resource[]): readonly Resource[] {
    const known = this.#lists.get(keyOf(type, group));
    if (!known) {
      const sorted = [...load()].sort(byName);
      const list = {
        sorted,
        byName: new Map(sorted.map((one) => [one.name, one])),
        changed: new Set<string>(),
      };
      this.#lists.set(keyOf(type, group), list);
      return sorted;
    }
    if (known.changed.size > 0) {
      known.sorted = merged(known);
      known.changed.clear();
    }
    return known.sorted;
  }

  /** A resource in a cached list; `undefined` also when the list is not cached. */
  find(type: ResourceType, group: string, name: string): Resource | undefined {
    return this.#lists.get(keyOf(type, group))?.byName.get(name);
  }

  put(resource: Resource): void {
    const list = this.#lists.get(keyOf(resource.type, resource.group));
    list?.byName.set(resource.name, resource);
    list?.changed.add(resource.name);
  }

  delete({ type, group, name }: Resource): void {
    const list = this.#lists.get(keyOf(type, group));
    list?.byName.delete(name);
    list?.changed.add(name);
  }

  clear(): void {
    this.#lists.clear();
  }
}

function merged({ sorted, byName: now, changed }: List): Resource[] {
  const added = [...changed].flatMap((name) => now.get(name) ?? []).sort(byName);
  const all: Resource[] = [];
  let next = 0;
  for (const resource of sorted) {
    if (changed.has(resource.name)) continue;
    for (let one = added[next]; one && one.name < resource.name; one = added[++next]) all.push(one);
    all.push(resource);
  }
  for (const one of added.slice(next)) all.push(one);
  return all;
}
