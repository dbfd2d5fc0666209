import type { DurableObjectStorage } from "@cloudflare/workers-types";
import type { SqlDriver, SqlRow } from "./sql.js";

/** The SQLite of a Durable Object, which caches prepared statements and supports nested transactions. */
export function durableDriver(storage: Pick<DurableObjectStorage, "sql" | "transactionSync">): SqlDriver {
  const { sql } = storage;
  return {
    exec: (text) => void sql.exec(text).toArray(),
    prepare: (text) => ({
      run: (...values) => void sql.exec(text, ...values).toArray(),
      all: (...values) => sql.exec(text, ...values).toArray() as unknown as SqlRow[],
    }),
    transaction: (work) => storage.transactionSync(work),
  };
}
