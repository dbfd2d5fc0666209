import type { KubeObject } from "../schema/object.js";
import { Cells, textOf } from "./cells.js";
import { tableNames } from "./schema.js";
import type { SqlDriver, SqlRow, SqlValue } from "./sql.js";
import { createSqlStore } from "./sql-store.js";
import { type Revision, type RevisionContent, type Store, StoreError } from "./store.js";

/** What could be read of a damaged database: what was pushed, and how far the versions had come. */
export interface Salvaged {
  readonly sequence: string | undefined;
  readonly contents: readonly {
    readonly revision: Omit<Revision, "size">;
    readonly content: RevisionContent;
  }[];
  /** Contents that were there and could not be read. */
  readonly lost: number;
}

/** Whether an error says that a database is damaged. */
export const isDamage = (error: unknown): boolean =>
  error instanceof StoreError
    ? error.code === "store-damaged"
    : error instanceof Error &&
      /file is not a database|malformed|SQLITE_(?:CORRUPT|NOTADB)/i.test(error.message);

/** Reads what was pushed from a damaged database, row by row; undefined where it can't be read at all. */
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

/** Puts into a new store what was read of a damaged one. Its sources are applied when pushes are next served from it. */
export function restore(store: Store, { sequence, contents }: Salvaged): void {
  store.transaction(() => {
    if (sequence) store.setCursor("sequence", sequence);
    for (const { revision, content } of contents) store.putRevision(revision, content);
  });
}

/**
 * Makes a damaged database anew, in place, of what was pushed. All of it is done, or nothing. Where a cluster is followed
 * (`isFollowed`), it may also be empty afterwards: the cluster is listed again.
 *
 * @throws StoreError where nothing that was pushed can be read; the database is as it was.
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
      "the store is damaged, and what was pushed can't be read from it. Nothing was changed: bring the storage back to an earlier time, or delete it and push all sources again (isoline fleet import)",
    );
  return driver.transaction(() => {
    for (const name of tableNames(driver)) driver.exec(`DROP TABLE "${name.replaceAll('"', '""')}"`);
    const store = createSqlStore(driver);
    restore(store, salvaged);
    return { store, salvaged };
  });
}
