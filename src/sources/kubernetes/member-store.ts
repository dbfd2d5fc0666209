import { LocalError } from "../../kubernetes/failures.js";
import type { Ref } from "../../schema/meta.js";
import type { Store } from "../../store/store.js";
import { type Change, type Platform, type Updated, update } from "../../update.js";
import type { Member } from "./clusters.js";

interface MemberStoreOptions {
  readonly store: Store;
  readonly member: Member;
  readonly platform: Platform;
}

/**
 * The objects and cursors of one cluster in the store. What is read of a cluster that is new to a store which is served is kept apart
 * until all of it is read: a Service whose endpoints are not known yet would take the place of one of another cluster that works.
 */
export class MemberStore {
  #apart: { readonly changes: Map<Ref, Change>; readonly cursors: Map<string, string> } | undefined;

  constructor(private readonly options: MemberStoreOptions) {}

  /** From now on all is kept apart until `complete`. */
  keepApart(): void {
    this.#apart = { changes: new Map(), cursors: new Map() };
  }

  get isApart(): boolean {
    return this.#apart !== undefined;
  }

  /** Empty when there is none. */
  cursor(kind: string): string {
    const name = this.#nameOf(kind);
    return this.#apart?.cursors.get(name) ?? this.options.store.cursor(name) ?? "";
  }

  /** @throws LocalError */
  setCursor(kind: string, version: string): void {
    const name = this.#nameOf(kind);
    if (this.#apart) this.#apart.cursors.set(name, version);
    else locally(() => this.options.store.setCursor(name, version));
  }

  /** Returns what the store makes of changes, unless they are kept apart. @throws LocalError */
  apply(changes: readonly Change[]): Updated | undefined {
    const { store, member, platform } = this.options;
    if (this.#apart) {
      for (const change of changes)
        this.#apart.changes.set("gone" in change ? change.gone : change.ref, change);
      return undefined;
    }
    return changes.length > 0 ? locally(() => update(store, member.place(changes), platform)) : undefined;
  }

  /** Applies what was kept apart, all at once. Returns what the store makes of it. @throws LocalError */
  complete(): Updated | undefined {
    const apart = this.#apart;
    if (!apart) return undefined;
    const { store, member, platform } = this.options;
    const updated = locally(() =>
      store.transaction(() => {
        for (const [name, version] of apart.cursors) store.setCursor(name, version);
        return update(store, member.place([...apart.changes.values()]), platform);
      }),
    );
    this.#apart = undefined;
    return updated;
  }

  #nameOf(kind: string): string {
    const { name } = this.options.member;
    return name ? `kubernetes:${name}:${kind}` : `kubernetes:${kind}`;
  }
}

/** @throws LocalError for whatever `work` throws */
function locally<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new LocalError(error);
  }
}
