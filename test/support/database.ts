import { createRequire } from "node:module";

interface Wasm {
  readonly Database: new (file: string) => TestDatabase;
}

/** A SQLite file, accessed without Isoline: to write content that Isoline never wrote, and to inspect. */
interface TestDatabase {
  exec(sql: string): void;
  all(sql: string): readonly Readonly<Record<string, unknown>>[];
  close(): void;
}

/** Opens a file that no other connection has open, runs `work` and closes the file. */
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
