import { isSameServed, link, type Snapshot } from "../link/snapshot.js";
import { shownAbout } from "../schema/shown.js";
import { settingsOf } from "../schema/stored-settings.js";
import type { Store } from "../store/store.js";
import type { Outlet } from "./outlet.js";
import type { PublishedChanges } from "./published-changes.js";

/** More than the versions that one publication can use up in its phases. */
const sequenceStep = 16;
const maxLines = 20;
/** The cursor with the sequence of the last publication. */
export const sequenceCursor = "sequence";
/** Longer than a poll is held: then no Envoy asks for it any more. */
const askedMs = 60_000;

/** Links what a store holds and gives it to an outlet under ever higher versions. */
export class Publisher {
  #snapshot: Snapshot | undefined;
  #reported = "[]";
  /** When parts of a route table were asked for last, by its name. */
  readonly #askedAt = new Map<string, number>();

  constructor(
    private readonly store: Store,
    private readonly outlet: Outlet,
    /** Milliseconds since the epoch. */
    private readonly now: () => number,
    private readonly changes: PublishedChanges,
  ) {}

  /**
   * A table that was joined, perhaps before a restart, is served in parts too as long as an Envoy asks for these. Returns whether that takes
   * a publication.
   */
  partAsked(table: string): boolean {
    if (!this.#snapshot?.tables.has(table)) return false;
    this.#askedAt.set(table, this.now());
    return !this.#snapshot.parts.has(table);
  }

  get snapshot(): Snapshot | undefined {
    return this.#snapshot;
  }

  /** Links what the store holds now and, where its bytes are others than those that were published last, publishes it. Returns whether they are. */
  publish(): boolean {
    const began = this.now();
    const before = this.#snapshot;
    const snapshot = this.preview();
    this.outlet.metrics.count("publish_seconds_total", undefined, (this.now() - began) / 1000);
    const changed = !before || !isSameServed(before, snapshot);
    if (changed) this.#give(snapshot, before);
    else this.changes.unchanged();
    // Only now: where the store refused the sequence, the next call has to publish.
    this.#snapshot = snapshot;
    this.#report(snapshot);
    return changed;
  }

  /** The sequence is kept before it is used: after a restart versions go on from there, whatever the clock says. */
  #give(snapshot: Snapshot, before: Snapshot | undefined): void {
    const sequence = Math.max(this.now(), this.sequence + sequenceStep);
    this.store.setCursor(sequenceCursor, String(sequence));
    const { mode, split } = snapshot;
    const at = this.now();
    const noted = this.changes.add(before, snapshot, { sequence, at });
    this.store.setCursor("linked", JSON.stringify({ mode, split: [...split], ...noted }));
    this.outlet.metrics.count("publications_total");
    this.outlet.publish(snapshot, sequence);
  }

  #report({ findings }: Snapshot): void {
    const text = JSON.stringify(findings);
    if (text === this.#reported) return;
    this.#reported = text;
    for (const { about, message } of findings.slice(0, maxLines))
      this.outlet.log([shownAbout(about), message].filter((part) => part !== "").join(": "));
    if (findings.length > maxLines) this.outlet.log(`and ${findings.length - maxLines} more of the kind`);
  }

  /** What would be published. */
  preview(): Snapshot {
    const asked = [...this.#askedAt].filter(([, at]) => this.now() - at <= askedMs);
    const partsAsked = new Set(asked.map(([table]) => table));
    return link(this.store, { ...settingsOf(this.store), partsAsked }, this.#snapshot ?? this.#before);
  }

  /** What the last publication before a restart came to: what `auto` means near its limits depends on it. */
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
