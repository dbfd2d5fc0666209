/**
 * What compilation has found out and would find out again. Nothing that is compiled depends on whether an entry is there: as long as a cache is
 * used, what its entries were found from does not change. Entries are told apart by the function that finds them, which is one of a module
 * and no closure.
 */

/** Of a store: what was found of one of its objects, as long as that object is in use. */
export class StoreCache {
  readonly #found = new Map<unknown, WeakMap<object, { readonly value: unknown }>>();

  /** Calls `find` once for an object; `rest` is as good as the same for all calls. */
  of<Key extends object, Rest extends readonly unknown[], Value>(
    find: (key: Key, ...rest: Rest) => Value,
    key: Key,
    ...rest: Rest
  ): Value {
    let known = this.#found.get(find);
    if (!known) {
      known = new WeakMap();
      this.#found.set(find, known);
    }
    let found = known.get(key);
    if (!found) {
      found = { value: find(key, ...rest) };
      known.set(key, found);
    }
    return found.value as Value;
  }
}

/** Of one compilation of a unit: what was found from what the unit reads, all of which is recorded when it is read first. */
export class UnitCache {
  readonly #found = new Map<unknown, Map<string, unknown>>();

  /** Calls `find` once for a key; the arguments are the same for all calls with that key. */
  once<Args extends readonly unknown[], Value>(
    find: (...args: Args) => Value,
    key: string,
    ...args: Args
  ): Value {
    let known = this.#found.get(find);
    if (!known) {
      known = new Map();
      this.#found.set(find, known);
    }
    if (!known.has(key)) known.set(key, find(...args));
    return known.get(key) as Value;
  }
}
