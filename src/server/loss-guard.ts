import type { Provenance } from "../engine/outlet.js";
import { formatMark, type Mark, markOf, missingOf } from "../link/mark.js";
import type { Poll } from "../link/respond.js";
import type { XdsType } from "../link/snapshot.js";
import type { Log } from "../log/log.js";

interface Loss {
  readonly mark: Mark;
  readonly missing: number;
  readonly at: number;
}

/** An Envoy without a poll for this time no longer counts. */
const activeMs = 60_000;
const marked: ReadonlySet<XdsType> = new Set(["clusters", "listeners", "routes", "scoped-routes"]);

/**
 * Lets an Envoy keep its configuration while this server lacks sources that the configuration was made of, according
 * to the Envoy's version: the store was lost, and only a part was pushed again. A client with a false version blocks
 * answers only for itself, and for new Envoys with its token while it does so.
 */
export class LossGuard {
  #pushed: Provenance | undefined;
  #mark = "";
  /** By the id of the token. */
  readonly #losses = new Map<string, Loss>();

  constructor(private readonly log: Log) {}

  /** Returns whether Envoys kept their configuration until now. */
  setPushed(pushed: Provenance): boolean {
    const kept = this.#losses.size > 0;
    this.#pushed = pushed;
    this.#mark = formatMark(markOf(pushed.origin, pushed.sources));
    for (const [token, { mark }] of this.#losses)
      if (missingOf(mark, pushed.sources) === 0) this.#losses.delete(token);
    return kept;
  }

  /** The version that Envoys of this server receive. */
  versionOf(type: XdsType, version: string): string {
    return marked.has(type) ? version + this.#mark : version;
  }

  /** Number of sources that Envoys with a recent poll have and that were not pushed here. */
  missing(now: number): number {
    const { isAll = true } = this.#pushed ?? {};
    if (isAll) return 0;
    return [...this.#losses.values()].reduce(
      (most, { missing, at }) => (now - at <= activeMs ? Math.max(most, missing) : most),
      0,
    );
  }

  /** Why an Envoy should keep its configuration; undefined when it should be answered. */
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
    // A version without a mark comes from a release without marks.
    return before && (mark || version === "") ? lacking(before.missing) : undefined;
  }

  #lossOf(token: string, now: number): Loss | undefined {
    const loss = this.#losses.get(token);
    return loss && now - loss.at <= activeMs ? loss : undefined;
  }

  #report(node: string, missing: number): void {
    this.log(
      `node ${JSON.stringify(node)} has ${missing} sources that were not pushed again since the store was lost; it keeps its configuration until they are pushed, or until an admin's POST /sources?complete confirms that all are pushed`,
      "sources-missing",
      { node, missing },
    );
  }
}

const lacking = (missing: number): string =>
  `this server has lost its store; sources to push again: ${missing}, or an admin confirms with POST /sources?complete that all are pushed`;
