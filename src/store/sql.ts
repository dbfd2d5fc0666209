export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A prepared statement; values are bound to `?` in order. */
export interface SqlStatement {
  run(...values: readonly SqlValue[]): void;
  all(...values: readonly SqlValue[]): readonly SqlRow[];
}

/** A synchronous SQLite: a file, or the storage of a Durable Object. */
export interface SqlDriver {
  /** Runs one statement without values and without a result. */
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
  /** Runs `work` as a transaction. A nested call that throws undoes only its own changes. */
  transaction<T>(work: () => T): T;
}

/** The limit of bound values per statement in a Durable Object. */
const maxBound = 100;

const marks = (count: number): string => Array.from({ length: count }, () => "?").join(", ");

/** A statement over a list of any length; `text` returns the SQL for `count` members. */
class ListStatement {
  readonly #statements = new Map<number, SqlStatement>();

  constructor(
    private readonly driver: SqlDriver,
    private readonly text: (count: number) => string,
    /** The number of values per member. */
    private readonly width: number,
  ) {}

  run(values: readonly SqlValue[]): void {
    for (const some of this.#chunks(values)) this.#of(some).run(...some);
  }

  all(values: readonly SqlValue[]): SqlRow[] {
    return this.#chunks(values).flatMap((some) => this.#of(some).all(...some));
  }

  #chunks(values: readonly SqlValue[]): (readonly SqlValue[])[] {
    const most = Math.floor(maxBound / this.width) * this.width;
    if (values.length <= most) return values.length > 0 ? [values] : [];
    const chunks: (readonly SqlValue[])[] = [];
    for (let start = 0; start < values.length; start += most) chunks.push(values.slice(start, start + most));
    return chunks;
  }

  #of({ length }: readonly SqlValue[]): SqlStatement {
    const count = length / this.width;
    let statement = this.#statements.get(count);
    if (!statement) {
      statement = this.driver.prepare(this.text(count));
      this.#statements.set(count, statement);
    }
    return statement;
  }
}

