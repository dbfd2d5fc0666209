import type { SqlValue, statements } from "./sql.js";
import { StoreError } from "./store.js";

/** UTF-16 units in one cell: at most 1.5 MB of UTF-8, and a Durable Object's row ends at 2 MB. */
const cellLength = 500_000;

/** What stands in a cell for a text that is kept in pieces. */
const inPieces = "~";

export const textOf = (value: SqlValue | undefined): string => (typeof value === "string" ? value : "");

/** The end of a piece that begins at `start`, not between the halves of a surrogate pair. */
function cut(text: string, start: number): number {
  const end = start + cellLength;
  const last = text.charCodeAt(end - 1);
  return end < text.length && last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}

/** Texts of any length in cells: those that are too long for one are kept in pieces, under the name of their owner. */
export class Cells {
  /** Owners of texts in pieces, read when it is first asked for. Few texts are so long, and no other costs a statement. */
  #owners: Set<string> | undefined;

  constructor(
    private readonly sql: Pick<
      ReturnType<typeof statements>,
      "putPart" | "getParts" | "dropParts" | "getOwners"
    >,
  ) {}

  /** What to put into a cell for a text, of an owner that has had another before. */
  write(owner: string, text: string): string {
    this.forget(owner);
    if (text.length <= cellLength && text !== inPieces) return text;
    let part = 0;
    for (let start = 0; start < text.length; ) {
      const end = cut(text, start);
      this.sql.putPart.run(owner, part++, text.slice(start, end));
      start = end;
    }
    this.#known.add(owner);
    return inPieces;
  }

  text(owner: string, cell: SqlValue | undefined): string {
    if (cell !== inPieces) return textOf(cell);
    return this.sql.getParts
      .all(owner)
      .map(({ text }) => textOf(text))
      .join("");
  }

  /** @throws StoreError where the text is no JSON: the database is damaged. */
  json(owner: string, cell: SqlValue | undefined): unknown {
    try {
      return JSON.parse(this.text(owner, cell));
    } catch {
      throw new StoreError("store-damaged", `the store is damaged: what it holds of ${owner} is not JSON`);
    }
  }

  forget(...owners: readonly string[]): void {
    if (this.#known.size === 0) return;
    for (const owner of owners) if (this.#known.delete(owner)) this.sql.dropParts.run(owner);
  }

  /** After a transaction was undone. */
  reset(): void {
    this.#owners = undefined;
  }

  get #known(): Set<string> {
    this.#owners ??= new Set(this.sql.getOwners.all().map(({ owner }) => textOf(owner)));
    return this.#owners;
  }
}
