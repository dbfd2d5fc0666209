import type { ClaimKey, ReadKey, UnitKey } from "../graph/core/keys.js";
import { StoreCache } from "../schema/compile-cache.js";
import { digest, formatDigest } from "../schema/digest.js";
import type { Finding, Ref } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import { isSame } from "../schema/same.js";
import { Cells, textOf } from "./cells.js";
import { findingsOf } from "./findings.js";
import { NewUnits } from "./new-units.js";
import { ObjectCache } from "./object-cache.js";
import { openSchema } from "./schema.js";
import { type SqlDriver, type SqlRow, type SqlValue, statements } from "./sql.js";
import { SqlResources } from "./sql-resources.js";
import { SqlRevisions } from "./sql-revisions.js";
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
import { keysOf, originsIn, type ResourceKey } from "./unit-row.js";

const pageSize = 256;
const claimantsSize = 1000;

const digestOf = (json: string): string => formatDigest(digest(json));

class SqlStore implements Store {
  readonly #sql: ReturnType<typeof statements>;
  readonly #cells: Cells;
  readonly #revisions: SqlRevisions;
  readonly #cache = new ObjectCache();
  readonly #newUnits: NewUnits;
  /** The keys of all units; loaded on first use. */
  #unitKeys: Set<UnitKey> | undefined;
  /** Cached claimants by key, until a claim changes: the compilation of a unit reads them twice. */
  readonly #claimants = new Map<ClaimKey, readonly Ref[]>();
  readonly #resources: SqlResources;
  /** The last unit that was read: callers mostly read a unit before they replace or delete it. */
  #lastRead: { readonly key: UnitKey; readonly unit: Compiled | undefined } | undefined;
  #pendingCount: number | undefined;
  /** The units with findings; loaded on first use. */
  #findings: Map<UnitKey, Pick<Compiled, "unit" | "findings">> | undefined;
  #found = new StoreCache();
  /** The depth of nested transactions. */
  #depth = 0;

  constructor(private readonly driver: SqlDriver) {
    driver.transaction(() => openSchema(driver));
    this.#sql = statements(driver);
    this.#cells = new Cells(this.#sql);
    this.#newUnits = new NewUnits(this.#sql);
    this.#resources = new SqlResources(this.#sql, this.#cells, this.#newUnits);
    this.#revisions = new SqlRevisions(this.#sql, this.#cells);
  }

  object(ref: Ref): KubeObject | undefined {
    const cached = this.#cache.get(ref);
    if (cached) return cached;
    const row = this.#sql.getObject.all(ref)[0];
    if (!row) return undefined;
    const object = this.#cells.json(`object/${ref}`, row.json) as KubeObject;
    this.#cache.add(object);
    return object;
  }

  *objects(): Iterable<KubeObject> {
    for (const row of this.#pages("pageObjects")) {
      yield this.#cells.json(`object/${textOf(row.ref)}`, row.json) as KubeObject;
    }
  }

  compare(objects: readonly KubeObject[]): readonly Likeness[] {
    const rows = this.#sql.getDigests.all(objects.map(({ ref }) => ref));
    const held = new Map(rows.map(({ ref, digest }) => [ref, textOf(digest)]));
    return objects.map((object) => {
      const known = held.get(object.ref);
      if (known === undefined) return "absent";
      const now = digestOf(JSON.stringify(object));
      if (known === now) return "same";
      if (!isSame(this.object(object.ref), object)) return "other";
      // The object is equal, but has another order of fields, or an earlier version stored it without a digest.
      this.#sql.setDigest.run(now, object.ref);
      return "same";
    });
  }

  putObject(object: KubeObject, claims: readonly ClaimKey[]): void {
    this.putObjects([{ object, claims }], ["other"]);
  }

