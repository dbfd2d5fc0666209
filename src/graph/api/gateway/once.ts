import type { Reader } from "../../core/reader.js";

/**
 * A memory for what a unit would find out for each of its backends anew: `find` runs once for a reader and key, and what it
 * reads then is noted for the unit.
 */
export function onceForUnit<T>(): (reader: Reader, key: string, find: () => T) => T {
  const units = new WeakMap<Reader, Map<string, T>>();
  return (reader, key, find) => {
    const known = units.get(reader) ?? new Map<string, T>();
    units.set(reader, known);
    if (!known.has(key)) known.set(key, find());
    return known.get(key) as T;
  };
}
