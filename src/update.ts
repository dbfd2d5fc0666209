import { compilerVersion, compileUnit } from "./compile.js";
import { affectedBy } from "./graph/core/affected.js";
import { claimsOf } from "./graph/core/claims.js";
import {
  type ClaimKey,
  costKey,
  isClaimedUnit,
  isNeededUnit,
  listenersUnit,
  listRead,
  neededUnit,
  needRead,
  type ReadKey,
  type UnitKey,
} from "./graph/core/keys.js";
import { newlyMissed } from "./graph/core/missed.js";
import { Recorder, UpdateContext } from "./graph/core/recorder.js";
import { type Ledger, ledgerOf } from "./graph/cost/ledger.js";
import { kindOf, type Ref } from "./schema/meta.js";
import type { KubeObject } from "./schema/object.js";
import { parentKinds } from "./schema/routing-kinds.js";
import { isSame } from "./schema/same.js";
import { parseSettings, settingsRef } from "./schema/settings.js";
import { settingsOf } from "./schema/stored-settings.js";
import type { ClaimedObject, Compiled, Likeness, Store } from "./store/store.js";

/** The new state of an object, or the ref of a deleted object (`gone`). */
export type Change = KubeObject | { readonly gone: Ref };

/** Functions that the core can't implement for every runtime, and limits of the runtime. */
export interface Platform {
  checkKeyPair(certificate: string, privateKey: string): string | undefined;
  /** The limit of units to compile per call; `resume` compiles the others. Absent: no limit. */
  readonly maxUnits?: number;
  /** The limit of units to compile without a pause, if it is lower. */
  readonly sliceUnits?: number;
}

export interface Updated {
  /** Units compiled or dropped by this update. */
  readonly units: number;
  /**
   * Whether any object changed. If none did, the served configuration and findings stay equal once no units are
   * pending.
   */
  readonly edited: boolean;
  /** The number of pending units, for `resume`. */
  readonly left: number;
  /** Objects that changed, or whose status may have changed. */
  readonly affected: ReadonlySet<Ref>;
  /** The reads of missing objects that this update added to existing units: see `newlyMissed`. */
  readonly missed: ReadonlySet<ReadKey>;
}

/** The number of pending units. While it is not 0, a store is between two states and must not be served. */
export const unitsLeft = (store: Pick<Store, "pendingCount">): number => store.pendingCount;

/** Compiles pending units. */
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
 * Applies changes and recompiles the affected units: those in the old and new claims, and those that read the object or
 * its absence. A full compilation is this call with an empty store.
 */
export function update(store: Store, changes: Iterable<Change>, platform: Platform): Updated {
  return store.transaction(() => {
    const marks = newMarks();
    const { dirty, affected, missed } = marks;
    if (!store.unit(listenersUnit)) dirty.add(listenersUnit);
    const ledger = ledgerOf(
      store,
      new Recorder(listenersUnit, new UpdateContext(store, settingsOf(store), platform)),
    );
    let edited = false;
    for (const some of chunksOf(changes)) edited = applyAll(store, some, marks, ledger) || edited;
    settle(store, ledger, dirty, platform);
    return { ...recompile(store, marks, platform), edited, affected, missed };
  });
}

const compilerCursor = "compiler";

/**
 * Recompiles a store that another version of the compiler has written. Returns whether it did; the caller should then read
 * the source again, because this version may keep more fields of it.
 */
export function refresh(store: Store, platform: Platform): boolean {
  if (store.cursor(compilerCursor) === String(compilerVersion)) return false;
  return store.transaction(() => {
    const marks = newMarks();
    const { dirty } = marks;
    for (const { unit } of store.units()) dirty.add(unit);
    completeSettings(store);
    const ledger = ledgerOf(
      store,
      new Recorder(listenersUnit, new UpdateContext(store, settingsOf(store), platform)),
    );
    updateClaims(store, dirty, ledger);
    settle(store, ledger, dirty, platform);
    const { units, left } = recompile(store, marks, platform);
    store.setCursor(compilerCursor, String(compilerVersion));
    return units + left > 0;
  });
}

/** Adds defaults for settings that the version that wrote the store did not have. */
function completeSettings(store: Store): void {
  const object = store.object(settingsRef);
  if (object?.kind === "Settings") store.putObject(parseSettings(object.spec).settings, claimsOf(object));
}

