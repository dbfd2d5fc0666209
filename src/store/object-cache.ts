import type { Ref } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";

const generationSize = 2500;

/**
 * Caches recently read objects in two generations. When the young generation is full, it replaces the old one. Eviction of
 * single entries from one large Map is slow, because V8 iterates over deleted entries to find the oldest one.
 */
export class ObjectCache {
  #young = new Map<Ref, KubeObject>();
  #old = new Map<Ref, KubeObject>();

  get(ref: Ref): KubeObject | undefined {
    const young = this.#young.get(ref);
    if (young) return young;
    const old = this.#old.get(ref);
    if (old) this.add(old);
    return old;
  }

  add(object: KubeObject): void {
    if (this.#young.size >= generationSize) {
      this.#old = this.#young;
      this.#young = new Map();
    }
    this.#young.set(object.ref, object);
  }

  delete(ref: Ref): void {
    this.#young.delete(ref);
    this.#old.delete(ref);
  }

  clear(): void {
    this.#young.clear();
    this.#old.clear();
  }
}
