/** Names at a time at most: each has answers of its own in memory. */
const maxNames = 4;
/** A name that no poll had for so long gives way to another. */
const forgetMs = 60 * 60_000;

/** The names that the bootstraps of a fleet give the xDS cluster: one for each URL under which its Envoys reach the server. */
export class XdsNames {
  /** When a poll last had a name, in ms; the one seen last is the last. */
  readonly #seen = new Map<string, number>();

  /** Takes note of a poll with the name; false where there are too many others. */
  admits(name: string, now: number): boolean {
    for (const [other, seen] of this.#seen) if (now - seen > forgetMs) this.#seen.delete(other);
    if (!this.#seen.delete(name) && this.#seen.size >= maxNames) return false;
    this.#seen.set(name, now);
    return true;
  }

  get names(): readonly string[] {
    return [...this.#seen.keys()];
  }
}
