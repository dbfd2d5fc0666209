import { LruCache } from "./lru-cache.js";

/**
 * The memory that a module may have: what a function gives for a value that never changes, and for nothing else. As the result follows from
 * the value alone, it makes no difference to any caller whether it was remembered, in whichever process, store or test. What depends on more
 * than that belongs into a cache that is passed (`store/compile-cache.ts`); `test/unit/imports.test.ts` allows no other state in modules
 * of the core.
 */

/** Remembers results as long as the objects that they are of are in use. */
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

/** Remembers the results that were asked for last, as long as their keys are no larger than `maxSize` together. */
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