  putObjects(objects: readonly ClaimedObject[], likeness: readonly Likeness[]): void {
    this.#claimants.clear();
    const rows: SqlValue[] = [];
    const added: SqlValue[] = [];
    for (const [i, { object, claims }] of objects.entries()) {
      const { ref } = object;
      const before = new Set(likeness[i] === "absent" ? [] : this.claimsOf(ref));
      for (const key of new Set(claims)) if (!before.delete(key)) added.push(key, ref);
      for (const key of before) this.#sql.dropClaim.run(key, ref);
      const json = JSON.stringify(object);
      const cell = this.#cells.write(`object/${ref}`, json);
      rows.push(ref, cell, this.#cells.write(`claims/${ref}`, JSON.stringify(claims)), digestOf(json));
      this.#cache.delete(ref);
    }
    this.#sql.putObjects.run(rows);
    this.#sql.addClaims.run(added);
  }

  deleteObject(ref: Ref): void {
    this.#claimants.clear();
    for (const key of this.claimsOf(ref)) this.#sql.dropClaim.run(key, ref);
    this.#sql.deleteObject.run(ref);
    this.#cells.forget(`object/${ref}`, `claims/${ref}`);
    this.#cache.delete(ref);
  }

  claimsOf(ref: Ref): readonly ClaimKey[] {
    const row = this.#sql.getClaims.all(ref)[0];
    return row ? (this.#cells.json(`claims/${ref}`, row.claims) as ClaimKey[]) : [];
  }

  *claimsOfAny(refs: readonly Ref[]): Iterable<ClaimKey> {
    for (const { ref, claims } of this.#sql.getAllClaims.all(refs))
      if (claims !== "[]") yield* this.#cells.json(`claims/${textOf(ref)}`, claims) as ClaimKey[];
  }

  claimants(key: ClaimKey): readonly Ref[] {
    const known = this.#claimants.get(key);
    if (known) return known;
    const rows = this.#sql.claimants.all(key);
    return this.#rememberClaimants(
      key,
      rows.map(({ ref }) => ref as Ref),
    );
  }

  #rememberClaimants(key: ClaimKey, refs: Ref[]): readonly Ref[] {
    if (this.#claimants.size >= claimantsSize) this.#claimants.clear();
    this.#claimants.set(key, refs.sort());
    return refs;
  }

  /** Reads the claimants of units and their objects in a few statements. */
  #prefetch(units: readonly UnitKey[]): void {
    const claims = new Map(units.map((unit) => [unit as ClaimKey, [] as Ref[]]));
    for (const { key, ref, json } of this.#sql.getClaimed.all(units)) {
      claims.get(textOf(key) as ClaimKey)?.push(ref as Ref);
      if (!this.#cache.get(ref as Ref))
        this.#cache.add(this.#cells.json(`object/${ref}`, json) as KubeObject);
    }
    for (const [key, refs] of claims) this.#rememberClaimants(key, refs);
  }

  readers(key: ReadKey): readonly UnitKey[] {
    const rows = this.#sql.readers.all(key);
    return [...rows.map(({ unit }) => unit as UnitKey), ...this.#newUnits.readers(key)].sort();
  }

  *readersOfAny(keys: readonly ReadKey[]): Iterable<UnitKey> {
    this.#newUnits.flush();
    for (const { unit } of this.#sql.readersOfAny.all(keys)) yield unit as UnitKey;
  }

  unit(key: UnitKey): Compiled | undefined {
    let unit: Compiled | undefined;
    if (this.#units.has(key)) {
      this.#newUnits.flush();
      const row = this.#sql.getUnit.all(key)[0];
      unit = row && this.#unit(row);
    }
    this.#lastRead = { key, unit };
    return unit;
  }

  get #units(): Set<UnitKey> {
    this.#unitKeys ??= new Set(this.#sql.getUnitKeys.all().map(({ unit }) => unit as UnitKey));
    return this.#unitKeys;
  }

  #read(key: UnitKey): Compiled | undefined {
    const known = this.#lastRead?.key === key ? this.#lastRead : { unit: this.unit(key) };
    this.#lastRead = undefined;
    return known.unit;
  }

  *units(): Iterable<Compiled> {
    this.#newUnits.flush();
    for (const row of this.#pages("pageUnits")) yield this.#unit(row);
  }

  #unit(row: SqlRow): Compiled {
    const unit = textOf(row.unit) as UnitKey;
    const keys = this.#cells.json(`resources/${unit}`, row.resources) as ResourceKey[];
    return {
      unit,
      resources: keys.flatMap(([type, group, name]) => this.resource(type, group, name) ?? []),
      ...originsIn(keys),
      findings: this.#cells.json(`findings/${unit}`, row.findings) as Finding[],
      reads: this.#cells.json(`reads/${unit}`, row.reads) as ReadKey[],
    };
  }

  putUnit(unit: Compiled): void {
    if (this.#depth === 0) {
      this.transaction(() => this.putUnit(unit));
      return;
    }
    const key = unit.unit;
    const old = this.#read(key);
    if (unit.findings.length > 0) this.#findings?.set(key, { unit: key, findings: unit.findings });
    else this.#findings?.delete(key);
    const row = [
      key,
      this.#cells.write(`resources/${key}`, JSON.stringify(keysOf(unit))),
      this.#cells.write(`findings/${key}`, JSON.stringify(unit.findings)),
      this.#cells.write(`reads/${key}`, JSON.stringify(unit.reads)),
    ];
    if (old) this.#replaceUnit(unit, old, row);
    else this.#addUnit(unit, row);
  }

  /** Queues the rows of a new unit. They are written in batches, at the latest at the end of the transaction. */
  #addUnit({ unit, resources, reads }: Compiled, row: readonly SqlValue[]): void {
    this.#units.add(unit);
    this.#newUnits.add(unit, row, new Set(reads));
    this.#resources.add(resources);
  }

  #replaceUnit({ unit, resources, reads }: Compiled, old: Compiled, row: readonly SqlValue[]): void {
    this.#newUnits.flush();
    this.#resources.replace(resources, old.resources);
    const before = new Set(old.reads);
    const added: SqlValue[] = [];
    for (const read of reads) if (!before.delete(read)) added.push(read, unit);
    this.#sql.addReads.run(added);
    for (const read of before) this.#sql.dropRead.run(read, unit);
    this.#sql.putUnits.run(row);
  }

