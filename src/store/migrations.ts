import type { SqlDriver, SqlValue } from "./sql.js";

/**
 * Each function converts the tables of one version to the next version. A released migration is never changed, and does
 * not call code that a later version may change.
 */

const textOf = (value: SqlValue | undefined): string => (typeof value === "string" ? value : "");

/** The value of a cursor. The cell `~` stands for a value in pieces. */
function cursorOf(driver: SqlDriver, name: string): string | undefined {
  const value = driver.prepare("SELECT value FROM cursor WHERE name = ?").all(name)[0]?.value;
  if (value === undefined) return undefined;
  const text = value === "~" ? piecesOf(driver, `cursor/${name}`) : textOf(value);
  return JSON.parse(text) as string;
}

const piecesOf = (driver: SqlDriver, owner: string): string =>
  driver
    .prepare("SELECT text FROM part WHERE owner = ? ORDER BY part")
    .all(owner)
    .map(({ text }) => textOf(text))
    .join("");

const sourceNamesOf = (driver: SqlDriver): readonly string[] =>
  JSON.parse(cursorOf(driver, "sources") ?? "[]") as string[];

const setCursor = (driver: SqlDriver, name: string, value: string): void =>
  driver
    .prepare("INSERT OR REPLACE INTO cursor (name, value) VALUES (?, ?)")
    .run(name, JSON.stringify(value));

/** The limit of UTF-16 units in one cell. */
const cellLength = 500_000;

function setLongCursor(driver: SqlDriver, name: string, value: string): void {
  const json = JSON.stringify(value);
  if (json.length <= cellLength) {
    setCursor(driver, name, value);
    return;
  }
  driver.prepare("INSERT OR REPLACE INTO cursor (name, value) VALUES (?, '~')").run(name);
  const put = driver.prepare("INSERT INTO part (owner, part, text) VALUES (?, ?, ?)");
  let part = 0;
  for (let start = 0; start < json.length; ) {
    let end = start + cellLength;
    const last = json.charCodeAt(end - 1);
    if (end < json.length && last >= 0xd800 && last <= 0xdbff) end--;
    put.run(`cursor/${name}`, part++, json.slice(start, end));
    start = end;
  }
}

/** Migrates version 1, which has the state of a source in one cursor, without a revision. */
export function toCursorsOfPieces(driver: SqlDriver): void {
  for (const name of sourceNamesOf(driver)) {
    const text = cursorOf(driver, `source:${name}`) ?? "";
    if (!text.startsWith("{")) continue;
    const state = { revision: 1, digest: "", ...(JSON.parse(text) as object) };
    const json = JSON.stringify(state);
    const count = Math.ceil(json.length / cellLength);
    for (let i = 0; i < count; i++)
      setLongCursor(driver, `source:${name}:${i}`, json.slice(i * cellLength, (i + 1) * cellLength));
    driver.prepare("DELETE FROM part WHERE owner = ?").run(`cursor/source:${name}`);
    setCursor(driver, `source:${name}`, String(count));
  }
}

/**
 * Migrates to version 3, which has rowid tables for long values, a digest of each object, contents of sources, a table of
 * pending units, and the state of a source in three cursors.
 */
export function toKeptContents(driver: SqlDriver): void {
  for (const [table, columns, key] of [
    ["cursor", "name TEXT NOT NULL UNIQUE, value TEXT NOT NULL", "name, value"],
    [
      "part",
      "owner TEXT NOT NULL, part INTEGER NOT NULL, text TEXT NOT NULL, UNIQUE (owner, part)",
      "owner, part, text",
    ],
  ] as const) {
    driver.exec(`CREATE TABLE new_${table} (${columns})`);
    driver.exec(`INSERT INTO new_${table} (${key}) SELECT ${key} FROM ${table}`);
    driver.exec(`DROP TABLE ${table}`);
    driver.exec(`ALTER TABLE new_${table} RENAME TO ${table}`);
  }
  driver.exec("CREATE INDEX part_owner ON part (owner) WHERE part = 0");
  driver.exec("ALTER TABLE object ADD COLUMN digest TEXT NOT NULL DEFAULT ''");
  driver.exec("CREATE INDEX unit_finding ON unit (unit) WHERE findings <> '[]'");
  driver.exec(
    `CREATE TABLE revision (source TEXT NOT NULL, revision INTEGER NOT NULL, at INTEGER NOT NULL, digest TEXT NOT NULL,
    size INTEGER NOT NULL, author TEXT NOT NULL, text TEXT NOT NULL, held TEXT NOT NULL, UNIQUE (source, revision))`,
  );
  driver.exec("DELETE FROM cursor WHERE value = '\"\"'");
  splitSources(driver);
  moveLeftUnits(driver);
  driver.exec("CREATE TABLE isoline_schema (version INTEGER NOT NULL)");
  driver.exec("INSERT INTO isoline_schema (version) VALUES (3)");
  driver.exec("DROP TABLE isoline");
}

function splitSources(driver: SqlDriver): void {
  for (const name of sourceNamesOf(driver)) {
    const count = Number(cursorOf(driver, `source:${name}`) ?? 0);
    const pieces = Array.from({ length: count }, (_, i) => cursorOf(driver, `source:${name}:${i}`) ?? "");
    const { refs, findings, ...head } = JSON.parse(pieces.join("") || "{}") as {
      readonly refs?: readonly unknown[];
      readonly findings?: readonly unknown[];
    };
    dropCursors(driver, `source:${name}:`, count);
    setCursor(driver, `source:${name}`, JSON.stringify({ ...head, objects: refs?.length ?? 0 }));
    setLongCursor(driver, `source:${name}/refs`, JSON.stringify(refs ?? []));
    setLongCursor(driver, `source:${name}/findings`, JSON.stringify(findings ?? []));
  }
}

function dropCursors(driver: SqlDriver, start: string, count: number): void {
  for (let i = 0; i < count; i++) {
    driver.prepare("DELETE FROM cursor WHERE name = ?").run(`${start}${i}`);
    driver.prepare("DELETE FROM part WHERE owner = ?").run(`cursor/${start}${i}`);
  }
}

function moveLeftUnits(driver: SqlDriver): void {
  driver.exec("CREATE TABLE pending (unit TEXT NOT NULL UNIQUE)");
  const left = cursorOf(driver, "left");
  const { units } = left ? (JSON.parse(left) as { readonly units: readonly string[] }) : { units: [] };
  const add = driver.prepare("INSERT OR IGNORE INTO pending (unit) VALUES (?)");
  for (const unit of units) add.run(unit);
  driver.prepare("DELETE FROM cursor WHERE name = ?").run("left");
  driver.prepare("DELETE FROM part WHERE owner = ?").run("cursor/left");
}
