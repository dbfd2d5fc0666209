/**
 * Caches of compilation. A cache never changes a result: the inputs of its entries do not change while it is in use.
 * The function that computes an entry is part of its key, so it must be a function of a module, not a closure.
 */

/** The cache of a store: results per object, kept while the object is in use. */
export class StoreCache {
  readonly #found = new Map<unknown, WeakMap<object, { readonly value: unknown }>>();

  /** Calls `find` once per object. The values in `rest` must be equivalent in all calls. */
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

/** The cache of one compilation of a unit: results from objects that the unit reads. Their first read is recorded. */
export class UnitCache {
  readonly #found = new Map<unknown, Map<string, unknown>>();

  /** Calls `find` once per key. The arguments must be the same in all calls with that key. */
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
