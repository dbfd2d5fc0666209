import type { ReadKey, UnitKey } from "../graph/core/keys.js";
import type { SqlValue, statements } from "./sql.js";

/** So many units are written at once at most. */
const most = 100;

/**
 * Rows of units that the store did not have, until they are written together: a statement for each row is what makes a first push slow.
 * Before these tables are read, `flush` has to be called, or `readers` be asked as well.
 */
export class NewUnits {
  #units: SqlValue[] = [];
  #resources: SqlValue[] = [];
  #reads: SqlValue[] = [];
  readonly #readers = new Map<ReadKey, UnitKey[]>();
  #count = 0;

  constructor(
    private readonly sql: Pick<ReturnType<typeof statements>, "putUnits" | "putResources" | "addReads">,
  ) {}

  add(unit: UnitKey, row: readonly SqlValue[], reads: ReadonlySet<ReadKey>): void {
    if (this.#count === most) this.flush();
    this.#count++;
    this.#units.push(...row);
    for (const read of reads) {
      this.#reads.push(read, unit);
      const known = this.#readers.get(read);
      if (known) known.push(unit);
      else this.#readers.set(read, [unit]);
    }
  }

  addResource(row: readonly SqlValue[]): void {
    this.#resources.push(...row);
  }

  /** Units that are not written yet. */
  readers(key: ReadKey): readonly UnitKey[] {
    return this.#readers.get(key) ?? [];
  }

  flush(): void {
    if (this.#count === 0) return;
    const [units, resources, reads] = [this.#units, this.#resources, this.#reads];
    this.clear();
    this.sql.putUnits.run(units);
    this.sql.putResources.run(resources);
    this.sql.addReads.run(reads);
  }

  /** Drops what is not written. */
  clear(): void {
    this.#units = [];
    this.#resources = [];
    this.#reads = [];
    this.#readers.clear();
    this.#count = 0;
  }
}