/** All statements of the store. Updates keep the rowid, so that rows stay in the order of their first insert. */
export const statements = (driver: SqlDriver) => {
  const resource = "type = ? AND grp = ? AND name = ?";
  const rows = (head: string, width: number, tail = ""): ListStatement =>
    new ListStatement(
      driver,
      (count) =>
        `${head} VALUES ${Array.from({ length: count }, () => `(${marks(width)})`).join(", ")} ${tail}`,
      width,
    );
  const among = (head: string, tail = ""): ListStatement =>
    new ListStatement(driver, (count) => `${head} IN (${marks(count)}) ${tail}`, 1);
  return {
    getObject: driver.prepare("SELECT json FROM object WHERE ref = ?"),
    getClaims: driver.prepare("SELECT claims FROM object WHERE ref = ?"),
    getAllClaims: among("SELECT ref, claims FROM object WHERE ref"),
    getDigests: among("SELECT ref, digest FROM object WHERE ref"),
    setDigest: driver.prepare("UPDATE object SET digest = ? WHERE ref = ?"),
    pageObjects: driver.prepare(
      "SELECT rowid AS row, ref, json FROM object WHERE rowid > ? ORDER BY rowid LIMIT ?",
    ),
    putObjects: rows(
      "INSERT INTO object (ref, json, claims, digest)",
      4,
      "ON CONFLICT (ref) DO UPDATE SET json = excluded.json, claims = excluded.claims, digest = excluded.digest",
    ),
    deleteObject: driver.prepare("DELETE FROM object WHERE ref = ?"),
    addClaims: rows("INSERT OR IGNORE INTO claim (key, ref)", 2),
    dropClaim: driver.prepare("DELETE FROM claim WHERE key = ? AND ref = ?"),
    claimants: driver.prepare("SELECT ref FROM claim WHERE key = ?"),
    getClaimed: among("SELECT key, ref, json FROM claim CROSS JOIN object USING (ref) WHERE key"),
    addReads: rows("INSERT OR IGNORE INTO read (key, unit)", 2),
    dropRead: driver.prepare("DELETE FROM read WHERE key = ? AND unit = ?"),
    readers: driver.prepare("SELECT unit FROM read WHERE key = ?"),
    readersOfAny: among("SELECT unit FROM read WHERE key"),
    getUnit: driver.prepare("SELECT unit, resources, findings, reads FROM unit WHERE unit = ?"),
    pageUnits: driver.prepare(
      `SELECT rowid AS row, unit, resources, findings, reads FROM unit
       WHERE rowid > ? ORDER BY rowid LIMIT ?`,
    ),
    getUnitKeys: driver.prepare("SELECT unit FROM unit"),
    putUnits: rows(
      "INSERT INTO unit (unit, resources, findings, reads)",
      4,
      `ON CONFLICT (unit) DO UPDATE
       SET resources = excluded.resources, findings = excluded.findings, reads = excluded.reads`,
    ),
    deleteUnit: driver.prepare("DELETE FROM unit WHERE unit = ?"),
    getFindings: driver.prepare("SELECT unit, findings FROM unit WHERE findings <> '[]'"),
    getPending: driver.prepare("SELECT unit FROM pending ORDER BY rowid LIMIT ?"),
    countPending: driver.prepare("SELECT COUNT(*) AS count FROM pending"),
    addPending: rows("INSERT OR IGNORE INTO pending (unit)", 1, "RETURNING unit"),
    dropPending: among("DELETE FROM pending WHERE unit", "RETURNING unit"),
    getResource: driver.prepare(`SELECT json, endpoints, mode FROM resource WHERE ${resource}`),
    getResources: driver.prepare(
      "SELECT name, json, endpoints, mode FROM resource WHERE type = ? AND grp = ? ORDER BY name",
    ),
    putResources: rows(
      "INSERT INTO resource (type, grp, name, json, endpoints, mode, users)",
      7,
      `ON CONFLICT (type, grp, name) DO UPDATE SET json = excluded.json, endpoints = excluded.endpoints,
       mode = excluded.mode, users = users + excluded.users`,
    ),
    leaveResource: driver.prepare(`UPDATE resource SET users = users - 1 WHERE ${resource}`),
    dropResource: driver.prepare(`DELETE FROM resource WHERE ${resource} AND users <= 0`),
    getCursor: driver.prepare("SELECT value FROM cursor WHERE name = ?"),
    setCursor: driver.prepare(
      "INSERT INTO cursor (name, value) VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
    ),
    dropCursor: driver.prepare("DELETE FROM cursor WHERE name = ?"),
    getRevisions: driver.prepare(
      "SELECT revision, at, digest, size, author FROM revision WHERE source = ? ORDER BY revision DESC",
    ),
    getSources: driver.prepare("SELECT DISTINCT source FROM revision ORDER BY source"),
    getRevision: driver.prepare(
      "SELECT rowid AS id, text, held FROM revision WHERE source = ? AND revision = ?",
    ),
    putRevision: driver.prepare(
      `INSERT INTO revision (source, revision, at, digest, size, author, text, held)
       VALUES (?, ?, ?, ?, ?, ?, '', '') RETURNING rowid AS id`,
    ),
    fillRevision: driver.prepare("UPDATE revision SET text = ?, held = ? WHERE rowid = ?"),
    renumberRevision: driver.prepare(
      "UPDATE revision SET revision = ?, at = ?, author = ? WHERE source = ? AND revision = ?",
    ),
    dropRevision: driver.prepare("DELETE FROM revision WHERE source = ? AND revision = ?"),
    putPart: driver.prepare("INSERT INTO part (owner, part, text) VALUES (?, ?, ?)"),
    getParts: driver.prepare("SELECT text FROM part WHERE owner = ? ORDER BY part"),
    dropParts: driver.prepare("DELETE FROM part WHERE owner = ?"),
    getOwners: driver.prepare("SELECT owner FROM part WHERE part = 0"),
  };
};
