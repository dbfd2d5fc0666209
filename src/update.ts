import { compilerVersion, compileUnit, type RecordingReader } from "./compile.js";
import { affectedBy } from "./graph/core/affected.js";
import { claimsOf } from "./graph/core/claims.js";
import {
  type ClaimKey,
  costKey,
  isClaimedUnit,
  isNeededUnit,
  listenersUnit,
  listRead,
  type NeededUnit,
  neededUnit,
  needRead,
  type ReadKey,
  type UnitKey,
} from "./graph/core/keys.js";
import { newlyMissed } from "./graph/core/missed.js";
import type { Kind, ObjectByKind } from "./graph/core/reader.js";
import { type Ledger, ledgerOf } from "./graph/cost/ledger.js";
import type { Overrun } from "./graph/cost/size.js";
import { type StoreCache, UnitCache } from "./schema/compile-cache.js";
import { type Ref, refOf } from "./schema/meta.js";
import type { KubeObject } from "./schema/object.js";
import { isSame } from "./schema/same.js";
import { parseSettings, type SettingsSpec, settingsRef } from "./schema/settings.js";
import { settingsOf } from "./schema/stored-settings.js";
import type { ClaimedObject, Compiled, Likeness, Store } from "./store/store.js";

/** An object as it is now, or the name of one that is gone. */
export type Change = KubeObject | { readonly gone: Ref };

/** What the core can't do by itself in every runtime. */
export interface Platform {
  checkKeyPair(certificate: string, privateKey: string): string | undefined;
  /** Units to compile for one request at most; what is left is `resume`d. Absent: all, at once. */
  readonly maxUnits?: number;
  /** Units to compile without a pause, where that is less. */
  readonly sliceUnits?: number;
}

export interface Updated {
  /** Units compiled or dropped by this update. */
  readonly units: number;
  /** Whether any object differs from before. If none does, what is served and reported stays, once no units are left. */
  readonly edited: boolean;
  /** Units that are left to `resume`. */
  readonly left: number;
  /** Objects that changed, or whose status may be another one because of what was compiled. */
  readonly affected: ReadonlySet<Ref>;
  /** What units that were there before look for since this update, and do not find: see `newlyMissed`. */
  readonly missed: ReadonlySet<ReadKey>;
}

/** How many units wait to be compiled: as long as there are any, a store is between two states, and not to be served. */
export const unitsLeft = (store: Pick<Store, "pendingCount">): number => store.pendingCount;

/** Compiles more of what updates have left. */
export function resume(store: Store, platform: Platform): Updated {
  const marks = newMarks();
  return store.transaction(() => ({
    ...recompile(store, marks, platform),
    edited: false,
    affected: marks.affected,
    missed: marks.missed,
  }));
}

/**
 * Applies changes and recompiles the units that they touch: those that the old and new claims name and those that
 * read the object, found or missed. A full compile is this call on an empty store.
 */
export function update(store: Store, changes: Iterable<Change>, platform: Platform): Updated {
  return store.transaction(() => {
    const marks = newMarks();
    const { dirty, affected, missed } = marks;
    if (!store.unit(listenersUnit)) dirty.add(listenersUnit);
    const ledger = ledgerOf(store, new Recorder(listenersUnit, store, settingsOf(store), platform));
    let edited = false;
    for (const some of chunksOf(changes)) edited = applyAll(store, some, marks, ledger) || edited;
    settle(store, ledger, dirty, platform);
    return { ...recompile(store, marks, platform), edited, affected, missed };
  });
}

const compilerCursor = "compiler";

/**
 * Compiles anew what another version of the compiler has left in a store, if it did. Returns whether that was so; the
 * source should then be read again, too, as this version may keep more fields of it.
 */
export function refresh(store: Store, platform: Platform): boolean {
  if (store.cursor(compilerCursor) === String(compilerVersion)) return false;
  return store.transaction(() => {
    const marks = newMarks();
    const { dirty } = marks;
    for (const { unit } of store.units()) dirty.add(unit);
    completeSettings(store);
    const ledger = ledgerOf(store, new Recorder(listenersUnit, store, settingsOf(store), platform));
    claimAnew(store, dirty, ledger);
    settle(store, ledger, dirty, platform);
    const { units, left } = recompile(store, marks, platform);
    store.setCursor(compilerCursor, String(compilerVersion));
    return units + left > 0;
  });
}

/** Gives settings that were stored by another version the defaults of those that it did not have. */
function completeSettings(store: Store): void {
  const object = store.object(settingsRef);
  if (object?.kind === "Settings") store.putObject(parseSettings(object.spec).settings, claimsOf(object));
}

