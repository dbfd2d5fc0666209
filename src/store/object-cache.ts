import type { Ref } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";

const generationSize = 2500;

/**
 * Objects that were read of late: at most two generations of them. The older one goes at once when the younger one is full; to find the
 * oldest entry of one large Map each time is slow, as V8 walks over all that were deleted before it.
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
