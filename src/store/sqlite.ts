import { lstatSync, mkdirSync, renameSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { appendPrivateFile } from "../platform/private-file.js";
import { messageOf } from "../schema/words.js";
import { type FileLock, lockFile, NoSockets } from "./lock.js";
import { isDamage, restore, type Salvaged, salvage } from "./salvage.js";
import type { SqlDriver, SqlRow, SqlStatement, SqlValue } from "./sql.js";
import { createSqlStore } from "./sql-store.js";
import { type Store, StoreError } from "./store.js";

/** A store in a file. After `close` or `putAside` it must not be used. */
export interface SqliteStore extends Store {
  /** What was wrong with a file that was put aside when the store was opened. */
  readonly damage?: string;
  /** Gives up the file and its lock. */
  close(): void;
  /** The name of a cursor whose row can't be read. */
  unreadableCursor(): string | undefined;
  /** Keeps the file as `FILE.corrupt`, in the place of one that was put aside before, and begins a new one with what was pushed. */
  putAside(): SqliteStore;
}

interface Database {
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
  close(): void;
}

/** What is used of `node:sqlite`, which the types of Node 20 do not have. */
interface NodeSqlite {
  readonly DatabaseSync: new (file: string) => Database;
}

interface WasmStatement {
  run(values: readonly SqlValue[]): unknown;
  all(values: readonly SqlValue[]): SqlRow[];
  finalize(): void;
}

/** What is used of `node-sqlite3-wasm`, which only Node before 22.5 needs. */
interface WasmSqlite {
  readonly Database: new (
    file: string,
  ) => { exec(sql: string): void; prepare(sql: string): WasmStatement; close(): void };
}

const wasmName = "node-sqlite3-wasm";

const nodeSqlite = (): NodeSqlite | undefined =>
  process.getBuiltinModule?.("node:sqlite") as NodeSqlite | undefined;

function openDatabase(file: string): Database {
  const native = nodeSqlite();
  return native ? new native.DatabaseSync(file) : openWasm(file);
}

function openWasm(file: string): Database {
  const database = new (loadWasm().Database)(file);
  const open: WasmStatement[] = [];
  return {
    exec: (sql) => database.exec(sql),
    prepare(sql) {
      const statement = database.prepare(sql);
      open.push(statement);
      return {
        run: (...values) => void statement.run(values),
        all: (...values) => statement.all(values),
      };
    },
    close() {
      for (const statement of open) statement.finalize();
      database.close();
    },
  };
}

function loadWasm(): WasmSqlite {
  try {
    return createRequire(import.meta.url)(wasmName) as WasmSqlite;
  } catch (error) {
    throw new Error(`SQLite needs Node 22.5 or newer, or the package ${wasmName}`, { cause: error });
  }
}

/** Transactions inside a transaction are savepoints. Throws where the lock was taken away: who took it writes to the file, too. */
function driverOf(database: Database, file: string, lock: FileLock | undefined): SqlDriver {
  let depth = 0;
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => database.prepare(sql),
    transaction(work) {
      const [begin, commit, undo] =
        depth === 0
          ? ["BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"]
          : [`SAVEPOINT s${depth}`, `RELEASE s${depth}`, `ROLLBACK TO s${depth}; RELEASE s${depth}`];
      if (depth === 0 && lock?.isHeld === false)
        throw new Error(
          `the lock of ${file} was taken away, as by another machine that shares its folder; nothing more is written to it`,
        );
      database.exec(begin);
      depth++;
      try {
        const result = work();
        database.exec(commit);
        return result;
      } catch (error) {
        undoQuietly(database, undo);
        throw error;
      } finally {
        depth--;
      }
    },
  };
}

/** SQLite has already rolled back after some errors, such as a full disk; the first error is the one to tell. */
function undoQuietly(database: Database, undo: string): void {
  try {
    database.exec(undo);
  } catch {}
}

class Damaged extends Error {}

function openStore(path: string, lock: FileLock | undefined): SqliteStore {
  if (!nodeSqlite()) rollBack(path);
  const database = openDatabase(path);
  const close = (): void => {
    database.close();
    lock?.release();
  };
  const driver = driverOf(database, path, lock);
  const putAside = (): SqliteStore => {
    const salvaged = salvage(driver);
    database.close();
    return beginAnew(path, lock, salvaged);
  };
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL");
    checkPages(database);
    const store = createSqlStore(driver);
    const unreadable = database.prepare(
      "SELECT name FROM cursor WHERE NOT json_valid(value) AND substr(value, 1, 1) <> '~' LIMIT 1",
    );
    const unreadableCursor = (): string | undefined => unreadable.all()[0]?.name?.toString();
    return Object.assign(store, { unreadableCursor, close, putAside });
  } catch (error) {
    closeQuietly(database);
    throw error;
  }
}

