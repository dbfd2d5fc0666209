/** What was under a key before a transaction changed it; `undefined` where nothing was. */
type Before<V> = Map<string, V | undefined>;

/** Gives what was there before, by table. */
export type Undone<Tables> = <T extends keyof Tables>(
  table: T,
) => Iterable<readonly [string, Tables[T] | undefined]>;

type Notes<Tables> = { [T in keyof Tables]?: Before<Tables[T]> };

/**
 * Notes of what transactions have changed, one inside the other: for each key of a table what was there when the transaction first
 * changed it. Outside of a transaction nothing is noted.
 */
export class UndoLog<Tables extends object> {
  readonly #open: Notes<Tables>[] = [];
  #restoring = false;

  begin(): void {
    this.#open.push({});
  }

  /** To be called before a change of what is under a key. */
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

  /** Ends a transaction whose changes stay: the one around it may still take them back. */
  commit(): void {
    const done: Notes<Tables> = this.#open.pop() ?? {};
    for (const table of Object.keys(done) as (keyof Tables)[])
      for (const [key, value] of done[table] ?? []) this.note(table, key, () => value);
  }

  /** Ends a transaction whose changes go: `restore` puts back what was there. */
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
