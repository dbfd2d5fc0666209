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
  /** The damage of a file that was moved to `FILE.corrupt` when the store was opened. */
  readonly damage?: string;
  /** Closes the file and releases its lock. */
  close(): void;
  /** The name of a cursor with an unreadable row; undefined without one. */
  unreadableCursor(): string | undefined;
  /** Moves the file to `FILE.corrupt`, replacing an earlier one, and creates a new store with the pushed contents. */
  putAside(): SqliteStore;
}

interface Database {
  exec(sql: string): void;
  prepare(sql: string): SqlStatement;
  close(): void;
}

/** The used part of `node:sqlite`, which the types of Node 20 lack. */
interface NodeSqlite {
  readonly DatabaseSync: new (file: string) => Database;
}

interface WasmStatement {
  run(values: readonly SqlValue[]): unknown;
  all(values: readonly SqlValue[]): SqlRow[];
  finalize(): void;
}

/** The used part of `node-sqlite3-wasm`, which only Node before 22.5 requires. */
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
    throw new Error(`SQLite requires Node 22.5 or newer, or the package ${wasmName}`, { cause: error });
  }
}

/**
 * Nested transactions are savepoints. A transaction throws when the lock was removed, because another process may
 * then write to the file.
 */
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
          `the lock of ${file} was removed, possibly by another machine that shares its folder; the file is not written any more`,
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

/** After some errors, such as a full disk, SQLite has already rolled back; the first error is the one to report. */
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
    return createReplacement(path, lock, salvaged);
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
 * Rolls back the transaction of a killed process that wrote without a write-ahead log, as earlier versions of Isoline did.
 * SQLite ignores the journal of a live process, and the WASM driver sees its own lock as the lock of another process.
 * Therefore its lock is hidden while the journal is read. The caller holds the lock of the file.
 */
function rollBack(path: string): void {
  const journal = lstatSync(`${path}-journal`, { throwIfNoEntry: false });
  if (!journal || journal.size === 0) return;
  const fs = createRequire(import.meta.url)("node:fs") as { accessSync(path: string, mode?: number): void };
  const { accessSync } = fs;
  fs.accessSync = (file, mode) => accessSync(file === `${path}.lock` ? `${file}/none` : file, mode);
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
 * Opens a store in a file. Creates a missing file with access only for its owner, because it contains keys. Moves a
 * damaged file to `FILE.corrupt` and creates a new one with the readable pushed contents; `damage` has the reason.
 * `close` releases `lock`, the lock of the file. Without `lock`, the caller ensures that no other process has the file.
 *
 * @throws Error when the file can't be written or is the database of another program; StoreError when a newer Isoline wrote it.
 */
export function createSqliteStore(file: string, lock?: FileLock): SqliteStore {
  const path = resolve(file);
  mkdirSync(dirname(path), { recursive: true });
  try {
    return openOrReplace(path, lock);
  } catch (error) {
    lock?.release();
    throw error;
  }
}

/** Locks a file and opens it with `createSqliteStore`. @throws InUse when another live process has the file. */
export async function openSqliteStore(file: string): Promise<SqliteStore> {
  const path = resolve(file);
  mkdirSync(dirname(path), { recursive: true });
  return createSqliteStore(path, await lockOf(path));
}

/**
 * Without sockets, `node:sqlite` relies on locks of the operating system. The WASM driver's locks are folders, which
 * remain after a crash.
 */
async function lockOf(path: string): Promise<FileLock | undefined> {
  try {
    return await lockFile(path);
  } catch (error) {
    if (error instanceof NoSockets && nodeSqlite()) return undefined;
    throw error;
  }
}

/** SQLite's files beside a database. They contain parts of it, including keys. */
const sideFiles = ["-journal", "-wal", "-shm"];

function openOrReplace(path: string, lock: FileLock | undefined): SqliteStore {
  // Lock files of killed processes, by the WASM driver and by early versions of Isoline.
  if (lock) for (const end of [".lock", ".owner"]) rmSync(`${path}${end}`, { recursive: true, force: true });
  for (const end of sideFiles)
    if (lstatSync(`${path}${end}`, { throwIfNoEntry: false })) appendPrivateFile(`${path}${end}`);
  appendPrivateFile(path);
  try {
    return openStore(path, lock);
  } catch (error) {
    if (error instanceof StoreError || !(error instanceof Damaged || isDamage(error))) throw error;
    const salvaged = salvageFile(path, lock);
    return Object.assign(createReplacement(path, lock, salvaged), { damage: messageOf(error) });
  }
}

/** The readable pushed contents of a damaged file. */
function salvageFile(path: string, lock: FileLock | undefined): Salvaged | undefined {
  try {
    const database = openDatabase(path);
    try {
      database.exec("PRAGMA locking_mode = EXCLUSIVE");
      return salvage(driverOf(database, path, lock));
    } finally {
      closeQuietly(database);
      // The WASM driver does not remove its lock when it can't close a damaged file.
      rmSync(`${path}.lock`, { recursive: true, force: true });
    }
  } catch {
    return undefined;
  }
}

function createReplacement(
  path: string,
  lock: FileLock | undefined,
  salvaged: Salvaged | undefined,
): SqliteStore {
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
