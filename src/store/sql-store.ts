import type { Finding, Ref } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import { isSame } from "../schema/same.js";
import { findingsOf } from "./findings.js";
import { ResourceLists } from "./resource-lists.js";
import { openSchema, type SqlDriver, type SqlRow, type SqlValue, statements } from "./sql.js";
import type { ClaimKey, Compiled, ReadKey, Resource, ResourceType, Store, UnitKey } from "./store.js";

/** UTF-16 units in one cell: at most 1.5 MB of UTF-8, and a Durable Object's row ends at 2 MB. */
const cellLength = 500_000;
const cacheSize = 5000;
const pageSize = 256;

/** What a unit's row keeps of its resources; their content is in `resource`, once for all units that share it. */
type ResourceKey = readonly [type: ResourceType, group: string, name: string];

const textOf = (value: SqlValue | undefined): string => (typeof value === "string" ? value : "");
const keyOf = ({ type, group, name }: Resource): string => `${type}/${group}/${name}`;

/** The end of a piece that begins at `start`, not between the halves of a surrogate pair. */
function cut(text: string, start: number): number {
  const end = start + cellLength;
  const last = text.charCodeAt(end - 1);
  return end < text.length && last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}

class SqlStore implements Store {
  readonly #sql: ReturnType<typeof statements>;
  readonly #cache = new Map<Ref, KubeObject>();
  readonly #lists = new ResourceLists();
  #undone = 0;

  constructor(private readonly driver: SqlDriver) {
    driver.transaction(() => openSchema(driver));
    this.#sql = statements(driver);
  }

  object(ref: Ref): KubeObject | undefined {
    const cached = this.#cache.get(ref);
    if (cached) return cached;
    const row = this.#sql.getObject.all(ref)[0];
    if (!row) return undefined;
    const object = this.#read(`object/${ref}`, row.json) as KubeObject;
    this.#remember(object);
    return object;
  }

  #remember(object: KubeObject): void {
    if (this.#cache.size >= cacheSize) this.#cache.clear();
    this.#cache.set(object.ref, object);
  }

  *objects(): Iterable<KubeObject> {
    for (const row of this.#pages("pageObjects")) {
      yield this.#read(`object/${textOf(row.ref)}`, row.json) as KubeObject;
    }
  }

  putObject(object: KubeObject, claims: readonly ClaimKey[]): void {
    const { ref } = object;
    this.#dropClaims(ref);
    const json = this.#write(`object/${ref}`, JSON.stringify(object));
    this.#sql.putObject.run(ref, json, this.#write(`claims/${ref}`, JSON.stringify(claims)));
    for (const key of claims) this.#sql.addClaim.run(key, ref);
    this.#cache.delete(ref);
  }

  deleteObject(ref: Ref): void {
    this.#dropClaims(ref);
    this.#sql.deleteObject.run(ref);
    this.#forget(`object/${ref}`, `claims/${ref}`);
    this.#cache.delete(ref);
  }