/** Gives the objects the claims that this version of the compiler makes of them. */
function claimAnew(store: Store, dirty: Set<UnitKey>, ledger: Ledger): void {
  const moved: KubeObject[] = [];
  for (const object of store.objects())
    if (!isSame(claimsOf(object), store.claimsOf(object.ref))) moved.push(object);
  for (const object of moved) {
    const before = store.claimsOf(object.ref);
    const after = claimsOf(object);
    store.putObject(object, after);
    ledger.change(object.ref, true);
    const touched = new Touched(store, dirty);
    touched.add(object.ref, before, after);
    touched.settle();
  }
}

/** An object that comes over the budget of its namespace, or within it again, is as good as changed. */
function settle(store: Store, ledger: Ledger, dirty: Set<UnitKey>, platform: Platform): void {
  for (const ref of ledger.settle(new Recorder(listenersUnit, store, settingsOf(store), platform))) {
    const claims = store.claimsOf(ref);
    const touched = new Touched(store, dirty);
    touched.add(ref, claims, claims);
    touched.settle();
  }
}

/** So many that a statement about all of them is within the bounds of every SQLite. */
const chunkSize = 100;

/** Changes some at a time, of one object each. */
function* chunksOf(changes: Iterable<Change>): Iterable<Map<Ref, Change>> {
  let some = new Map<Ref, Change>();
  for (const change of changes) {
    const ref = "gone" in change ? change.gone : change.ref;
    if (some.size === chunkSize || some.has(ref)) {
      yield some;
      some = new Map();
    }
    some.set(ref, change);
  }
  if (some.size > 0) yield some;
}

/** What an update notes on its way: units to compile, and objects whose status may be another one. */
interface Marks {
  readonly dirty: Set<UnitKey>;
  readonly affected: Set<Ref>;
  readonly gone: Set<Ref>;
  readonly missed: Set<ReadKey>;
}

const newMarks = (): Marks => ({ dirty: new Set(), affected: new Set(), gone: new Set(), missed: new Set() });

/** An object that is other than before, with its claims. */
interface Put extends ClaimedObject {
  readonly likeness: Likeness;
}

/** Returns whether the store holds something else now. */
function applyAll(
  store: Store,
  changes: ReadonlyMap<Ref, Change>,
  { dirty, affected, gone: allGone }: Marks,
  ledger: Ledger,
): boolean {
  const touched = new Touched(store, dirty);
  const puts = differing(store, changes);
  for (const { object, claims, likeness } of puts) {
    const before = likeness === "absent" ? [] : store.claimsOf(object.ref);
    touched.add(object.ref, before, claims);
    ledger.change(object.ref, before.includes(costKey) || claims.includes(costKey));
    affected.add(object.ref);
  }
  store.putObjects(
    puts,
    puts.map(({ likeness }) => likeness),
  );
  let gone = 0;
  for (const change of changes.values()) {
    if (!("gone" in change) || !store.object(change.gone)) continue;
    gone++;
    const before = store.claimsOf(change.gone);
    store.deleteObject(change.gone);
    touched.add(change.gone, before, []);
    ledger.change(change.gone, before.includes(costKey));
    affected.add(change.gone);
    allGone.add(change.gone);
  }
  touched.settle();
  if (changes.has(settingsRef) && (gone > 0 || puts.some(({ object }) => object.ref === settingsRef)))
    for (const { unit } of store.units()) dirty.add(unit);
  return puts.length + gone > 0;
}

function differing(store: Store, changes: ReadonlyMap<Ref, Change>): Put[] {
  const objects: KubeObject[] = [];
  for (const change of changes.values()) if (!("gone" in change)) objects.push(change);
  const likeness = store.compare(objects);
  const puts: Put[] = [];
  for (const [i, object] of objects.entries()) {
    const like = likeness[i];
    if (like && like !== "same") puts.push({ object, claims: claimsOf(object), likeness: like });
  }
  return puts;
}

/** Units that are touched by changes of objects and of their claims. */
class Touched {
  readonly #reads: ReadKey[] = [];

  constructor(
    private readonly store: Store,
    private readonly dirty: Set<UnitKey>,
  ) {}

  add(ref: Ref, before: readonly ClaimKey[], after: readonly ClaimKey[]): void {
    this.#reads.push(ref);
    const [old, now] = [new Set(before), new Set(after)];
    for (const key of old) this.#touch(key, !now.has(key));
    for (const key of now) this.#touch(key, !old.has(key));
  }

