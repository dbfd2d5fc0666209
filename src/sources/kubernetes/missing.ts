import type { ApiResource } from "../../kubernetes/resources.js";
import type { Ref } from "../../schema/meta.js";
import type { HeldDeletions } from "./guard.js";

/**
 * Objects of one kind that are still held although the last list lacked them, or although they were deleted while
 * kinds caught up.
 */
export class Missing {
  /** Deleted once the other kinds have caught up, so that references to them are gone before. */
  readonly #waiting = new Set<Ref>();
  /** Deleted when an administrator confirms. */
  readonly #held = new Set<Ref>();
  /** Waited before a restart. */
  readonly #approved = new Set<Ref>();
  #since: number | undefined;
  #hold:
    | { readonly reason: HeldDeletions["reason"]; readonly since: number; readonly before: number }
    | undefined;

  /**
   * @param kept the last text that `keep` received before a restart
   * @param keep stores a text about the waiting objects; empty when none waits
   */
  constructor(
    private readonly of: Pick<ApiResource, "plural" | "kind">,
    private kept: string,
    private readonly keep: (text: string) => void,
  ) {
    for (const ref of refsIn(kept)) this.#approved.add(ref);
  }

  /** Whether a list before a restart lacked objects. */
  get isForgotten(): boolean {
    return this.kept !== "" && this.#waiting.size === 0 && this.#held.size === 0;
  }

  /** Objects that may be deleted independently of what else a list lacks: that was decided before. */
  get approved(): ReadonlySet<Ref> {
    return new Set([...this.#waiting, ...this.#approved]);
  }

  get waiting(): readonly Ref[] {
    return [...this.#waiting];
  }

  get heldRefs(): readonly Ref[] {
    return [...this.#held];
  }

  /** Since when objects wait for other kinds, in ms since the epoch. */
  get waitingSince(): number | undefined {
    return this.#waiting.size > 0 ? this.#since : undefined;
  }

  get hold(): HeldDeletions | undefined {
    if (!this.#hold || this.#held.size === 0) return undefined;
    const { reason, since, before } = this.#hold;
    const { plural, kind } = this.of;
    const objects = this.#held.size;
    const what = reason === "Empty" ? "the list is empty" : `the list lacks ${objects} of them`;
    const message = `${what}, and there were ${before} ${plural} before; ${objects} deletions wait, everything else is followed; if the deletions are intended, confirm with: isoline accept-shrink ${kind}`;
    return { reason, since, objects, message };
  }

  /** Replaces the missing objects of the previous list by those of a new one. */
  replace(
    waiting: readonly Ref[],
    held: readonly Ref[],
    hold: {
      readonly reason?: HeldDeletions["reason"];
      readonly since?: number;
      readonly before: number;
      readonly now: number;
    },
  ): void {
    const { reason, since, before, now } = hold;
    this.#since = this.waitingSince ?? now;
    this.#approved.clear();
    this.#waiting.clear();
    this.#held.clear();
    for (const ref of waiting) this.#waiting.add(ref);
    for (const ref of held) this.#held.add(ref);
    this.#hold = reason && since !== undefined ? { reason, since, before } : undefined;
    this.#note();
  }

  /** Records an object that a watch reported as deleted. */
  wait(ref: Ref, now: number): void {
    this.#since = this.waitingSince ?? now;
    this.#held.delete(ref);
    this.#waiting.add(ref);
    this.#note();
  }

  /** Removes objects that are deleted, or exist again. */
  drop(refs: readonly Ref[]): void {
    if (this.#waiting.size === 0 && this.#held.size === 0) return;
    for (const ref of refs) {
      this.#waiting.delete(ref);
      this.#held.delete(ref);
    }
    this.#note();
  }

  #note(): void {
    const some = this.#waiting.size + this.#held.size > 0;
    const text = !some ? "" : this.#waiting.size > maxKept ? more : JSON.stringify([...this.#waiting]);
    if (text === this.kept) return;
    this.keep(text);
    this.kept = text;
  }
}

/** More refs than this are not kept over a restart; the next list is then evaluated like any other. */
const maxKept = 500;
const more = "[]";

function refsIn(text: string): readonly Ref[] {
  try {
    const value: unknown = JSON.parse(text || more);
    return Array.isArray(value) ? (value as Ref[]) : [];
  } catch {
    return [];
  }
}
