import { compilerVersion, compileUnit, type RecordingReader } from "./compile.js";
import { claimsOf } from "./graph/claims.js";
import { type Ledger, ledgerOf } from "./graph/cost/ledger.js";
import { costKey } from "./graph/cost/node.js";
import type { Overrun } from "./graph/cost/size.js";
import { judgedBy } from "./graph/judged.js";
import type { Kind, ObjectByKind } from "./graph/reader.js";
import { type Ref, refOf } from "./schema/meta.js";
import type { KubeObject } from "./schema/object.js";
import { isSame } from "./schema/same.js";
import { defaultSettings, parseSettings, type SettingsSpec, settingsRef } from "./schema/settings.js";
import type { ClaimKey, Compiled, ReadKey, Store, UnitKey } from "./store/store.js";

/** An object as it is now, or the name of one that is gone. */
export type Change = KubeObject | { readonly gone: Ref };

/** What the core can't do by itself in every runtime. */
export interface Platform {
  checkKeyPair(certificate: string, privateKey: string): string | undefined;
  /** Units to compile at a time at most; what is left is `resume`d. Absent: all. */
  readonly maxUnits?: number;
}

export interface Updated {
  /** Units compiled or dropped by this update. */
  readonly units: number;
  /** Whether any object differs from before. If none does, what is served and reported stays, once no units are left. */
  readonly edited: boolean;
  /** Units that are left to `resume`. */
  readonly left: number;
  /** Objects that changed, or whose status may be another one because of what was compiled. */
  readonly judged: ReadonlySet<Ref>;
}

const leftCursor = "left";

/** The units that updates have left, kept in the store. */
function leftOf(store: Store): readonly UnitKey[] {
  const text = store.cursor(leftCursor);
  return text ? (JSON.parse(text) as { readonly units: readonly UnitKey[] }).units : [];
}

/** How many units wait to be compiled: as long as there are any, a store is between two states, and not to be served. */
export const unitsLeft = (store: Store): number => leftOf(store).length;

/** Compiles more of what updates have left. */
export function resume(store: Store, platform: Platform): Updated {
  const judged = new Set<Ref>();
  return store.transaction(() => ({
    ...recompile(store, { dirty: new Set(), judged }, platform),
    edited: false,
    judged,
  }));
}

/**
 * Applies changes and recompiles the units that they touch: those that the old and new claims name and those that
 * read the object, found or missed. A full compile is this call on an empty store.
 */
