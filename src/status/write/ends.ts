import type { Ref } from "../../schema/meta.js";

/** The times when verdicts may change without a change of any object, such as the expiry of a certificate. */
export class VerdictEnds {
  readonly #ends = new Map<Ref, number>();
  #next = Number.POSITIVE_INFINITY;

  /** The first end or an earlier time, in ms since the epoch. */
  get next(): number {
    return this.#next;
  }

  /** Returns whether this end is now the first. */
  set(ref: Ref, end: number | undefined): boolean {
    if (end === undefined) {
      this.#ends.delete(ref);
      return false;
    }
    this.#ends.set(ref, end);
    if (end >= this.#next) return false;
    this.#next = end;
    return true;
  }

  /** Removes and returns the objects whose verdict has ended by a time. */
  take(now: number): Ref[] {
    const ended: Ref[] = [];
    this.#next = Number.POSITIVE_INFINITY;
    for (const [ref, end] of this.#ends) {
      if (end > now) this.#next = Math.min(this.#next, end);
      else ended.push(ref);
    }
    for (const ref of ended) this.#ends.delete(ref);
    return ended;
  }

  clear(): void {
    this.#ends.clear();
    this.#next = Number.POSITIVE_INFINITY;
  }
}
