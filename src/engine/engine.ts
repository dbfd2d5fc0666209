import { changedAbout } from "../graph/core/affected.js";
import { listenersUnit, type ReadKey } from "../graph/core/keys.js";
import type { Snapshot } from "../link/snapshot.js";
import { byObject, type Finding, findingsAt, type Ref } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import type { SettingsSpec } from "../schema/settings.js";
import { settingsOf } from "../schema/stored-settings.js";
import type { Store } from "../store/store.js";
import { type Change, type Platform, refresh, replaceAll, type Updated, update } from "../update.js";
import type { Awaited } from "./awaited.js";
import { type Feed, Gate } from "./gate.js";
import type { Outlet } from "./outlet.js";
import { Publisher } from "./publisher.js";
import { compileLeft, inSlices, updateInSlices } from "./slices.js";

interface EngineOptions {
  readonly store: Store;
  readonly platform: Platform;
  readonly outlet: Outlet;
  /** Milliseconds since the epoch. */
  now(): number;
}

/** What came of changes. */
export interface Put {
  /** Units that were compiled or dropped. */
  readonly compiled: number;
  /** Units and steps of the source that are left: nothing is published until they are done. */
  readonly pending: number;
  /** Whether any object differs from before. */
  readonly edited: boolean;
  /** What units that were there before refer to since then, and do not find. */
  readonly missed: ReadonlySet<ReadKey>;
}

/** Is called with what comes of changes. */
export interface EngineListener {
  /** Objects that changed, or whose status may be another one. */
  affected?(refs: readonly Ref[]): void;
  /** The store was linked, and what is published is up to date. */
  published?(): void;
  /** It could not be; it is tried again. */
  failed?(error: unknown): void;
}

/** One number of `/metrics`, with its labels. */
type Gauge = readonly [
  name: "sequence" | "objects_kept" | "findings",
  value: number,
  labels?: Readonly<Record<string, string>>,
];

/** After a publication that failed, the next attempt comes this much later (ms). */
const publishAgainMs = 5000;

/**
 * Compiles changes of a source in a store, and publishes what the store holds when it is a whole state of the source. Sources put changes and
 * say when they make a whole; whether, when and under which version that is published is decided here alone.
 */
export class Engine {
  readonly store: Store;
  /** How much is compiled at a time, and for one request. */
  readonly platform: Platform;
  readonly outlet: Outlet;
  readonly now: () => number;
  readonly #gate: Gate;
  readonly #publisher: Publisher;
  readonly #listeners: EngineListener[] = [];
  #leftOut: ReadonlyMap<Ref, readonly Finding[]> = new Map();
  #timer: ReturnType<typeof setTimeout> | undefined;
  #closed = false;

  /** Over a store that an earlier process may have filled: what another version of the compiler has left in it is compiled anew. */
  static open(options: EngineOptions): Engine {
    return new Engine(options, refresh(options.store, inSlices(options.platform)));
  }

  constructor(
    { store, platform, outlet, now }: EngineOptions,
    /** Whether another version has filled the store, which may have kept less of each object. */
    readonly outdated = false,
  ) {
    this.store = store;
    this.platform = platform;
    this.outlet = outlet;
    this.now = now;
    this.#gate = new Gate(store);
    this.#publisher = new Publisher(store, outlet, now);
    outlet.partAsked = (table) => {
      if (this.#publisher.partAsked(table)) this.offer();
    };
  }

  /** Publications wait for this source from now on. */
  attach(feed: Feed): void {
    this.#gate.attach(feed);
  }

  /** For the references of objects that are read of one origin: publications wait for these. `now` is the clock of their times. */
  awaits(now: () => number): Awaited {
    return this.#gate.awaits(now);
  }

  listen(listener: EngineListener): void {
    this.#listeners.push(listener);
  }

  get settings(): SettingsSpec {
    return settingsOf(this.store);
  }

  log(line: string): void {
    this.outlet.log(line);
  }

  /** Whether the store holds what was compiled, if only of no objects. */
  get isCompiled(): boolean {
    return this.store.unit(listenersUnit) !== undefined;
  }

  /** Units and steps of the source that are left until the store may be published. */
  get pending(): number {
    return this.#gate.pending;
  }

  /** Puts changes into the store and compiles what they touch, as much as the platform takes without a pause. Publishes nothing. */
  put(changes: Iterable<Change>): Put {
    return this.#taken(update(this.store, changes, inSlices(this.platform)));
  }

  /** Puts many changes with pauses between, and leaves all units that they touch. */
  putInSlices(changes: readonly Change[]): Promise<void> {
    return updateInSlices(this.store, changes, this.platform);
  }

  /** Makes the store hold these objects alone. Publishes nothing. */
  replace(objects: readonly KubeObject[]): Put {
    return this.#taken(replaceAll(this.store, objects, inSlices(this.platform)));
  }

  #taken({ units: compiled, left, edited, missed, affected }: Updated): Put {
    this.statusesChanged(affected);
    return { compiled, pending: left + this.#gate.steps, edited, missed };
  }

  /** Passes objects whose status may be another one to listeners. */
  statusesChanged(refs: Iterable<Ref>): void {
    if (!this.#listeners.some((listener) => listener.affected)) return;
    const all = [...refs];
    for (const { affected: refsChanged } of this.#listeners) refsChanged?.(all);
  }

  /** Compiles what is left, as much as the platform takes for one request, and publishes it if that is all. Returns how many units were compiled. */
  async resume(): Promise<number> {
    const units = await compileLeft(this.store, this.platform);
    this.offer();
    return units;
  }

  /**
   * A source says that what it has put makes a whole. It is published if the gate is open and its bytes are others than those that were published
   * last. Returns whether they are. @throws Error where the store refuses the sequence of the publication.
   */
  offer(): boolean {
    if (!this.#gate.isOpen) return false;
    const changed = this.#publisher.publish();
    this.#takeLeftOut();
    for (const { published } of this.#listeners) published?.();
    return changed;
  }

  /** The same within so many milliseconds, once for all calls until then. A failure is passed to listeners, and tried again. */
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

  /** What the last publication left out is a finding of the objects that it came from. */
  #takeLeftOut(): void {
    const before = [...this.#leftOut.values()].flat();
    this.#leftOut = byObject(this.leftOut);
    this.statusesChanged(changedAbout(before, [...this.#leftOut.values()].flat()));
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#timer);
  }

  /** What was published last. */
  get snapshot(): Snapshot | undefined {
    return this.#publisher.snapshot;
  }

  /** What would be published. */
  preview(): Snapshot {
    return this.#publisher.preview();
  }

  /** Of the last publication: the first part of its versions. */
  get sequence(): number {
    return this.#publisher.sequence;
  }

  /** Whether the store has been published before, by this process or an earlier one: what it holds now is no part of a first read. */
  get wasPublished(): boolean {
    return this.sequence > 0;
  }

  /** Of all units, and about what the last publication left out. */
  get findings(): readonly Finding[] {
    return [...this.storeFindings, ...this.leftOut];
  }

  /** Of all units, as they are now. */
  get storeFindings(): readonly Finding[] {
    return [...findingsAt(this.now(), this.store.findings())];
  }

  /** About what the last publication left out. */
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
