import type { ReadKey, UnitKey } from "../graph/core/keys.js";
import type { SqlValue, statements } from "./sql.js";

/** The limit of units per batch. */
const batchSize = 100;

/**
 * Collects rows of new units and writes them in batches, because a statement for each row makes a first push slow. Before
 * code reads these tables, it must call `flush` or combine the result with `readers`.
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
    if (this.#count === batchSize) this.flush();
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

  /** The units with a read of the key that are not written yet. */
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

  /** Drops the rows that are not written yet. */
  clear(): void {
    this.#units = [];
    this.#resources = [];
    this.#reads = [];
    this.#readers.clear();
    this.#count = 0;
  }
}