  deleteUnit(key: UnitKey): void {
    const old = this.#read(key);
    if (!old) return;
    this.#newUnits.flush();
    this.#units.delete(key);
    this.#resources.replace([], old.resources);
    for (const read of old.reads) this.#sql.dropRead.run(read, key);
    this.#sql.deleteUnit.run(key);
    this.#findings?.delete(key);
    this.#cells.forget(`resources/${key}`, `findings/${key}`, `reads/${key}`);
  }

  resources(type: ResourceType, group = ""): Iterable<Resource> {
    return this.#resources.list(type, group);
  }

  resource(type: ResourceType, group: string, name: string): Resource | undefined {
    return this.#resources.get(type, group, name);
  }

  unitFindings(): Iterable<Pick<Compiled, "unit" | "findings">> {
    if (!this.#findings) this.#newUnits.flush();
    this.#findings ??= new Map(
      this.#sql.getFindings.all().map(({ unit, findings }) => {
        const key = textOf(unit) as UnitKey;
        return [key, { unit: key, findings: this.#cells.json(`findings/${key}`, findings) as Finding[] }];
      }),
    );
    return this.#findings.values();
  }

  findings(): Iterable<Finding> {
    return findingsOf(this.unitFindings());
  }

  cursor(name: string): string | undefined {
    const row = this.#sql.getCursor.all(name)[0];
    return row && (this.#cells.json(`cursor/${name}`, row.value) as string);
  }

  setCursor(name: string, value: string): void {
    if (value !== "")
      this.#sql.setCursor.run(name, this.#cells.write(`cursor/${name}`, JSON.stringify(value)));
    else {
      this.#cells.forget(`cursor/${name}`);
      this.#sql.dropCursor.run(name);
    }
  }

  pending(limit: number): readonly UnitKey[] {
    if (this.pendingCount === 0) return [];
    const most = Number.isFinite(limit) ? limit : -1;
    const units = this.#sql.getPending.all(most).map(({ unit }) => unit as UnitKey);
    this.#prefetch(units.slice(0, claimantsSize / 2));
    return units;
  }

  get pendingCount(): number {
    this.#pendingCount ??= Number(this.#sql.countPending.all()[0]?.count);
    return this.#pendingCount;
  }

  addPending(keys: Iterable<UnitKey>): void {
    const before = this.pendingCount;
    this.#pendingCount = before + this.#sql.addPending.all([...keys]).length;
  }

  dropPending(keys: Iterable<UnitKey>): void {
    const before = this.pendingCount;
    if (before > 0) this.#pendingCount = before - this.#sql.dropPending.all([...keys]).length;
  }

  revisionSources(): readonly string[] {
    return this.#revisions.revisionSources();
  }

  revisions(source: string): readonly Revision[] {
    return this.#revisions.revisions(source);
  }

  revisionContent(source: string, revision: number): RevisionContent | undefined {
    return this.#revisions.revisionContent(source, revision);
  }

  putRevision(revision: Omit<Revision, "size">, content: RevisionContent): void {
    this.#revisions.putRevision(revision, content);
  }

  renumberRevision(revision: Revision, now: Omit<Revision, "size" | "digest">): void {
    this.#revisions.renumberRevision(revision, now);
  }

  dropRevision(source: string, revision: number): void {
    this.#revisions.dropRevision(source, revision);
  }

  get cache(): StoreCache {
    return this.#found;
  }

  transaction<T>(work: () => T): T {
    // Rows that were queued before the transaction must not be rolled back with it.
    this.#newUnits.flush();
    this.#depth++;
    try {
      return this.driver.transaction(() => {
        const done = work();
        this.#newUnits.flush();
        return done;
      });
    } catch (error) {
      this.#newUnits.clear();
      this.#unitKeys = undefined;
      this.#claimants.clear();
      this.#cache.clear();
      this.#resources.clear();
      this.#cells.reset();
      this.#lastRead = undefined;
      this.#pendingCount = undefined;
      this.#findings = undefined;
      this.#found = new StoreCache();
      throw error;
    } finally {
      this.#depth--;
    }
  }

  *#pages(statement: "pageObjects" | "pageUnits"): Iterable<SqlRow> {
    let rows: readonly SqlRow[];
    let last: SqlValue = 0;
    do {
      rows = this.#sql[statement].all(last, pageSize);
      yield* rows;
      last = rows.at(-1)?.row ?? 0;
    } while (rows.length === pageSize);
  }
}

/**
 * A persistent store in SQL tables. Tables of older versions are migrated.
 *
 * @throws StoreError when the tables belong to a newer Isoline or to another program, or are damaged.
 */
export const createSqlStore = (sql: SqlDriver): Store => new SqlStore(sql);