export function update(store: Store, changes: Iterable<Change>, platform: Platform): Updated {
  return store.transaction(() => {
    const dirty = new Set<UnitKey>();
    const judged = new Set<Ref>();
    if (!store.unit("listeners:")) dirty.add("listeners:");
    const ledger = ledgerOf(store, new Recorder("listeners:", store, settingsOf(store), platform));
    let edited = false;
    for (const change of changes) {
      if (!apply(store, change, dirty, ledger)) continue;
      judged.add("gone" in change ? change.gone : change.ref);
      edited = true;
    }
    settle(store, ledger, dirty, platform);
    return { ...recompile(store, { dirty, judged }, platform), edited, judged };
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
    const dirty = new Set<UnitKey>();
    for (const { unit } of store.units()) dirty.add(unit);
    completeSettings(store);
    const ledger = ledgerOf(store, new Recorder("listeners:", store, settingsOf(store), platform));
    claimAnew(store, dirty, ledger);
    settle(store, ledger, dirty, platform);
    const { units, left } = recompile(store, { dirty, judged: new Set() }, platform);
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
    touchAll(store, before, after, dirty);
  }
}

/** An object that comes over the budget of its namespace, or within it again, is as good as changed. */
function settle(store: Store, ledger: Ledger, dirty: Set<UnitKey>, platform: Platform): void {
  for (const ref of ledger.settle(new Recorder("listeners:", store, settingsOf(store), platform))) {
    const claims = store.claimsOf(ref);
    touchObject(store, ref, claims, claims, dirty);
  }
}

/** Returns whether the store holds something else now. */
function apply(store: Store, change: Change, dirty: Set<UnitKey>, ledger: Ledger): boolean {
  const ref = "gone" in change ? change.gone : change.ref;
  const old = store.object(ref);
  if ("gone" in change ? !old : old && isSame(old, change)) return false;
  const before = old ? store.claimsOf(ref) : [];
  const after = "gone" in change ? [] : claimsOf(change);
  if ("gone" in change) store.deleteObject(ref);
  else store.putObject(change, after);

  ledger.change(ref, before.includes(costKey) || after.includes(costKey));
  touchObject(store, ref, before, after, dirty);
  if (ref === settingsRef) for (const { unit } of store.units()) dirty.add(unit);
  return true;
}

function touchObject(
  store: Store,
  ref: Ref,
  before: readonly ClaimKey[],
  after: readonly ClaimKey[],
  dirty: Set<UnitKey>,
): void {
  for (const unit of store.readers(ref)) dirty.add(unit);
  touchAll(store, before, after, dirty);
}

function touchAll(
  store: Store,
  before: readonly ClaimKey[],
  after: readonly ClaimKey[],
  dirty: Set<UnitKey>,
): void {
  const [old, now] = [new Set(before), new Set(after)];
  for (const key of old) touch(store, key, !now.has(key), dirty);
  for (const key of now) touch(store, key, !old.has(key), dirty);
}

/** A claim on a unit dirties it; one that is new or gone (`moved`) also dirties the readers of the list. */
function touch(store: Store, key: ClaimKey, moved: boolean, dirty: Set<UnitKey>): void {
  if (isUnit(key)) dirty.add(key);
  if (moved) for (const unit of store.readers(`claims:${key}`)) dirty.add(unit);
}

/** Hosts, extensions and routes are there because they are claimed, all other units because they are needed. */
const isUnit = (key: string): key is UnitKey => /^(?:vhost|extension|route|tcp):/.test(key);

/** Compiles what is dirty and what was left before, and notes what that judges. */
function recompile(
  store: Store,
  { dirty: touched, judged }: { readonly dirty: Set<UnitKey>; readonly judged: Set<Ref> },
  platform: Platform,
): Pick<Updated, "units" | "left"> {
  const settings = settingsOf(store);
  const before = leftOf(store);
  const dirty = before.length > 0 ? new Set([...before, ...touched]) : touched;
  const { maxUnits = Number.POSITIVE_INFINITY } = platform;
  let units = 0;
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
    for (const ref of judgedBy({ unit: key }, old, compiled)) judged.add(ref);
    for (const need of changedNeeds(store, old, compiled)) {
      dirty.delete(need);
      dirty.add(need);
    }
  }
  if (dirty.size > 0) store.setCursor(leftCursor, JSON.stringify({ units: [...dirty] }));
  else if (before.length > 0) store.setCursor(leftCursor, "");
  return { units, left: dirty.size };
}

const isAlive = (store: Store, key: UnitKey): boolean =>
  key === "listeners:" || (isUnit(key) ? store.claimants(key) : store.readers(`need:${key}`)).length > 0;

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
  for (const key of unit?.reads ?? []) if (key.startsWith("need:")) needs.push(key.slice(5) as UnitKey);
  return needs;
}

function settingsOf(store: Store): SettingsSpec {
  const object = store.object(settingsRef);
  return object?.kind === "Settings" ? object.spec : defaultSettings;
}

/** Reads of a store for one unit, each of them noted once. */
class Recorder implements RecordingReader {
  readonly #reads = new Set<ReadKey>();
  #last: KubeObject | undefined;

  constructor(
    private readonly unit: UnitKey,
    private readonly store: Store,
    readonly settings: SettingsSpec,
    private readonly platform: Platform,
  ) {}

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
    if (key !== this.unit) this.#reads.add(["claims:", key].join(""));
    return this.store.claimants(key);
  }

  need(unit: UnitKey): void {
    this.#reads.add(["need:", unit].join(""));
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
