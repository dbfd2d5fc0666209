import { createRequire } from "node:module";
import type { SqlDriver, SqlRow, SqlValue } from "../../src/store/sql.js";

interface WasmStatement {
  all(values: readonly SqlValue[]): SqlRow[];
}
interface WasmDatabase {
  exec(sql: string): void;
  prepare(sql: string): WasmStatement;
}

/** The use of a database: statements that were run, rows that they returned, and the number of runs by text. */
export interface Counted {
  statements: number;
  rows: number;
  readonly texts: Map<string, number>;
}

/** A SQLite database in memory that counts. `scans` lists the query plan lines of statements that scan whole tables. */
export function countingDriver(): {
  readonly driver: SqlDriver;
  readonly counted: Counted;
  reset(): void;
  scans(): string[];
  rowsOf(sql: string): readonly SqlRow[];
} {
  const { Database } = createRequire(import.meta.url)("node-sqlite3-wasm") as {
    Database: new (file: string) => WasmDatabase;
  };
  const database = new Database(":memory:");
  const counted: Counted = { statements: 0, rows: 0, texts: new Map() };
  let depth = 0;
  const prepare = (text: string) => {
    const statement = database.prepare(text);
    const all = (...values: readonly SqlValue[]): SqlRow[] => {
      const rows = statement.all(values);
      counted.statements++;
      counted.rows += rows.length;
      counted.texts.set(text, (counted.texts.get(text) ?? 0) + 1);
      return rows;
    };
    return { all, run: (...values: readonly SqlValue[]) => void all(...values) };
  };
  return {
    counted,
    reset() {
      counted.statements = 0;
      counted.rows = 0;
      counted.texts.clear();
    },
    scans: () =>
      [...counted.texts.keys()].flatMap((text) =>
        database
          .prepare(`EXPLAIN QUERY PLAN ${text}`)
          .all(Array.from({ length: text.split("?").length - 1 }, () => null))
          .map(({ detail }) => String(detail))
          .filter((detail) => detail.startsWith("SCAN ") && !/^SCAN (?:CONSTANT|\d)/.test(detail)),
      ),
    rowsOf: (sql) => database.prepare(sql).all([]),
    driver: {
      exec: (text) => database.exec(text),
      prepare,
      transaction(work) {
        const name = `s${++depth}`;
        database.exec(`SAVEPOINT ${name}`);
        try {
          const result = work();
          database.exec(`RELEASE ${name}`);
          return result;
        } catch (error) {
          database.exec(`ROLLBACK TO ${name}; RELEASE ${name}`);
          throw error;
        } finally {
          depth--;
        }
      },
    },
  };
}

/** The statements that write, with the number of runs. */
export const writesOf = ({ texts }: Counted): Record<string, number> =>
  Object.fromEntries([...texts].filter(([text]) => !/^\s*SELECT/.test(text)));
