import type { KubeObject } from "../schema/object.js";
import { Cells, textOf } from "./cells.js";
import { tableNames } from "./schema.js";
import type { SqlDriver, SqlRow, SqlValue } from "./sql.js";
import { createSqlStore } from "./sql-store.js";
import { type Revision, type RevisionContent, type Store, StoreError } from "./store.js";

/** The readable part of a damaged database: pushed contents, and the last sequence number of versions. */
export interface Salvaged {
  readonly sequence: string | undefined;
  readonly contents: readonly {
    readonly revision: Omit<Revision, "size">;
    readonly content: RevisionContent;
  }[];
  /** The number of unreadable contents. */
  readonly lost: number;
}

/** Whether an error reports a damaged database. */
export const isDamage = (error: unknown): boolean =>
  error instanceof StoreError
    ? error.code === "store-damaged"
    : error instanceof Error &&
      /file is not a database|malformed|SQLITE_(?:CORRUPT|NOTADB)/i.test(error.message);

/** Reads the pushed contents of a damaged database, row by row; undefined when their table is not readable. */
export function salvage(driver: SqlDriver): Salvaged | undefined {
  const rows = attempt(() =>
    driver.prepare("SELECT rowid AS id, source, revision FROM revision ORDER BY rowid").all(),
  );
  if (!rows) return undefined;
  const read = readerOf(driver);
  const contents = rows.flatMap(({ id = null }) => read(id) ?? []);
  return { sequence: sequenceOf(driver), contents, lost: rows.length - contents.length };
}

function readerOf(driver: SqlDriver): (id: SqlValue) => Salvaged["contents"][number] | undefined {
  const row = driver.prepare(
    "SELECT source, revision, at, digest, author, text, held FROM revision WHERE rowid = ?",
  );
  const parts = driver.prepare("SELECT text FROM part WHERE owner = ? ORDER BY part");
  const none = { run: () => undefined, all: () => [] };
  const cells = new Cells({ getParts: parts, putPart: none, dropParts: none, getOwners: none });
  return (id) =>
    attempt(() => {
      const [found] = row.all(id);
      return found && contentOf(found, id, cells);
    });
}

function contentOf(
  { source, revision, at, digest, author, text, held }: SqlRow,
  id: SqlValue,
  cells: Cells,
): Salvaged["contents"][number] {
  return {
    revision: {
      source: textOf(source),
      revision: Number(revision),
      at: Number(at),
      digest: textOf(digest),
      by: textOf(author),
    },
    content: {
      text: cells.text(`revision/${id}/text`, text),
      held: cells.json(`revision/${id}/held`, held) as KubeObject[],
    },
  };
}

const sequenceOf = (driver: SqlDriver): string | undefined =>
  attempt(() => {
    const [row] = driver.prepare("SELECT value FROM cursor WHERE name = 'sequence'").all();
    return row && (JSON.parse(textOf(row.value)) as string);
  });

function attempt<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}

/** Writes salvaged contents to a new store. A server for pushes applies its sources when it starts with the store. */
export function restore(store: Store, { sequence, contents }: Salvaged): void {
  store.transaction(() => {
    if (sequence) store.setCursor("sequence", sequence);
    for (const { revision, content } of contents) store.putRevision(revision, content);
  });
}

/**
 * Rebuilds a damaged database in place from the pushed contents, in one transaction. With `isFollowed`, the result may be
 * empty, because the server lists the followed Kubernetes cluster again.
 *
 * @throws StoreError when no pushed content is readable; the database is unchanged.
 */
export function rebuildInPlace(
  driver: SqlDriver,
  isFollowed: boolean,
): { readonly store: Store; readonly salvaged: Salvaged } {
  const none = isFollowed ? { sequence: sequenceOf(driver), contents: [], lost: 0 } : undefined;
  const salvaged = salvage(driver) ?? none;
  if (!salvaged || (salvaged.contents.length === 0 && !isFollowed))
    throw new StoreError(
      "store-damaged",
      "the store is damaged, and its pushed contents can't be read. The store is unchanged: restore an earlier state of the storage, or delete it and push all sources again (isoline fleet import)",
    );
  return driver.transaction(() => {
    for (const name of tableNames(driver)) driver.exec(`DROP TABLE "${name.replaceAll('"', '""')}"`);
    const store = createSqlStore(driver);
    restore(store, salvaged);
    return { store, salvaged };
  });
}
