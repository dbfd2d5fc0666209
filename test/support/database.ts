import { createRequire } from "node:module";

interface Wasm {
  readonly Database: new (file: string) => TestDatabase;
}

/** A SQLite file as no part of Isoline: to write what was never written by it, and to look. */
interface TestDatabase {
  exec(sql: string): void;
  all(sql: string): readonly Readonly<Record<string, unknown>>[];
  close(): void;
}

/** Opens a file that nothing else has open, works in it and closes it. */
export function inDatabase<T>(file: string, work: (database: TestDatabase) => T): T {
  const database = new (createRequire(import.meta.url)("node-sqlite3-wasm") as Wasm).Database(file);
  try {
    // The driver has no shared memory, which a write-ahead log needs without this lock.
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    return work(database);
  } finally {
    database.close();
  }
}
