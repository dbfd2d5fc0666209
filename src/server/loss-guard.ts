import type { Provenance } from "../engine/outlet.js";
import { formatMark, type Mark, markOf, missingOf } from "../link/mark.js";
import type { Poll } from "../link/respond.js";
import type { XdsType } from "../link/snapshot.js";

interface Loss {
  readonly mark: Mark;
  readonly missing: number;
  readonly at: number;
}

/** An Envoy that does not poll for so long counts no more. */
const activeMs = 60_000;
const marked: ReadonlySet<XdsType> = new Set(["clusters", "listeners", "routes", "scoped-routes"]);

/**
 * Keeps an Envoy at what it has as long as this server was not pushed all that it was made of, which the Envoy's version says: the
 * store was lost, and what was pushed again is a part. Whoever lies in its version keeps itself from answers, and the new Envoys of its
 * token as long as it does.
 */
export class LossGuard {
  #pushed: Provenance | undefined;
  #mark = "";
  /** By the token's id. */
  readonly #losses = new Map<string, Loss>();

  constructor(private readonly log: (line: string) => void) {}

  /** Returns whether Envoys were kept at what they have until now. */
  setPushed(pushed: Provenance): boolean {
    const kept = this.#losses.size > 0;
    this.#pushed = pushed;
    this.#mark = formatMark(markOf(pushed.origin, pushed.sources));
    for (const [token, { mark }] of this.#losses)
      if (missingOf(mark, pushed.sources) === 0) this.#losses.delete(token);
    return kept;
  }

  /** A version as Envoys of this server are given it. */
  versionOf(type: XdsType, version: string): string {
    return marked.has(type) ? version + this.#mark : version;
  }

  /** How many sources Envoys that polled of late have beyond those that were pushed here. */
  missing(now: number): number {
    const { isAll = true } = this.#pushed ?? {};
    if (isAll) return 0;
    return [...this.#losses.values()].reduce(
      (most, { missing, at }) => (now - at <= activeMs ? Math.max(most, missing) : most),
      0,
    );
  }

  /** Why an Envoy is better left with what it has; undefined to answer it. */
  refusal({ type, token, node, version }: Poll, mark: Mark | undefined, now: number): string | undefined {
    const pushed = this.#pushed;
    if (!pushed || pushed.isAll || !marked.has(type) || mark?.origin === pushed.origin) return undefined;
    const before = this.#lossOf(token.id, now);
    const missing = mark ? missingOf(mark, pushed.sources) : 0;
    if (mark && missing > 0) {
      if (before?.missing !== missing) this.#report(node, missing);
      this.#losses.set(token.id, { mark, missing, at: now });
      return lacking(missing);
    }
    // A version without a mark is from before there were marks.
    return before && (mark || version === "") ? lacking(before.missing) : undefined;
  }

  #lossOf(token: string, now: number): Loss | undefined {
    const loss = this.#losses.get(token);
    return loss && now - loss.at <= activeMs ? loss : undefined;
  }

  #report(node: string, missing: number): void {
    this.log(
      `sources that were not pushed again since the store was lost: ${missing} of those that node ${JSON.stringify(node)} has; it keeps what it has until they are pushed, or until an admin's POST /sources?complete says that what is pushed is all`,
    );
  }
}

const lacking = (missing: number): string =>
  `this server has lost its store; sources that have to be pushed again: ${missing}, or an admin says by POST /sources?complete that what is pushed is all`;