/** Updates the claims of objects to those of this version of the compiler. */
function updateClaims(store: Store, dirty: Set<UnitKey>, ledger: Ledger): void {
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

/** Handles objects that now exceed the budget of their namespace, or no longer exceed it, as changed objects. */
function settle(store: Store, ledger: Ledger, dirty: Set<UnitKey>, platform: Platform): void {
  for (const ref of ledger.settle(
    new Recorder(listenersUnit, new UpdateContext(store, settingsOf(store), platform)),
  )) {
    const claims = store.claimsOf(ref);
    const touched = new Touched(store, dirty);
    touched.add(ref, claims, claims);
    touched.settle();
  }
}

/** A number of objects for which one statement is within the limits of every SQLite. */
const chunkSize = 100;

/** Splits changes into chunks with at most one change per object. */
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

/** The notes of an update: units to compile, and objects whose status may have changed. */
interface Marks {
  readonly dirty: Set<UnitKey>;
  readonly affected: Set<Ref>;
  readonly gone: Set<Ref>;
  readonly missed: Set<ReadKey>;
}

const newMarks = (): Marks => ({ dirty: new Set(), affected: new Set(), gone: new Set(), missed: new Set() });

/** A new or changed object with its claims. */
interface Put extends ClaimedObject {
  readonly likeness: Likeness;
}

/** Applies changes. Returns whether the store changed. */
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

/** Finds the units that changes of objects and of their claims affect. */
class Touched {
  readonly #reads: ReadKey[] = [];

  constructor(
    private readonly store: Store,
    private readonly dirty: Set<UnitKey>,
  ) {}

  add(ref: Ref, before: readonly ClaimKey[], after: readonly ClaimKey[]): void {
    this.#reads.push(ref);
    const [old, current] = [new Set(before), new Set(after)];
    for (const key of old) this.#touch(key, !current.has(key));
    for (const key of current) this.#touch(key, !old.has(key));
  }

  /**
   * Marks the unit of a claim as dirty. A claim that was added or removed (`moved`) also affects the readers of the
   * list.
   */
  #touch(key: ClaimKey, moved: boolean): void {
    if (isClaimedUnit(key)) this.dirty.add(key);
    if (moved) this.#reads.push(listRead(key));
  }

  /** Marks the readers of all added keys as dirty. */
  settle(): void {
    for (const unit of this.store.readersOfAny(this.#reads)) this.dirty.add(unit);
    this.#reads.length = 0;
  }
}

/** Compiles pending and dirty units up to the limit of the platform, and notes the affected objects. */
function recompile(
  store: Store,
  { dirty: touched, affected, gone, missed }: Marks,
  platform: Platform,
): Pick<Updated, "units" | "left"> {
  const context = new UpdateContext(store, settingsOf(store), platform);
  const { maxUnits = Number.POSITIVE_INFINITY } = platform;
  const pending = store.pending(maxUnits);
  const dirty = pending.length > 0 ? new Set([...pending, ...touched]) : touched;
  // The changes that a pending unit waits for are not known any more.
  const parents = pending.length > 0 || [...affected].some((ref) => parentKinds.has(kindOf(ref)));
  let units = 0;
  // Units that existing units need since this update.
  const neededByOld = new Set<UnitKey>();
  // The iteration of a Set includes values that are added during it, so needed units follow their users.
  for (const key of dirty) {
    if (units === maxUnits) break;
    dirty.delete(key);
    units++;
    const old = store.unit(key);
    const compiled = isAlive(store, key) ? compileUnit(key, new Recorder(key, context)) : undefined;
    if (compiled) store.putUnit(compiled);
    else if (old) store.deleteUnit(key);
    for (const ref of affectedBy({ unit: key }, old, compiled, parents)) affected.add(ref);
    const existed = old !== undefined || neededByOld.has(key);
    if (compiled && existed) for (const read of newlyMissed(store, old, compiled, gone)) missed.add(read);
    for (const need of changedNeeds(store, old, compiled)) {
      if (existed) neededByOld.add(need);
      dirty.delete(need);
      dirty.add(need);
    }
  }
  store.dropPending(pending);
  store.addPending(dirty);
  return { units, left: store.pendingCount };
}

function isAlive(store: Store, key: UnitKey): boolean {
  if (isClaimedUnit(key)) return store.claimants(key).length > 0;
  return isNeededUnit(key) ? store.readers(needRead(key)).length > 0 : key === listenersUnit;
}

/** Missing units that are needed now, and existing units that are not needed any more. */
function changedNeeds(store: Store, old: Compiled | undefined, compiled: Compiled | undefined): UnitKey[] {
  const before = needsOf(old);
  const after = needsOf(compiled);
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

/** Updates a store to contain exactly these objects. */
export function replaceAll(store: Store, objects: readonly KubeObject[], platform: Platform): Updated {
  const kept = new Set(objects.map((object) => object.ref));
  const gone = [...store.objects()].filter(({ ref }) => !kept.has(ref)).map(({ ref }) => ({ gone: ref }));
  return update(store, [...gone, ...objects], platform);
}
