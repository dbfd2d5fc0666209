import type { Ref } from "../schema/meta.js";

/** Routes and includes that a host may read more than once; a tree of n objects can have 2^n paths. */
const repeats = 20_000;

/**
 * What reading one host's tree of includes (or delegations) may cost. The first reading of an object is free, as the
 * sum of those is only as large as the input; each further one is charged by the object's size.
 */
export class TreeBudget {
  readonly #read = new Set<Ref>();
  readonly #told = new Set<Ref>();
  #left = repeats;

  /** Whether an object of so many routes and includes may be read (again). */
  allows(ref: Ref, size: number): boolean {
    if (this.#read.has(ref)) {
      if (this.#left <= 0) return false;
      this.#left -= 1 + size;
    }
    this.#read.add(ref);
    return true;
  }

  /** Whether the including object has yet to be told that its includes went too far. */
  isNews(about: Ref): boolean {
    if (this.#told.has(about)) return false;
    this.#told.add(about);
    return true;
  }
}

/** Appends without spreading into arguments, of which a call can have only so many. */
export function append<T>(list: T[], more: readonly T[]): void {
  for (const item of more) list.push(item);
}