  /** A claim on a unit dirties it; one that is new or gone (`moved`) also dirties the readers of the list. */
  #touch(key: ClaimKey, moved: boolean): void {
    if (isClaimedUnit(key)) this.dirty.add(key);
    if (moved) this.#reads.push(listRead(key));
  }

  /** Finds the readers of all that was added. */
  settle(): void {
    for (const unit of this.store.readersOfAny(this.#reads)) this.dirty.add(unit);
    this.#reads.length = 0;
  }
}

/** Compiles what was left before and what is dirty, and notes what that judges; leaves what is more than the platform takes at a time. */
function recompile(
  store: Store,
  { dirty: touched, affected, gone, missed }: Marks,
  platform: Platform,
): Pick<Updated, "units" | "left"> {
  const settings = settingsOf(store);
  const { maxUnits = Number.POSITIVE_INFINITY } = platform;
  const waited = store.pending(maxUnits);
  const dirty = waited.length > 0 ? new Set([...waited, ...touched]) : touched;
  let units = 0;
  // Units that others need from now on which were there before.
  const neededByOld = new Set<UnitKey>();
  // A Set is walked in insertion order and sees what is added on the way: needed units come after their users.
  for (const key of dirty) {
    if (units === maxUnits) break;
    dirty.delete(key);
    units++;
    const old = store.unit(key);
    const compiled = isAlive(store, key)
      ? compileUnit(key, new Recorder(key, store, settings, platform))
      : undefined;
    if (compiled) store.putUnit(compiled);
    else if (old) store.deleteUnit(key);
    for (const ref of affectedBy({ unit: key }, old, compiled)) affected.add(ref);
    const wasThere = old !== undefined || neededByOld.has(key);
    if (compiled && wasThere) for (const read of newlyMissed(store, old, compiled, gone)) missed.add(read);
    for (const need of changedNeeds(store, old, compiled)) {
      if (wasThere) neededByOld.add(need);
      dirty.delete(need);
      dirty.add(need);
    }
  }
  store.dropPending(waited);
  store.addPending(dirty);
  return { units, left: store.pendingCount };
}

function isAlive(store: Store, key: UnitKey): boolean {
  if (isClaimedUnit(key)) return store.claimants(key).length > 0;
  return isNeededUnit(key) ? store.readers(needRead(key)).length > 0 : key === listenersUnit;
}

/** Units that are needed now and not there, or there and needed no more. */
function changedNeeds(store: Store, old: Compiled | undefined, now: Compiled | undefined): UnitKey[] {
  const before = needsOf(old);
  const after = needsOf(now);
  return [
    ...before.filter((need) => !after.includes(need) && !isAlive(store, need) && store.unit(need)),
    ...after.filter((need) => !before.includes(need) && !store.unit(need)),
  ];
}

function needsOf(unit: Compiled | undefined): UnitKey[] {
  const needs: UnitKey[] = [];
  for (const read of unit?.reads ?? []) {
    const need = neededUnit(read);
    if (need !== undefined) needs.push(need);
  }
  return needs;
}

/** Reads of a store for one unit, each of them noted once. */
class Recorder implements RecordingReader {
  readonly #reads = new Set<ReadKey>();
  #last: KubeObject | undefined;
  #unitCache: UnitCache | undefined;

  constructor(
    private readonly unit: UnitKey,
    private readonly store: Store,
    readonly settings: SettingsSpec,
    private readonly platform: Platform,
  ) {}

  get cache(): StoreCache {
    return this.store.cache;
  }

  get unitCache(): UnitCache {
    this.#unitCache ??= new UnitCache();
    return this.#unitCache;
  }

  get reads(): ReadKey[] {
    return [...this.#reads];
  }

  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectByKind<K> | undefined {
    const last = this.#last;
    if (last?.kind === kind && last.meta.name === name && last.meta.namespace === namespace)
      return last as ObjectByKind<K>;
    const ref = refOf(kind, namespace, name);
    this.#reads.add(ref);
    const object = this.store.object(ref);
    if (object) this.#last = object;
    return object?.kind === kind ? (object as ObjectByKind<K>) : undefined;
  }

  /** A claim on the unit itself dirties it anyway: that list need not be noted. */
  claimants(key: ClaimKey): readonly Ref[] {
    if (key !== this.unit) this.#reads.add(listRead(key));
    return this.store.claimants(key);
  }

  need(unit: NeededUnit): void {
    this.#reads.add(needRead(unit));
  }

  overrun(ref: Ref): Overrun | undefined {
    return ledgerOf(this.store, this).overrun(ref);
  }

  checkKeyPair(certificate: string, privateKey: string): string | undefined {
    return this.platform.checkKeyPair(certificate, privateKey);
  }
}

/** Makes the store hold exactly these objects: the changes are what differs. */
export function replaceAll(store: Store, objects: readonly KubeObject[], platform: Platform): Updated {
  const kept = new Set(objects.map((object) => object.ref));
  const gone = [...store.objects()].filter(({ ref }) => !kept.has(ref)).map(({ ref }) => ({ gone: ref }));
  return update(store, [...gone, ...objects], platform);
}
