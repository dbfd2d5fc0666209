import { setTimeout as sleep } from "node:timers/promises";
import { sequenceCursor } from "../../engine/publisher.js";
import type { Log } from "../../log/log.js";
import { checkKeyPair } from "../../platform/key-pair.js";
import { isRecord } from "../../schema/issues.js";
import type { KubeObject } from "../../schema/object.js";
import { messageOf, plural } from "../../schema/words.js";
import { originCursor } from "../../sources/push/lost-store.js";
import { readSource, sourceNames } from "../../sources/push/state.js";
import { openSqliteStore, type SqliteStore } from "../../store/sqlite.js";
import type { Store } from "../../store/store.js";
import { update } from "../../update.js";

/** Number of rows that are checked between two pauses. */
const sliceRows = 50;
const betweenSlicesMs = 5;

/** The content of a damaged store that is kept in addition to the pushed texts. */
interface Salvage {
  readonly objects: readonly KubeObject[];
  readonly sequence: string;
  /** The identity of the store in versions. */
  readonly origin: string;
}

/** The store in a file: checked while it is served, and replaced when it is damaged. */
export class KeptStore {
  /** Number of damaged files that were put aside. */
  putAside = 0;
  #store: SqliteStore;

  private constructor(
    private readonly file: string,
    store: SqliteStore,
    private readonly log: Log,
  ) {
    this.#store = store;
    if (store.damage !== undefined) this.#report(store.damage, undefined);
  }

  /**
   * @throws Error when another living process has the file, when it can't be written, or when it is another program's
   * database.
   */
  static async open(file: string, log: Log): Promise<KeptStore> {
    return new KeptStore(file, await openSqliteStore(file), log);
  }

  get store(): Store {
    return this.#store;
  }

  close(): void {
    this.#store.close();
  }

  /** Describes the first row that can't be read; undefined when all rows can be read. */
  check(): string | undefined {
    const rows = readRows(this.#store);
    for (;;) {
      const step = nextOf(rows);
      if (step !== "more") return step.wrong;
    }
  }

  /**
   * Like `check`, in slices with pauses, until the signal is aborted. An apparent fault may be a write between two
   * reads: all rows are then read again.
   */
  async checkSlowly(signal: AbortSignal): Promise<string | undefined> {
    const rows = readRows(this.#store);
    for (let read = 1; !signal.aborted; read++) {
      const step = nextOf(rows);
      if (step !== "more") return step.wrong === undefined ? undefined : this.check();
      if (read % sliceRows === 0) await sleep(betweenSlicesMs, undefined, { signal }).catch(() => undefined);
    }
    return undefined;
  }

  /**
   * Puts a damaged file aside and begins a new one with its readable content. Nothing of the old store may be used
   * afterwards.
   */
  replace(wrong: string): void {
    const salvage = salvageOf(this.#store);
    this.#store = this.#store.putAside();
    this.#report(wrong, salvage);
    if (salvage) putSalvage(this.#store, this.#texts > 0 ? { ...salvage, objects: [] } : salvage);
  }

  /** Number of sources that can be restored from pushed texts. */
  get #texts(): number {
    return this.#store.revisionSources().length;
  }

  #report(wrong: string, salvage: Salvage | undefined): void {
    this.putAside++;
    const { file } = this;
    const rest =
      this.#texts > 0
        ? `the pushed texts of ${plural(this.#texts, "source")} can be read and are applied again`
        : salvage
          ? `its ${salvage.objects.length} objects can be read and are compiled again`
          : "nothing of it is used: files and clusters are read again, and pushed sources must be pushed again";
    this.log(
      `the store ${file} is damaged (${wrong}) and is kept as ${file}.corrupt; ${rest}`,
      "store-damaged",
    );
  }
}

function nextOf(rows: Iterator<undefined>): "more" | { readonly wrong: string | undefined } {
  try {
    return rows.next().done ? { wrong: undefined } : "more";
  } catch (error) {
    // The parser's message quotes the text, which may hold keys.
    if (error instanceof SyntaxError) return { wrong: "a row is not JSON" };
    return { wrong: messageOf(error) };
  }
}

/** Reads everything in a store. @throws Error for the first row that can't be read. */
function* readRows(store: SqliteStore): Generator<undefined> {
  for (const name of sourceNames(store)) {
    if (!Array.isArray(readSource(store, name).refs)) throw new Error(`the source ${name} has no objects`);
    yield undefined;
  }
  const cursor = store.unreadableCursor();
  if (cursor !== undefined) throw new Error(`the cursor ${cursor} is not JSON`);
  for (const { ref } of readObjects(store)) {
    if (!Array.isArray(store.claimsOf(ref))) throw new Error(`the claims of ${ref} are not a list`);
    yield undefined;
  }
  for (const { unit, resources, reads, findings } of store.units()) {
    if (!Array.isArray(reads) || !Array.isArray(findings))
      throw new Error(`the unit ${unit} has no lists of reads and findings`);
    for (const { type, name, json } of resources)
      if (!isRecord(JSON.parse(json)) && type !== "endpoints")
        throw new Error(`${type} ${name} is not an object`);
    yield undefined;
  }
}

function* readObjects(store: Store): Generator<KubeObject> {
  for (const object of store.objects()) {
    if (!isRecord(object) || typeof object.ref !== "string" || !isRecord(object.meta))
      throw new Error("a row of an object is not an object");
    yield object;
  }
}

function salvageOf(store: Store): Salvage | undefined {
  try {
    return {
      objects: [...readObjects(store)],
      sequence: cursorOf(store, sequenceCursor),
      origin: cursorOf(store, originCursor),
    };
  } catch {
    return undefined;
  }
}

/** Empty where it can't be read: versions then continue from the clock, and the store gets a new identity. */
function cursorOf(store: Store, name: string): string {
  try {
    return store.cursor(name) ?? "";
  } catch {
    return "";
  }
}

function putSalvage(store: Store, { objects, sequence, origin }: Salvage): void {
  store.transaction(() => {
    update(store, objects, { checkKeyPair });
    if (sequence) store.setCursor(sequenceCursor, sequence);
    if (origin) store.setCursor(originCursor, origin);
  });
}
