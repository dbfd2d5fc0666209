import { lstatSync, mkdirSync, readFileSync, renameSync, rmdirSync, rmSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, resolve } from "node:path";
import { appendPrivateFile, replacePrivateFile } from "../platform/private-file.js";
import { restore, type Salvaged, salvage } from "./salvage.js";
import type { SqlDriver, SqlRow, SqlStatement, SqlValue } from "./sql.js";
import { createSqlStore } from "./sql-store.js";
import type { Store } from "./store.js";

/** A store in a file. After `close` it must not be used. */
export interface SqliteStore extends Store {
  close(): void;
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

function openDatabase(file: string): Database {
  const native = process.getBuiltinModule?.("node:sqlite") as NodeSqlite | undefined;
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

/** Transactions inside a transaction are savepoints. */
function driverOf(database: Database): SqlDriver {
  let depth = 0;
  return {
    exec: (sql) => database.exec(sql),
    prepare: (sql) => database.prepare(sql),
    transaction(work) {
      const [begin, commit, undo] =
        depth === 0
          ? ["BEGIN IMMEDIATE", "COMMIT", "ROLLBACK"]
          : [`SAVEPOINT s${depth}`, `RELEASE s${depth}`, `ROLLBACK TO s${depth}; RELEASE s${depth}`];
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

const isCorrupt = (error: unknown): boolean =>
  error instanceof Error &&
  /file is not a database|disk image is malformed|malformed database/.test(error.message);

class Corrupt extends Error {}

function openStore(file: string): SqliteStore {
  const database = openDatabase(file);
  try {
    // The WASM driver reports its own lock as one of another process, and SQLite then leaves the rollback journal of a
    // killed process alone: half a commit stays. A write-ahead log is read back without that question.
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec("PRAGMA journal_mode = WAL");
    database.exec("PRAGMA synchronous = FULL");
    checkPages(database);
    const store = createSqlStore(driverOf(database));
    return Object.assign(store, { close: () => database.close() });
  } catch (error) {
    closeQuietly(database);
    throw error;
  }
}

function checkPages(database: Database): void {
  const row = database.prepare("PRAGMA quick_check(1)").all()[0];
  if (row?.quick_check !== "ok") throw new Corrupt(String(row?.quick_check));
}

function closeQuietly(database: Database): void {
  try {
    database.close();
  } catch {}
}

const open = new Set<string>();

/**
 * Opens (or makes, for its owner only: it holds keys) a store in a file. A file that is not sound is put aside as
 * `FILE.corrupt` and begun anew with what was pushed, as far as that can be read. Throws when the file is in use, can't be written, or is another program's database.
 */
export function createSqliteStore(file: string): SqliteStore {
  const path = resolve(file);
  if (open.has(path)) throw new Error(`${file} is already open`);
  mkdirSync(dirname(path), { recursive: true });
  const release = takeOwnership(path);
  try {
    const store = openOrRebuild(path);
    open.add(path);
    const { close } = store;
    return Object.assign(store, {
      close() {
        close();
        open.delete(path);
        release();
      },
    });
  } catch (error) {
    release();
    throw error;
  }
}

/** What SQLite keeps beside a database: with its content, and so its keys. */
const sideFiles = ["-journal", "-wal", "-shm"];

function openOrRebuild(path: string): SqliteStore {
  for (const end of sideFiles)
    if (lstatSync(`${path}${end}`, { throwIfNoEntry: false })) appendPrivateFile(`${path}${end}`);
  appendPrivateFile(path);
  try {
    return openStore(path);
  } catch (error) {
    if (!(error instanceof Corrupt) && !isCorrupt(error)) throw error;
    const salvaged = salvageFile(path);
    for (const end of sideFiles) rmSync(`${path}${end}`, { force: true });
    renameSync(path, `${path}.corrupt`);
    appendPrivateFile(path);
    const store = openStore(path);
    if (salvaged) restore(store, salvaged);
    return store;
  }
}

/** What was pushed, as far as it can be read from a file that is not sound. */
function salvageFile(path: string): Salvaged | undefined {
  try {
    const database = openDatabase(path);
    try {
      database.exec("PRAGMA locking_mode = EXCLUSIVE");
      return salvage(driverOf(database));
    } finally {
      closeQuietly(database);
      // The WASM driver leaves its lock where it can't close a damaged file.
      removeLock(`${path}.lock`);
    }
  } catch {
    return undefined;
  }
}

/**
 * The WASM driver locks by making a folder `FILE.lock`, which a crash leaves behind. `FILE.owner` holds the process id
 * of who may have made it: when that process is gone, so is its lock. Returns what gives the file up.
 */
function takeOwnership(path: string): () => void {
  const owner = `${path}.owner`;
  const pid = ownerOf(owner);
  if (pid !== undefined && pid !== process.pid && isAlive(pid)) {
    throw new Error(`${path} is in use by process ${pid} (if that is not Isoline, remove ${owner})`);
  }
  if (pid !== undefined) removeLock(`${path}.lock`);
  replacePrivateFile(owner, [`${process.pid}\n`]);
  return () => rmSync(owner, { force: true });
}

function ownerOf(file: string): number | undefined {
  try {
    const pid = Number(readFileSync(file, "utf8"));
    return Number.isSafeInteger(pid) && pid > 0 ? pid : undefined;
  } catch {
    return undefined;
  }
}

function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === "EPERM";
  }
}

function removeLock(folder: string): void {
  try {
    rmdirSync(folder);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
  }
}
