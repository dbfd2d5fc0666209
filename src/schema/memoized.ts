import { LruCache } from "./lru-cache.js";

/**
 * The only state that a module of the core may have: the results of a pure function for immutable values. Such a result
 * depends on the value alone, so that no caller can observe the cache. A result that depends on more belongs in a cache
 * that is passed as an argument (`compile-cache.ts`). `test/unit/imports.test.ts` refuses other state.
 */

/** Caches the result of `find` per object, while the object is in use. */
export function memoized<Key extends object, Value>(find: (key: Key) => Value): (key: Key) => Value {
  const known = new WeakMap<Key, Value>();
  return (key) => {
    const found = known.get(key);
    if (found !== undefined || known.has(key)) return found as Value;
    const made = find(key);
    known.set(key, made);
    return made;
  };
}

interface Bounds<Key> {
  readonly maxSize: number;
  sizeOf(key: Key): number;
}

/** Caches the most recently used results of `find`. `maxSize` bounds the total size of their keys. */
export function memoizedLast<Key, Value>(
  find: (key: Key) => Value,
  { maxSize, sizeOf }: Bounds<Key>,
): (key: Key) => Value {
  const known = new LruCache<Key, { readonly value: Value }>(maxSize, sizeOf);
  return (key) => {
    const found = known.get(key);
    if (found) return found.value;
    const value = find(key);
    known.set(key, { value });
    return value;
  };
}
