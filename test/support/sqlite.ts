import { createRequire } from "node:module";

/** Node before 22.5 supports SQLite only with the optional package. */
export function hasSqlite(): boolean {
  if (process.getBuiltinModule?.("node:sqlite")) return true;
  try {
    createRequire(import.meta.url).resolve("node-sqlite3-wasm");
    return true;
  } catch {
    return false;
  }
}
