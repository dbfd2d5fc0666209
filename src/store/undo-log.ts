/** The values before a transaction changed them, by key; `undefined` for a key that did not exist. */
type Before<V> = Map<string, V | undefined>;

/** Returns the previous values of a table. */
export type Undone<Tables> = <T extends keyof Tables>(
  table: T,
) => Iterable<readonly [string, Tables[T] | undefined]>;

type Notes<Tables> = { [T in keyof Tables]?: Before<Tables[T]> };

/**
 * Records the changes of nested transactions: for each key of a table, its value before the first change in the
 * transaction. Outside of a transaction it records nothing.
 */
export class UndoLog<Tables extends object> {
  readonly #open: Notes<Tables>[] = [];
  #restoring = false;

  begin(): void {
    this.#open.push({});
  }

  /** Must be called before the value of a key changes. */
  note<T extends keyof Tables>(table: T, key: string, before: () => Tables[T] | undefined): void {
    const open = this.#open.at(-1);
    if (!open || this.#restoring) return;
    let noted = open[table];
    if (!noted) {
      noted = new Map();
      open[table] = noted;
    }
    if (!noted.has(key)) noted.set(key, before());
  }

  /** Commits the innermost transaction; the outer one can still undo its changes. */
  commit(): void {
    const done: Notes<Tables> = this.#open.pop() ?? {};
    for (const table of Object.keys(done) as (keyof Tables)[])
      for (const [key, value] of done[table] ?? []) this.note(table, key, () => value);
  }

  /** Rolls back the innermost transaction: `restore` writes the previous values. */
  rollback(restore: (undone: Undone<Tables>) => void): void {
    const done: Notes<Tables> = this.#open.pop() ?? {};
    this.#restoring = true;
    try {
      restore((table) => done[table] ?? []);
    } finally {
      this.#restoring = false;
    }
  }
}
