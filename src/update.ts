import { compileUnit } from "./compile.js";
import { claimsOf } from "./graph/claims.js";
import type { Kind, ObjectByKind, Reader } from "./graph/reader.js";
import { type Ref, refOf } from "./schema/meta.js";
import type { KubeObject } from "./schema/object.js";
import { defaultSettings, type SettingsSpec, settingsRef } from "./schema/settings.js";
import type { Compiled, ReadKey, Store, UnitKey } from "./store/store.js";

/** An object as it is now, or the name of one that is gone. */
export type Change = KubeObject | { readonly gone: Ref };

/** What the core can't do by itself in every runtime. */
export interface Platform {
  checkKeyPair(certificate: string, privateKey: string): string | undefined;
}

export interface Updated {
  /** Units compiled or dropped by this update. */
  readonly units: number;
  /** Whether any resource may differ from before. */
  readonly changed: boolean;
}

/**
 * Applies changes and recompiles the units that they touch: those that the old and new claims name and those that
 * read the object, found or missed. A full compile is this call on an empty store.
 */
export function update(store: Store, changes: readonly Change[], platform: Platform): Updated {
  return store.transaction(() => {
    const dirty = new Set<UnitKey>();
    if (!store.unit("listeners:")) dirty.add("listeners:");
    for (const change of changes) apply(store, change, dirty);
    return recompile(store, dirty, platform);
  });
}

function apply(store: Store, change: Change, dirty: Set<UnitKey>): void {
  const ref = "gone" in change ? change.gone : change.ref;
  const old = store.object(ref);
  if ("gone" in change ? !old : old && sameContent(old, change)) return;
  const before = store.claimsOf(ref);
  const after = "gone" in change ? [] : claimsOf(change);
  if ("gone" in change) store.deleteObject(ref);
  else store.putObject(change, after);

  for (const unit of store.readers(ref)) dirty.add(unit);
  for (const key of new Set([...before, ...after])) {
    if (isUnit(key)) dirty.add(key);
    if (before.includes(key) !== after.includes(key)) {
      for (const unit of store.readers(`claims:${key}`)) dirty.add(unit);
    }
  }
  if (ref === settingsRef) for (const { unit } of store.units()) dirty.add(unit);
}

const sameContent = (a: KubeObject, b: KubeObject): boolean => JSON.stringify(a) === JSON.stringify(b);

const isUnit = (key: string): key is UnitKey => key.startsWith("vhost:") || key.startsWith("extension:");

function recompile(store: Store, dirty: Set<UnitKey>, platform: Platform): Updated {
  const settings = settingsOf(store);
  let units = 0;
  let changed = false;
  // A Set is walked in insertion order and sees what is added on the way: needed units come after their users.
  for (const key of dirty) {
    units++;
    const old = store.unit(key);
    const compiled = isAlive(store, key)
      ? compileUnit(key, (reads) => record(store, settings, platform, reads))
      : undefined;
    if (compiled) store.putUnit(compiled);
    else if (old) store.deleteUnit(key);
    changed ||= !sameResources(old, compiled);
    for (const need of changedNeeds(old, compiled)) {
      if (isAlive(store, need) !== (store.unit(need) !== undefined)) {
        dirty.delete(need);
        dirty.add(need);
      }
    }
  }
  return { units, changed };
}

const isAlive = (store: Store, key: UnitKey): boolean =>
  key === "listeners:" || store.claimants(key).length > 0 || store.readers(`need:${key}`).length > 0;

function changedNeeds(old: Compiled | undefined, now: Compiled | undefined): UnitKey[] {
  const before = needsOf(old);
  const after = needsOf(now);
  return [...before, ...after].filter((need) => before.has(need) !== after.has(need));
}

const needsOf = (unit: Compiled | undefined): Set<UnitKey> =>
  new Set(unit?.reads.filter((key) => key.startsWith("need:")).map((key) => key.slice(5) as UnitKey));

function sameResources(a: Compiled | undefined, b: Compiled | undefined): boolean {
  const left = a?.resources ?? [];
  const right = b?.resources ?? [];
  return (
    left.length === right.length &&
    left.every((resource, i) => {
      const other = right[i];
      return (
        other !== undefined &&
        resource.json === other.json &&
        resource.name === other.name &&
        resource.type === other.type &&
        resource.group === other.group &&
        resource.mode === other.mode
      );
    })
  );
}

function settingsOf(store: Store): SettingsSpec {
  const object = store.object(settingsRef);
  return object?.kind === "Settings" ? object.spec : defaultSettings;
}

function record(store: Store, settings: SettingsSpec, platform: Platform, reads: Set<ReadKey>): Reader {
  return {
    settings,
    get<K extends Kind>(kind: K, namespace: string, name: string): ObjectByKind<K> | undefined {
      const ref = refOf(kind, namespace, name);
      reads.add(ref);
      const object = store.object(ref);
      return object?.kind === kind ? (object as ObjectByKind<K>) : undefined;
    },
    claimants(key) {
      reads.add(`claims:${key}`);
      return store.claimants(key);
    },
    need(unit) {
      reads.add(`need:${unit}`);
    },
    checkKeyPair: platform.checkKeyPair,
  };
}

/** Makes the store hold exactly these objects: the changes are what differs. */
export function replaceAll(store: Store, objects: readonly KubeObject[], platform: Platform): Updated {
  const kept = new Set(objects.map((object) => object.ref));
  const gone = [...store.objects()].filter(({ ref }) => !kept.has(ref)).map(({ ref }) => ({ gone: ref }));
  return update(store, [...gone, ...objects], platform);
}
