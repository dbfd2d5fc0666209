import type { ClaimKey, ReadKey, UnitKey } from "../graph/core/keys.js";
import { StoreCache } from "../schema/compile-cache.js";
import type { Finding, Ref } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import { isSame } from "../schema/same.js";
import { findingsOf } from "./findings.js";
import { Group, Index } from "./memory-index.js";
import type {
  ClaimedObject,
  Compiled,
  Likeness,
  Resource,
  ResourceType,
  Revision,
  RevisionContent,
  Store,
} from "./store.js";
import { UndoLog, type Undone } from "./undo-log.js";

/** An object with its claims. `row` is its insertion order. */
interface Held {
  readonly object: KubeObject;
  readonly claims: readonly ClaimKey[];
  readonly row: number;
}

interface Kept {
  readonly revision: Revision;
  readonly content: RevisionContent;
}

/** The values that a transaction may change, by table. */
interface Tables {
  readonly object: Held;
  readonly unit: Compiled;
  /** The key is type, group and name, joined by line breaks. */
  readonly resource: Resource;
  readonly cursor: string;
  readonly pending: number;
  /** The key is source and number, joined by `/`. */
  readonly revision: Kept;
}

const none: readonly never[] = [];

class MemoryStore implements Store {
  readonly #objects = new Map<Ref, Held>();
  readonly #claimants = new Index<Ref>();
  readonly #units = new Map<UnitKey, Compiled>();
  readonly #readers = new Index<UnitKey>();
  readonly #groups = new Map<ResourceType, Map<string, Group>>();
  readonly #cursors = new Map<string, string>();
  /** Pending units with their insertion order. */
  readonly #pending = new Map<UnitKey, number>();
  readonly #revisions = new Map<string, Kept>();
  readonly #log = new UndoLog<Tables>();
  #rows = 0;
  #cache = new StoreCache();

  object(ref: Ref): KubeObject | undefined {
    return this.#objects.get(ref)?.object;
  }

  *objects(): Iterable<KubeObject> {
    for (const { object } of this.#objects.values()) yield object;
  }

  compare(objects: readonly KubeObject[]): readonly Likeness[] {
    return objects.map((object) => {
      const held = this.object(object.ref);
      return held ? (isSame(held, object) ? "same" : "other") : "absent";
    });
  }

  putObject(object: KubeObject, claims: readonly ClaimKey[]): void {
    const { ref } = object;
    const old = this.#objects.get(ref);
    this.#putHeld(ref, { object, claims, row: old?.row ?? ++this.#rows });
  }

  putObjects(objects: readonly ClaimedObject[]): void {
    for (const { object, claims } of objects) this.putObject(object, claims);
  }

  deleteObject(ref: Ref): void {
    this.#putHeld(ref, undefined);
  }

  #putHeld(ref: Ref, held: Held | undefined): void {
    const old = this.#objects.get(ref);
    this.#log.note("object", ref, () => old);
    for (const key of old?.claims ?? none) this.#claimants.remove(key, ref);
    if (!held) this.#objects.delete(ref);
    else {
      this.#objects.set(ref, held);
      for (const key of held.claims) this.#claimants.add(key, ref);
    }
  }

  claimsOf(ref: Ref): readonly ClaimKey[] {
    return this.#objects.get(ref)?.claims ?? none;
  }

  *claimsOfAny(refs: readonly Ref[]): Iterable<ClaimKey> {
    for (const ref of refs) yield* this.claimsOf(ref);
  }

  claimants(key: ClaimKey): readonly Ref[] {
    return this.#claimants.get(key);
  }

  readers(key: ReadKey): readonly UnitKey[] {
    return this.#readers.get(key);
  }

  *readersOfAny(keys: readonly ReadKey[]): Iterable<UnitKey> {
    for (const key of keys) yield* this.#readers.get(key);
  }

  unit(key: UnitKey): Compiled | undefined {
    return this.#units.get(key);
  }

  units(): Iterable<Compiled> {
    return this.#units.values();
  }

  putUnit(unit: Compiled): void {
    const old = this.#units.get(unit.unit);
    this.#log.note("unit", unit.unit, () => old);
    this.#units.set(unit.unit, unit);
    for (const resource of unit.resources) this.#noteGroup(resource).add(resource);
    for (const key of unit.reads) this.#readers.add(key, unit.unit);
    if (!old) return;
    this.#dropResources(old);
    const kept = new Set(unit.reads);
    for (const key of old.reads) if (!kept.has(key)) this.#readers.remove(key, unit.unit);
  }

  deleteUnit(key: UnitKey): void {
    const old = this.#units.get(key);
    if (!old) return;
    this.#log.note("unit", key, () => old);
    this.#units.delete(key);
    this.#dropResources(old);
    for (const read of old.reads) this.#readers.remove(read, key);
  }

