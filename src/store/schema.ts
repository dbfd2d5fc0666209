import { toCursorsOfPieces, toKeptContents } from "./migrations.js";
import type { SqlDriver } from "./sql.js";
import { StoreError } from "./store.js";

/** A table of version 2 and before held the version under another name: an Isoline of that time takes this database for another program's. */
const oldVersionTable = "isoline";
const versionTable = "isoline_schema";

/**
 * Tables whose rows may be long have a rowid: a seek in a table without one reads the whole cells on its way. `part` holds what is
 * too long for a cell. `revision` holds what was pushed; the other tables but `cursor` can be made of it.
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

/** What makes a database of the version that is its place, counted from 1, one of the next version. */
const migrations: readonly ((driver: SqlDriver) => void)[] = [toCursorsOfPieces, toKeptContents];

const schemaVersion = migrations.length + 1;

/**
 * Makes the tables, or brings those of an older version to this one. Nothing is dropped but what was copied before.
 *
 * @throws StoreError for a newer version, a version that can't be read and for tables of others; they stay as they are.
 */
export function openSchema(driver: SqlDriver): void {
  const names = tableNames(driver);
  const held = [versionTable, oldVersionTable].find((name) => names.includes(name));
  if (held === undefined && names.length > 0)
    throw new StoreError(
      "store-foreign",
      `the database is not Isoline's: it has the table ${JSON.stringify(names[0])}`,
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
      `the store has tables of version ${version}, and this Isoline reads versions up to ${schemaVersion}; start the Isoline that wrote it, or a newer one. Nothing was changed`,
    );
  for (const migrate of migrations.slice(version - 1)) migrate(driver);
  driver.exec(`UPDATE ${versionTable} SET version = ${schemaVersion}`);
}

/** The names of all tables but those of SQLite and of the platform. */
export const tableNames = (driver: SqlDriver): readonly string[] =>
  driver
    .prepare(
      `SELECT name FROM sqlite_master
       WHERE type = 'table' AND name NOT GLOB 'sqlite_*' AND name NOT GLOB '_cf_*'`,
    )
    .all()
    .map(({ name }) => String(name));
