/** Maximum number of names at a time: each has its own answers in memory. */
const maxNames = 4;
/** A name without a poll for this time is dropped. */
const forgetMs = 60 * 60_000;

/**
 * The names of the xDS cluster in the bootstraps of a fleet: one for each URL under which its Envoys reach the server.
 */
export class XdsNames {
  /** When each name last had a poll, in ms; the most recent name is last. */
  readonly #seen = new Map<string, number>();

  /** Records a poll with the name; false where there are too many other names. */
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