  #dropResources(unit: Compiled): void {
    for (const resource of unit.resources) this.#noteGroup(resource).remove(resource.name);
  }

  /** The group of a resource, which is recorded in the undo log before a change. */
  #noteGroup({ type, group, name }: Resource): Group {
    const found = this.#group(type, group);
    this.#log.note("resource", [type, group, name].join("\n"), () => found.byName.get(name));
    return found;
  }

  #group(type: ResourceType, group: string): Group {
    let groups = this.#groups.get(type);
    if (!groups) {
      groups = new Map();
      this.#groups.set(type, groups);
    }
    let found = groups.get(group);
    if (!found) {
      found = new Group();
      groups.set(group, found);
    }
    return found;
  }

  resources(type: ResourceType, group = ""): Iterable<Resource> {
    return this.#groups.get(type)?.get(group)?.sorted() ?? none;
  }

  resource(type: ResourceType, group: string, name: string): Resource | undefined {
    return this.#groups.get(type)?.get(group)?.byName.get(name);
  }

  *unitFindings(): Iterable<Pick<Compiled, "unit" | "findings">> {
    for (const unit of this.#units.values()) if (unit.findings.length > 0) yield unit;
  }

  findings(): Iterable<Finding> {
    return findingsOf(this.unitFindings());
  }

  cursor(name: string): string | undefined {
    return this.#cursors.get(name);
  }

  setCursor(name: string, value: string): void {
    this.#log.note("cursor", name, () => this.#cursors.get(name));
    if (value === "") this.#cursors.delete(name);
    else this.#cursors.set(name, value);
  }

  pending(limit: number): readonly UnitKey[] {
    return this.#pending.size > limit ? [...this.#pending.keys()].slice(0, limit) : [...this.#pending.keys()];
  }

  get pendingCount(): number {
    return this.#pending.size;
  }

  addPending(keys: Iterable<UnitKey>): void {
    for (const key of keys) {
      if (this.#pending.has(key)) continue;
      this.#log.note("pending", key, () => undefined);
      this.#pending.set(key, ++this.#rows);
    }
  }

  dropPending(keys: Iterable<UnitKey>): void {
    for (const key of keys) {
      this.#log.note("pending", key, () => this.#pending.get(key));
      this.#pending.delete(key);
    }
  }

  revisionSources(): readonly string[] {
    return [...new Set([...this.#revisions.values()].map(({ revision }) => revision.source))].sort();
  }

  revisions(source: string): readonly Revision[] {
    const kept = [...this.#revisions.values()].map(({ revision }) => revision);
    return kept.filter((one) => one.source === source).sort((a, b) => b.revision - a.revision);
  }

  revisionContent(source: string, revision: number): RevisionContent | undefined {
    return this.#revisions.get(`${source}/${revision}`)?.content;
  }

  putRevision(revision: Omit<Revision, "size">, content: RevisionContent): void {
    const size = content.text.length + JSON.stringify(content.held).length;
    this.#putKept(`${revision.source}/${revision.revision}`, { revision: { ...revision, size }, content });
  }

  renumberRevision({ source, revision }: Revision, now: Omit<Revision, "size" | "digest">): void {
    const kept = this.#revisions.get(`${source}/${revision}`);
    if (!kept) return;
    this.dropRevision(source, revision);
    this.#putKept(`${source}/${now.revision}`, { ...kept, revision: { ...kept.revision, ...now } });
  }

  dropRevision(source: string, revision: number): void {
    this.#putKept(`${source}/${revision}`, undefined);
  }

  #putKept(key: string, kept: Kept | undefined): void {
    this.#log.note("revision", key, () => this.#revisions.get(key));
    if (kept) this.#revisions.set(key, kept);
    else this.#revisions.delete(key);
  }

  get cache(): StoreCache {
    return this.#cache;
  }

  transaction<T>(work: () => T): T {
    this.#log.begin();
    try {
      const result = work();
      this.#log.commit();
      return result;
    } catch (error) {
      this.#log.rollback((undone) => this.#restore(undone));
      this.#cache = new StoreCache();
      throw error;
    }
  }

  #restore(undone: Undone<Tables>): void {
    for (const [ref, held] of undone("object")) this.#putHeld(ref as Ref, held);
    for (const [key, unit] of undone("unit")) {
      if (unit) this.putUnit(unit);
      else this.deleteUnit(key as UnitKey);
    }
    // Units that share a resource may have changed its content, so the content before the transaction is restored.
    for (const [key, resource] of undone("resource")) {
      const [type, group] = key.split("\n") as [ResourceType, string];
      if (resource) this.#group(type, group).replace(resource);
    }
    for (const [name, value] of undone("cursor")) this.setCursor(name, value ?? "");
    for (const [key, row] of undone("pending")) {
      if (row === undefined) this.#pending.delete(key as UnitKey);
      else this.#pending.set(key as UnitKey, row);
    }
    for (const [key, kept] of undone("revision")) this.#putKept(key, kept);
    inOrder(this.#objects, ({ row }) => row);
    inOrder(this.#pending, (row) => row);
  }
}

/** Restores the insertion order of a map: the rollback appends its entries at the end. */
function inOrder<K, V>(map: Map<K, V>, rowOf: (value: V) => number): void {
  const sorted = [...map].sort(([, a], [, b]) => rowOf(a) - rowOf(b));
  map.clear();
  for (const [key, value] of sorted) map.set(key, value);
}

/** The store of Node and the command line. It is in memory only. */
export const createMemoryStore = (): Store => new MemoryStore();
