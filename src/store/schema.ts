import { toCursorsOfPieces, toKeptContents } from "./migrations.js";
import type { SqlDriver } from "./sql.js";
import { StoreError } from "./store.js";

/**
 * The version table up to version 2. Its name changed, so that an Isoline of that time refuses this database as
 * foreign.
 */
const oldVersionTable = "isoline";
const versionTable = "isoline_schema";

/**
 * Tables with long rows have a rowid, because a seek in a table without one reads whole cells. `part` contains texts that
 * are too long for a cell. `revision` contains pushed contents; all other tables except `cursor` can be rebuilt from it.
 */
const tables = [
  `CREATE TABLE ${versionTable} (version INTEGER NOT NULL)`,
  "CREATE TABLE object (ref TEXT NOT NULL UNIQUE, json TEXT NOT NULL, claims TEXT NOT NULL, digest TEXT NOT NULL DEFAULT '')",
  "CREATE TABLE claim (key TEXT NOT NULL, ref TEXT NOT NULL, PRIMARY KEY (key, ref)) WITHOUT ROWID",
  "CREATE TABLE read (key TEXT NOT NULL, unit TEXT NOT NULL, PRIMARY KEY (key, unit)) WITHOUT ROWID",
  `CREATE TABLE unit (unit TEXT NOT NULL UNIQUE, resources TEXT NOT NULL, findings TEXT NOT NULL,
    reads TEXT NOT NULL)`,
  "CREATE INDEX unit_finding ON unit (unit) WHERE findings <> '[]'",
  `CREATE TABLE resource (type TEXT NOT NULL, grp TEXT NOT NULL, name TEXT NOT NULL, json TEXT NOT NULL,
    endpoints TEXT, mode TEXT, users INTEGER NOT NULL, UNIQUE (type, grp, name))`,
  "CREATE TABLE pending (unit TEXT NOT NULL UNIQUE)",
  "CREATE TABLE cursor (name TEXT NOT NULL UNIQUE, value TEXT NOT NULL)",
  `CREATE TABLE revision (source TEXT NOT NULL, revision INTEGER NOT NULL, at INTEGER NOT NULL, digest TEXT NOT NULL,
    size INTEGER NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL, held TEXT NOT NULL, UNIQUE (source, revision))`,
  "CREATE TABLE part (owner TEXT NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE (owner, part))",
  "CREATE INDEX part_owner ON part (owner) WHERE part = 0",
];

/** The migration at index i converts version i + 1 to version i + 2. */
const migrations: readonly ((driver: SqlDriver) => void)[] = [toCursorsOfPieces, toKeptContents];

const schemaVersion = migrations.length + 1;

/**
 * Creates the tables, or migrates those of an older version. A migration drops a table only after copying it.
 *
 * @throws StoreError for a newer version, an unreadable version, and tables of another program; they are unchanged.
 */
export function openSchema(driver: SqlDriver): void {
  const names = tableNames(driver);
  const held = [versionTable, oldVersionTable].find((name) => names.includes(name));
  if (held === undefined && names.length > 0)
    throw new StoreError(
      "store-foreign",
      `the database belongs to another program: it has the table ${JSON.stringify(names[0])}`,
    );
  if (held === undefined) {
    for (const text of tables) driver.exec(text);
    driver.exec(`INSERT INTO ${versionTable} (version) VALUES (${schemaVersion})`);
    return;
  }
  const version = driver.prepare(`SELECT version FROM ${held}`).all()[0]?.version;
  if (version === schemaVersion) return;
  if (typeof version !== "number" || !Number.isInteger(version) || version < 1)
    throw new StoreError("store-damaged", `the version of the store's tables can't be read (${version})`);
  if (version > schemaVersion)
    throw new StoreError(
      "store-too-new",
      `the store has version ${version}, and this Isoline supports versions up to ${schemaVersion}; start the Isoline that wrote it, or a newer one. The store is unchanged`,
    );
  for (const migrate of migrations.slice(version - 1)) migrate(driver);
  driver.exec(`UPDATE ${versionTable} SET version = ${schemaVersion}`);
}

/** The names of all tables except those of SQLite and of Cloudflare. */
export const tableNames = (driver: SqlDriver): readonly string[] =>
  driver
    .prepare(
      `SELECT name FROM sqlite_master
       WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*'`,
    )
    .all()
    .map(({ name }) => String(name));