  #dropClaims(ref: Ref): void {
    for (const key of this.claimsOf(ref)) this.#sql.dropClaim.run(key, ref);
  }

  claimsOf(ref: Ref): readonly ClaimKey[] {
    const row = this.#sql.getClaims.all(ref)[0];
    return row ? (this.#read(`claims/${ref}`, row.claims) as ClaimKey[]) : [];
  }

  claimants(key: ClaimKey): readonly Ref[] {
    const rows = this.#sql.claimants.all(key);
    return rows.map(({ ref }) => ref as Ref).sort();
  }

  readers(key: ReadKey): readonly UnitKey[] {
    const rows = this.#sql.readers.all(key);
    return rows.map(({ unit }) => unit as UnitKey).sort();
  }

  unit(key: UnitKey): Compiled | undefined {
    const row = this.#sql.getUnit.all(key)[0];
    return row && this.#unit(row);
  }

  *units(): Iterable<Compiled> {
    for (const row of this.#pages("pageUnits")) yield this.#unit(row);
  }

  #unit(row: SqlRow): Compiled {
    const unit = textOf(row.unit) as UnitKey;
    const keys = this.#read(`resources/${unit}`, row.resources) as ResourceKey[];
    return {
      unit,
      resources: keys.flatMap(([type, group, name]) => this.resource(type, group, name) ?? []),
      findings: this.#read(`findings/${unit}`, row.findings) as Finding[],
      reads: this.#read(`reads/${unit}`, row.reads) as ReadKey[],
    };
  }

  putUnit(unit: Compiled): void {
    const key = unit.unit;
    const old = this.unit(key);
    this.#putResources(unit.resources, old?.resources ?? []);
    const before = new Set(old?.reads);
    for (const read of unit.reads) if (!before.delete(read)) this.#sql.addRead.run(read, key);
    for (const read of before) this.#sql.dropRead.run(read, key);
    const keys = unit.resources.map(({ type, group, name }): ResourceKey => [type, group, name]);
    this.#sql.putUnit.run(
      key,
      this.#write(`resources/${key}`, JSON.stringify(keys)),
      this.#write(`findings/${key}`, JSON.stringify(unit.findings)),
      this.#write(`reads/${key}`, JSON.stringify(unit.reads)),
    );
  }

  #putResources(resources: readonly Resource[], old: readonly Resource[]): void {
    const before = new Map(old.map((resource) => [keyOf(resource), resource]));
    for (const [key, resource] of new Map(resources.map((each) => [keyOf(each), each]))) {
      const known = before.get(key);
      before.delete(key);
      if (isSame(known, resource)) continue;
      const { type, group, name, endpoints, mode } = resource;
      const json = this.#write(`resource/${key}`, resource.json);
      this.#sql.putResource.run(type, group, name, json, endpoints ?? null, mode ?? null, known ? 0 : 1);
      this.#lists.put(resource);
    }
    for (const resource of before.values()) this.#dropResource(resource);
  }

  #dropResource(resource: Resource): void {
    const { type, group, name } = resource;
    this.#sql.leaveResource.run(type, group, name);
    this.#sql.dropResource.run(type, group, name);
    if (this.#sql.getResource.all(type, group, name)[0]) return;
    this.#forget(`resource/${keyOf(resource)}`);
    this.#lists.delete(resource);
  }

  deleteUnit(key: UnitKey): void {
    const old = this.unit(key);
    if (!old) return;
    this.#putResources([], old.resources);
    for (const read of old.reads) this.#sql.dropRead.run(read, key);
    this.#sql.deleteUnit.run(key);
    this.#forget(`resources/${key}`, `findings/${key}`, `reads/${key}`);
  }

  resources(type: ResourceType, group = ""): Iterable<Resource> {
    return this.#lists.get(type, group, () =>
      this.#sql.getResources
        .all(type, group)
        .map((row) => this.#resource(type, group, textOf(row.name), row)),
    );
  }

  resource(type: ResourceType, group: string, name: string): Resource | undefined {
    const known = this.#lists.find(type, group, name);
    if (known) return known;
    const row = this.#sql.getResource.all(type, group, name)[0];
    return row && this.#resource(type, group, name, row);
  }

  #resource(type: ResourceType, group: string, name: string, row: SqlRow): Resource {
    const { endpoints, mode } = row;
    return {
      type,
      group,
      name,
      json: this.#text(`resource/${type}/${group}/${name}`, row.json),
      ...(typeof endpoints === "string" ? { endpoints } : {}),
      ...(typeof mode === "string" ? { mode: mode as Resource["mode"] & string } : {}),
    };
  }

  findings(): Iterable<Finding> {
    return findingsOf(
      this.#sql.getFindings.all().map(({ unit, findings }) => ({
        unit: textOf(unit) as UnitKey,
        findings: this.#read(`findings/${textOf(unit)}`, findings) as Finding[],
      })),
    );
  }

  cursor(name: string): string | undefined {
    const row = this.#sql.getCursor.all(name)[0];
    return row && (this.#read(`cursor/${name}`, row.value) as string);
  }

  setCursor(name: string, value: string): void {
    this.#sql.setCursor.run(name, this.#write(`cursor/${name}`, JSON.stringify(value)));
  }

  get undone(): number {
    return this.#undone;
  }

  transaction<T>(work: () => T): T {
    try {
      return this.driver.transaction(work);
    } catch (error) {
      this.#cache.clear();
      this.#lists.clear();
      this.#undone++;
      throw error;
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

  /** What to put into a cell for JSON text: itself, or `~` when it is too long and kept in pieces under `owner`. */
  #write(owner: string, json: string): string {
    this.#forget(owner);
    if (json.length <= cellLength) return json;
    let part = 0;
    for (let start = 0; start < json.length; ) {
      const end = cut(json, start);
      this.#sql.putPart.run(owner, part++, json.slice(start, end));
      start = end;
    }
    return "~";
  }

  #text(owner: string, cell: SqlValue | undefined): string {
    if (cell !== "~") return textOf(cell);
    return this.#sql.getParts
      .all(owner)
      .map(({ text }) => textOf(text))
      .join("");
  }

  #read(owner: string, cell: SqlValue | undefined): unknown {
    return JSON.parse(this.#text(owner, cell));
  }

  #forget(...owners: readonly string[]): void {
    for (const owner of owners) this.#sql.dropParts.run(owner);
  }
}

/**
 * A store in SQL tables that outlives the process. Tables of another version of the schema are dropped and made anew;
 * throws when the database is not Isoline's.
 */
export const createSqlStore = (sql: SqlDriver): Store => new SqlStore(sql);
