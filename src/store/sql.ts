export type SqlValue = string | number | null;
export type SqlRow = Readonly<Record<string, SqlValue>>;

/** A statement that is prepared once; `?` are bound in order. */
export interface SqlStatement {
  run(...values: readonly SqlValue[]): void;
  all(...values: readonly SqlValue[]): readonly SqlRow[];
}

/** A synchronous SQLite: a file, or the storage of a Durable Object. */
export interface SqlDriver {
  /** Runs one statement that binds and returns nothing. */
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
  /** Runs `work` as one; may be called inside `work`, and then undoes the inner part alone when that throws. */
  transaction<T>(work: () => T): T;
}

const schemaVersion = 2;

const tables = [
  "CREATE TABLE isoline (version INTEGER NOT NULL)",
  "CREATE TABLE object (ref TEXT NOT NULL UNIQUE, json TEXT NOT NULL, claims TEXT NOT NULL)",
  "CREATE TABLE claim (key TEXT NOT NULL, ref TEXT NOT NULL, PRIMARY KEY (key, ref)) WITHOUT ROWID",
  "CREATE TABLE read (key TEXT NOT NULL, unit TEXT NOT NULL, PRIMARY KEY (key, unit)) WITHOUT ROWID",
  `CREATE TABLE unit (unit TEXT NOT NULL UNIQUE, resources TEXT NOT NULL, findings TEXT NOT NULL,
    reads TEXT NOT NULL)`,
  `CREATE TABLE resource (type TEXT NOT NULL, grp TEXT NOT NULL, name TEXT NOT NULL, json TEXT NOT NULL,
    endpoints TEXT, mode TEXT, users INTEGER NOT NULL, UNIQUE (type, grp, name))`,
  "CREATE TABLE cursor (name TEXT NOT NULL PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID",
  `CREATE TABLE part (owner TEXT NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL,
    PRIMARY KEY (owner, part)) WITHOUT ROWID`,
];

/** Makes the tables, or makes them anew when they are another version's. Throws when there are tables of others. */
export function openSchema(driver: SqlDriver): void {
  const names = driver
    .prepare(
      `SELECT name FROM sqlite_master
       WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*'`,
    )
    .all()
    .map(({ name }) => String(name));
  if (names.includes("isoline")) {
    const version = driver.prepare("SELECT * FROM isoline").all()[0]?.version;
    if (version === schemaVersion) return;
  } else if (names.length > 0) {
    throw new Error(`the database is not Isoline's: it has the table ${JSON.stringify(names[0])}`);
  }
  for (const name of names) driver.exec(`DROP TABLE "${name.replaceAll('"', '""')}"`);
  for (const table of tables) driver.exec(table);
  driver.exec(`INSERT INTO isoline (version) VALUES (${schemaVersion})`);
}

/** Every statement of the store. Updates keep the row's place, so that rows come in the order of their first insert. */
export const statements = (driver: SqlDriver) => {
  const resource = "type = ? AND grp = ? AND name = ?";
  return {
    getObject: driver.prepare("SELECT json FROM object WHERE ref = ?"),
    getClaims: driver.prepare("SELECT claims FROM object WHERE ref = ?"),
    pageObjects: driver.prepare(
      "SELECT rowid AS row, ref, json FROM object WHERE rowid > ? ORDER BY rowid LIMIT ?",
    ),
    putObject: driver.prepare(
      `INSERT INTO object (ref, json, claims) VALUES (?, ?, ?)
       ON CONFLICT (ref) DO UPDATE SET json = excluded.json, claims = excluded.claims`,
    ),
    deleteObject: driver.prepare("DELETE FROM object WHERE ref = ?"),
    addClaim: driver.prepare("INSERT OR IGNORE INTO claim (key, ref) VALUES (?, ?)"),
    dropClaim: driver.prepare("DELETE FROM claim WHERE key = ? AND ref = ?"),
    claimants: driver.prepare("SELECT ref FROM claim WHERE key = ?"),
    addRead: driver.prepare("INSERT OR IGNORE INTO read (key, unit) VALUES (?, ?)"),
    dropRead: driver.prepare("DELETE FROM read WHERE key = ? AND unit = ?"),
    readers: driver.prepare("SELECT unit FROM read WHERE key = ?"),
    getUnit: driver.prepare("SELECT unit, resources, findings, reads FROM unit WHERE unit = ?"),
    pageUnits: driver.prepare(
      `SELECT rowid AS row, unit, resources, findings, reads FROM unit
       WHERE rowid > ? ORDER BY rowid LIMIT ?`,
    ),
    putUnit: driver.prepare(
      `INSERT INTO unit (unit, resources, findings, reads) VALUES (?, ?, ?, ?)
       ON CONFLICT (unit) DO UPDATE
       SET resources = excluded.resources, findings = excluded.findings, reads = excluded.reads`,
    ),
    deleteUnit: driver.prepare("DELETE FROM unit WHERE unit = ?"),
    getFindings: driver.prepare("SELECT unit, findings FROM unit WHERE findings <> '[]'"),
    getResource: driver.prepare(`SELECT json, endpoints, mode FROM resource WHERE ${resource}`),
    getResources: driver.prepare(
      "SELECT name, json, endpoints, mode FROM resource WHERE type = ? AND grp = ? ORDER BY name",
    ),
    putResource: driver.prepare(
      `INSERT INTO resource (type, grp, name, json, endpoints, mode, users) VALUES (?, ?, ?, ?, ?, ?, ?)
       ON CONFLICT (type, grp, name) DO UPDATE SET json = excluded.json, endpoints = excluded.endpoints,
       mode = excluded.mode, users = users + excluded.users`,
    ),
    leaveResource: driver.prepare(`UPDATE resource SET users = users - 1 WHERE ${resource}`),
    dropResource: driver.prepare(`DELETE FROM resource WHERE ${resource} AND users <= 0`),
    getCursor: driver.prepare("SELECT value FROM cursor WHERE name = ?"),
    setCursor: driver.prepare("INSERT OR REPLACE INTO cursor (name, value) VALUES (?, ?)"),
    putPart: driver.prepare("INSERT INTO part (owner, part, text) VALUES (?, ?, ?)"),
    getParts: driver.prepare("SELECT text FROM part WHERE owner = ? ORDER BY part"),
    dropParts: driver.prepare("DELETE FROM part WHERE owner = ?"),
  };
};
