import { rmSync } from "node:fs";
import { createRequire } from "node:module";

interface Database {
  exec(sql: string): void;
  close(): void;
}

/** Runs a statement on the SQLite file of a stopped server. */
export function changeDatabase(file: string, sql: string): void {
  // Left by a killed server with the WASM driver.
  rmSync(`${file}.lock`, { recursive: true, force: true });
  const database = open(file);
  try {
    database.exec("PRAGMA locking_mode = EXCLUSIVE");
    database.exec(sql);
  } finally {
    database.close();
  }
}

function open(file: string): Database {
  const native = process.getBuiltinModule?.("node:sqlite") as
    | { readonly DatabaseSync: new (file: string) => Database }
    | undefined;
  if (native) return new native.DatabaseSync(file);
  const wasm = createRequire(import.meta.url)("node-sqlite3-wasm") as {
    readonly Database: new (file: string) => Database;
  };
  return new wasm.Database(file);
}
