import { changedAbout } from "../graph/core/affected.js";
import { listenersUnit, type ReadKey } from "../graph/core/keys.js";
import type { Snapshot } from "../link/snapshot.js";
import { LogBudget } from "../log/budget.js";
import type { Log } from "../log/log.js";
import { byObject, type Finding, findingsAt, type Ref } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import type { SettingsSpec } from "../schema/settings.js";
import { settingsOf } from "../schema/stored-settings.js";
import type { Store } from "../store/store.js";
import { type Change, type Platform, refresh, replaceAll, type Updated, update } from "../update.js";
import type { Awaited } from "./awaited.js";
import { type Feed, Gate } from "./gate.js";
import type { Outlet } from "./outlet.js";
import { publicationLine } from "./publication-line.js";
import { type Cause, PublishedChanges } from "./published-changes.js";
import { type Published, Publisher } from "./publisher.js";
import { compileLeft, inSlices, updateInSlices } from "./slices.js";

interface EngineOptions {
  readonly store: Store;
  readonly platform: Platform;
  readonly outlet: Outlet;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** The result of putting changes. */
export interface Put {
  /** Units that were compiled or dropped. */
  readonly compiled: number;
  /** Units and steps of the source that are left; nothing is published before they are done. */
  readonly pending: number;
  /** Whether any object differs. */
  readonly edited: boolean;
  /** New references of earlier units that the store does not have. */
  readonly missed: ReadonlySet<ReadKey>;
}

/** Called with the results of changes. */
export interface EngineListener {
  /** Objects that changed, or whose status may have changed. */
  affected?(refs: readonly Ref[]): void;
  /** The store was linked, and the published state is up to date; with the publication if it changed what is served. */
  published?(publication: Published | undefined): void;
  /** Changes were compiled, from one time to another in ms since the epoch. */
  compiled?(from: number, to: number): void;
  /** The publication failed; it will be tried again. */
  failed?(error: unknown): void;
}

/** A value of `/metrics`, with its labels. */
type Gauge = readonly [
  name: "sequence" | "objects_kept" | "findings",
  value: number,
  labels?: Readonly<Record<string, string>>,
];

/** Lines about publications in a minute. */
const maxPublicationLines = 300;

/** The delay before the next attempt after a failed publication (ms). */
const publishAgainMs = 5000;

/**
 * Compiles changes of a source in a store, and publishes the store when it is a complete state of the source. Sources
 * put changes and offer complete states. Only the engine decides whether, when and under which version a state is
 * published.
 */
export class Engine {
  readonly store: Store;
  /** Limits how much is compiled at a time, and for one request. */
  readonly platform: Platform;
  readonly outlet: Outlet;
  readonly now: () => number;
  /** The history of what was served. */
  readonly changes: PublishedChanges;
  readonly #gate: Gate;
  readonly #publisher: Publisher;
  readonly #listeners: EngineListener[] = [];
  #leftOut: ReadonlyMap<Ref, readonly Finding[]> = new Map();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;
  /** Tenants of a cluster control how often there is a publication. */
  readonly #lines: LogBudget;
  /** The time of the first change since the last publication. */
  #changedAt: number | undefined;
  /** Raised whenever what is known of objects or served may have changed. */
  #round = 0;

  /** Opens a store that an earlier process may have filled. Units of another compiler version are compiled again. */
  static open(options: EngineOptions): Engine {
    return new Engine(options, refresh(options.store, inSlices(options.platform)));
  }

  constructor(
    { store, platform, outlet, now }: EngineOptions,
    /** Whether another version has filled the store, which may contain fewer fields of each object. */
    readonly outdated = false,
  ) {
    this.store = store;
    this.platform = platform;
    this.outlet = outlet;
    this.now = now;
    this.#gate = new Gate(store);
    this.#lines = new LogBudget({
      log: (...line) => outlet.log(...line),
      now,
      maxLines: maxPublicationLines,
    });
    this.changes = new PublishedChanges(store, (...line) => outlet.log(...line));
    this.#publisher = new Publisher(store, outlet, now, this.changes);
    outlet.partAsked = (table) => {
      if (this.#publisher.partAsked(table)) this.offer();
    };
  }

  /** Makes publications wait for this source. */
  attach(feed: Feed): void {
    this.#gate.attach(feed);
  }

  /** Tracks the references of objects of one origin, which publications wait for. `now` is the clock of their times. */
  awaits(now: () => number): Awaited {
    return this.#gate.awaits(now);
  }

  listen(listener: EngineListener): void {
    this.#listeners.push(listener);
  }

  get settings(): SettingsSpec {
    return settingsOf(this.store);
  }

  get log(): Log {
    return this.outlet.log;
  }

  /** Whether the store was compiled, even without objects. */
  get isCompiled(): boolean {
    return this.store.unit(listenersUnit) !== undefined;
  }

  /** Another number whenever objects, findings or what is served may have changed. */
  get round(): number {
    return this.#round;
  }