/**
 * Rolls back a transaction that was written to the file itself, as by an Isoline that had no write-ahead log, when its process was
 * killed. The WASM driver takes its own lock for that of another process, and SQLite leaves the journal of a process that may live:
 * so the driver is shown no lock as long as the journal is read. The lock of the file is held by then.
 */
function rollBack(path: string): void {
  const journal = lstatSync(`${path}-journal`, { throwIfNoEntry: false });
  if (!journal || journal.size === 0) return;
  const fs = createRequire(import.meta.url)("node:fs") as { accessSync(path: string, mode?: number): void };
  const { accessSync } = fs;
  fs.accessSync = (asked, mode) => accessSync(asked === `${path}.lock` ? `${asked}/none` : asked, mode);
  try {
    const database = openDatabase(path);
    try {
      database.prepare("SELECT COUNT(*) FROM sqlite_master").all();
    } finally {
      database.close();
    }
  } finally {
    fs.accessSync = accessSync;
  }
}

function checkPages(database: Database): void {
  const row = database.prepare("PRAGMA quick_check(1)").all()[0];
  if (row?.quick_check !== "ok") throw new Damaged(String(row?.quick_check));
}

function closeQuietly(database: Database): void {
  try {
    database.close();
  } catch {}
}

/**
/**
 * Opens (or makes, for its owner only: it holds keys) a store in a file. A file whose pages are not sound is put aside as
 * `FILE.corrupt` and begun anew with what was pushed, as far as that can be read: `damage` says why. `lock` is that of the file, which
 * `close` releases; without it the caller sees to it that no other process has the file.
 *
 * @throws Error when the file can't be written, or is another program's database; StoreError when a newer Isoline wrote it.
 */
export function createSqliteStore(file: string, lock?: FileLock): SqliteStore {
  const path = resolve(file);
  mkdirSync(dirname(path), { recursive: true });
  try {
    return openOrBeginAnew(path, lock);
  } catch (error) {
    lock?.release();
    throw error;
  }
}

/** The same, once the lock of the file is there. @throws InUse when a process that lives has the file. */
export async function openSqliteStore(file: string): Promise<SqliteStore> {
  const path = resolve(file);
  mkdirSync(dirname(path), { recursive: true });
  return createSqliteStore(path, await lockOf(path));
}

/** SQLite in Node locks files by itself, as the operating system does; the WASM driver makes folders, which outlive their process. */
async function lockOf(path: string): Promise<FileLock | undefined> {
  try {
    return await lockFile(path);
  } catch (error) {
    if (error instanceof NoSockets && nodeSqlite()) return undefined;
    throw error;
  }
}

/** What SQLite keeps beside a database: with its content, and so its keys. */
const sideFiles = ["-journal", "-wal", "-shm"];

function openOrBeginAnew(path: string, lock: FileLock | undefined): SqliteStore {
  // Left by a killed process: of the WASM driver, and of the first versions of this store.
  if (lock) for (const end of [".lock", ".owner"]) rmSync(`${path}${end}`, { recursive: true, force: true });
  for (const end of sideFiles)
    if (lstatSync(`${path}${end}`, { throwIfNoEntry: false })) appendPrivateFile(`${path}${end}`);
  appendPrivateFile(path);
  try {
    return openStore(path, lock);
  } catch (error) {
    if (error instanceof StoreError || !(error instanceof Damaged || isDamage(error))) throw error;
    const salvaged = salvageFile(path, lock);
    return Object.assign(beginAnew(path, lock, salvaged), { damage: messageOf(error) });
  }
}

/** What was pushed, as far as it can be read from a file that is not sound. */
function salvageFile(path: string, lock: FileLock | undefined): Salvaged | undefined {
  try {
    const database = openDatabase(path);
    try {
      database.exec("PRAGMA locking_mode = EXCLUSIVE");
      return salvage(driverOf(database, path, lock));
    } finally {
      closeQuietly(database);
      // The WASM driver leaves its lock where it can't close a damaged file.
      rmSync(`${path}.lock`, { recursive: true, force: true });
    }
  } catch {
    return undefined;
  }
}

function beginAnew(path: string, lock: FileLock | undefined, salvaged: Salvaged | undefined): SqliteStore {
  for (const end of ["", ...sideFiles]) {
    rmSync(`${path}.corrupt${end}`, { force: true });
    if (lstatSync(`${path}${end}`, { throwIfNoEntry: false }))
      renameSync(`${path}${end}`, `${path}.corrupt${end}`);
  }
  appendPrivateFile(path);
  const store = openStore(path, lock);
  if (salvaged) restore(store, salvaged);
  return store;
}
