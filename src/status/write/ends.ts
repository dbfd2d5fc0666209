import type { Ref } from "../../schema/meta.js";

/** When verdicts may be others though nothing changes, as of a certificate that runs out. */
export class VerdictEnds {
  readonly #ends = new Map<Ref, number>();
  #next = Number.POSITIVE_INFINITY;

  /** Not after the first end, in ms since the epoch. */
  get next(): number {
    return this.#next;
  }

  /** Returns whether this end is the first by now. */
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

  /** The objects whose verdict has ended by a time, each once. */
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