  /** Units and steps of the source that are left before the store may be published. */
  get pending(): number {
    return this.#gate.pending;
  }

  /** Notes the cause of the next publication for the history. */
  because(cause: Cause): void {
    this.changes.because(cause);
  }

  /**
   * Puts changes into the store and compiles affected units, as many as the platform allows without a pause. Publishes
   * nothing.
   */
  put(changes: Iterable<Change>): Put {
    return this.#compile(() => update(this.store, changes, inSlices(this.platform)));
  }

  /** Puts many changes with pauses, and leaves all affected units to `resume`. */
  putInSlices(changes: readonly Change[]): Promise<void> {
    this.#changedAt ??= this.now();
    return updateInSlices(this.store, changes, this.platform);
  }

  /** Replaces all objects of the store with these. Publishes nothing. */
  replace(objects: readonly KubeObject[]): Put {
    return this.#compile(() => replaceAll(this.store, objects, inSlices(this.platform)));
  }

  #compile(work: () => Updated): Put {
    const from = this.now();
    const updated = work();
    const to = this.now();
    this.outlet.metrics.observe("compile_seconds", (to - from) / 1000);
    if (updated.edited) this.#changedAt ??= from;
    for (const { compiled } of this.#listeners) compiled?.(from, to);
    return this.#resultOf(updated);
  }

  #resultOf({ units: compiled, left, edited, missed, affected }: Updated): Put {
    this.#round++;
    this.statusesChanged(affected);
    return { compiled, pending: left + this.#gate.steps, edited, missed };
  }

  /** Notifies listeners of objects whose status may have changed. */
  statusesChanged(refs: Iterable<Ref>): void {
    if (!this.#listeners.some((listener) => listener.affected)) return;
    const all = [...refs];
    for (const { affected: refsChanged } of this.#listeners) refsChanged?.(all);
  }

  /**
   * Compiles units that are left, as many as the platform allows for one request, and publishes the store if none is
   * left after that. Returns the number of compiled units.
   */
  async resume(): Promise<number> {
    const units = await compileLeft(this.store, this.platform);
    this.offer();
    return units;
  }

  /**
   * Called by a source when the objects that it has put are a complete state. Publishes it if the gate is open and its
   * bytes differ from the last publication. Returns whether it did.
   *
   * @throws Error when the store refuses the sequence of the publication.
   */
  offer(): boolean {
    if (!this.#gate.isOpen) return false;
    const publication = this.#publisher.publish(this.#changedAt);
    this.#changedAt = undefined;
    this.#round++;
    this.#takeLeftOut();
    if (publication) this.#lines.log(...publicationLine(publication));
    for (const { published } of this.#listeners) published?.(publication);
    return publication !== undefined;
  }

  /**
   * The same within this many milliseconds, once for all calls in that time. Failures are passed to listeners and
   * tried again.
   */
  offerWithin(ms: number): void {
    if (this.#closed) return;
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      try {
        this.offer();
      } catch (error) {
        for (const { failed } of this.#listeners) failed?.(error);
        this.offerWithin(publishAgainMs);
      }
    }, ms);
  }

  /** Resources that the last publication left out become findings of their objects. */
  #takeLeftOut(): void {
    const before = [...this.#leftOut.values()].flat();
    this.#leftOut = byObject(this.leftOut);
    this.statusesChanged(changedAbout(before, [...this.#leftOut.values()].flat()));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** The last publication. */
  get snapshot(): Snapshot | undefined {
    return this.#publisher.snapshot;
  }

  /** The state that a publication would have now. */
  preview(): Snapshot {
    return this.#publisher.preview();
  }

  /** The sequence of the last publication: the first part of its versions. */
  get sequence(): number {
    return this.#publisher.sequence;
  }

  /**
   * Whether the store was ever published, by this process or an earlier one: if so, the store is not part of a first
   * read.
   */
  get wasPublished(): boolean {
    return this.sequence > 0;
  }

  /** Findings of all units, and of the last publication. */
  get findings(): readonly Finding[] {
    return [...this.storeFindings, ...this.leftOut];
  }

  /** Current findings of all units. */
  get storeFindings(): readonly Finding[] {
    return [...findingsAt(this.now(), this.store.findings())];
  }

  /** Findings about resources that the last publication left out. */
  get leftOut(): readonly Finding[] {
    return this.snapshot?.findings ?? [];
  }

  leftOutAbout(ref: Ref): readonly Finding[] {
    return this.#leftOut.get(ref) ?? [];
  }

  gauges(): Gauge[] {
    const count = { error: 0, warning: 0 };
    for (const { severity } of this.findings) count[severity]++;
    return [
      ["sequence", this.sequence],
      ["objects_kept", this.#gate.kept],
      ["findings", count.error, { severity: "error" }],
      ["findings", count.warning, { severity: "warning" }],
    ];
  }
}
