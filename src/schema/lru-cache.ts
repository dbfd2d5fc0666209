/** Keeps the most recently used values. `maxSize` bounds the total size of their keys. */
export class LruCache<K, V> {
  readonly #values = new Map<K, V>();
  #size = 0;

  constructor(
    private readonly maxSize: number,
    private readonly sizeOf: (key: K) => number,
  ) {}

  get(key: K): V | undefined {
    const value = this.#values.get(key);
    if (value === undefined) return undefined;
    this.#values.delete(key);
    this.#values.set(key, value);
    return value;
  }

  set(key: K, value: V): void {
    if (!this.#values.delete(key)) this.#size += this.sizeOf(key);
    this.#values.set(key, value);
    for (const oldest of this.#values.keys()) {
      if (this.#size <= this.maxSize) return;
      this.#values.delete(oldest);
      this.#size -= this.sizeOf(oldest);
    }
  }
}
