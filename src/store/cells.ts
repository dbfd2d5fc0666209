import type { SqlValue, statements } from "./sql.js";
import { StoreError } from "./store.js";

/** The limit of UTF-16 units in one cell: at most 1.5 MB of UTF-8, below the limit of a Durable Object's row, 2 MB. */
const cellLength = 500_000;

/** The content of a cell whose text is stored in pieces. */
const inPieces = "~";

export const textOf = (value: SqlValue | undefined): string => (typeof value === "string" ? value : "");

/** The end of a piece that begins at `start`; never inside a surrogate pair. */
function cut(text: string, start: number): number {
  const end = start + cellLength;
  const last = text.charCodeAt(end - 1);
  return end < text.length && last >= 0xd800 && last <= 0xdbff ? end - 1 : end;
}

/**
 * Stores texts of any length in cells. A text that is too long for a cell is stored in pieces under the name of its
 * owner.
 */
export class Cells {
  /** The owners of texts in pieces; loaded on first use. Other texts need no statement to check for pieces. */
  #owners: Set<string> | undefined;

  constructor(
    private readonly sql: Pick<
      ReturnType<typeof statements>,
      "putPart" | "getParts" | "dropParts" | "getOwners"
    >,
  ) {}

  /** Stores a text and returns the content of its cell. Deletes pieces of the owner's previous text. */
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

  /** @throws StoreError when the text is not JSON: the database is damaged. */
  json(owner: string, cell: SqlValue | undefined): unknown {
    try {
      return JSON.parse(this.text(owner, cell));
    } catch {
      throw new StoreError("store-damaged", `the store is damaged: the value of ${owner} is not JSON`);
    }
  }

  forget(...owners: readonly string[]): void {
    if (this.#known.size === 0) return;
    for (const owner of owners) if (this.#known.delete(owner)) this.sql.dropParts.run(owner);
  }

  /** Drops cached owners after the rollback of a transaction. */
  reset(): void {
    this.#owners = undefined;
  }

  get #known(): Set<string> {
    this.#owners ??= new Set(this.sql.getOwners.all().map(({ owner }) => textOf(owner)));
    return this.#owners;
  }
}
