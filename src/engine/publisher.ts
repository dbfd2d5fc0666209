import type { ServedChange } from "../explain/served-change.js";
import { isSameServed, link, type Snapshot } from "../link/snapshot.js";
import { pollTimes } from "../schema/polls.js";
import { settingsOf } from "../schema/stored-settings.js";
import type { Store } from "../store/store.js";
import type { Outlet } from "./outlet.js";
import type { Cause, PublishedChanges } from "./published-changes.js";

/** More than the number of versions in the phases of one publication. */
const sequenceStep = 16;
/** The cursor with the sequence of the last publication. */
export const sequenceCursor = "sequence";
/** After the hold of a poll and this time, no Envoy requests the part any more. */
const askedMs = 35_000;

/** A publication that changed what is served. Times in ms since the epoch. */
export interface Published {
  readonly sequence: number;
  /** The time of its first change. */
  readonly changedAt: number;
  readonly linkedFrom: number;
  readonly publishedAt: number;
  readonly causes: readonly Cause[];
  /** Undefined for the first publication after a restart with the same content. */
  readonly change: ServedChange | undefined;
}

/** Links a store and passes the result to an outlet under increasing versions. */
export class Publisher {
  #snapshot: Snapshot | undefined;
  /** When parts of a route table were last requested, by the table's name. */
  readonly #askedAt = new Map<string, number>();

  constructor(
    private readonly store: Store,
    private readonly outlet: Outlet,
    /** Milliseconds since the epoch. */
    private readonly now: () => number,
    private readonly changes: PublishedChanges,
  ) {}

  /**
   * Called when an Envoy requests a part of a route table. A table that became whole, perhaps before a restart, is
   * also served in parts while an Envoy requests these. Returns whether that requires a publication.
   */
  partAsked(table: string): boolean {
    if (!this.#snapshot?.tables.has(table)) return false;
    this.#askedAt.set(table, this.now());
    return !this.#snapshot.parts.has(table);
  }

  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /**
   * Links the store and publishes the result if its bytes differ from the last publication. `changedAt` is the time of
   * the first change since then.
   */
  publish(changedAt = this.now()): Published | undefined {
    const began = this.now();
    const before = this.#snapshot;
    const snapshot = this.preview();
    const changed = !before || !isSameServed(before, snapshot);
    const given = changed ? this.#give(snapshot, before, changedAt) : undefined;
    if (!changed) this.changes.unchanged();
    // Only now: if the store refused the sequence, the next call must publish.
    this.#snapshot = snapshot;
    const publishedAt = this.now();
    this.outlet.metrics.observe("publish_seconds", (publishedAt - began) / 1000);
    return given && { ...given, changedAt, linkedFrom: began, publishedAt };
  }

  /** The sequence is stored before it is used: versions continue from there after a restart, whatever the clock is. */
  #give(
    snapshot: Snapshot,
    before: Snapshot | undefined,
    changedAt: number,
  ): Pick<Published, "sequence" | "causes" | "change"> {
    const sequence = Math.max(this.now(), this.sequence + sequenceStep);
    this.store.setCursor(sequenceCursor, String(sequence));
    const { mode, split } = snapshot;
    const at = this.now();
    const { noted, causes, change } = this.changes.add(before, snapshot, { sequence, at });
    this.store.setCursor("linked", JSON.stringify({ mode, split: [...split], ...noted }));
    this.outlet.metrics.count("publications_total");
    this.outlet.publish(snapshot, sequence, Math.max(0, at - changedAt));
    return { sequence, causes, change };
  }

  /** The snapshot that `publish` would publish. */
  preview(): Snapshot {
    const settings = settingsOf(this.store);
    const recentMs = pollTimes(settings.polls).holdMs + askedMs;
    const asked = [...this.#askedAt].filter(([, at]) => this.now() - at <= recentMs);
    const polledParts = new Set(asked.map(([table]) => table));
    return link(this.store, { ...settings, polledParts }, this.#snapshot ?? this.#before);
  }

  /** The modes of the last publication before a restart: near its limits, `auto` depends on them. */
  get #before(): Pick<Snapshot, "mode" | "split"> | undefined {
    const text = this.store.cursor("linked");
    if (text === undefined) return undefined;
    const { mode, split } = JSON.parse(text) as { mode: Snapshot["mode"]; split: readonly string[] };
    return { mode, split: new Set(split) };
  }

  get sequence(): number {
    return Number(this.store.cursor(sequenceCursor) ?? 0);
  }
}
