import type { Engine, Put } from "../../engine/engine.js";
import { LocalError } from "../../kubernetes/failures.js";
import type { Ref } from "../../schema/meta.js";
import type { Change } from "../../update.js";
import type { Member } from "./clusters.js";

interface MemberStoreOptions {
  readonly engine: Engine;
  readonly member: Member;
}

/** Objects of a change that its entry in the history names. */
const maxNoted = 5;

/**
 * The objects and cursors of one Kubernetes cluster in the store. For a cluster that is new to a served store they are
 * kept apart until all are read: a Service without endpoints yet would replace a working one of another cluster.
 */
export class MemberStore {
  #apart: { readonly changes: Map<Ref, Change>; readonly cursors: Map<string, string> } | undefined;

  constructor(private readonly options: MemberStoreOptions) {}

  /** Keeps everything apart until `complete`. */
  keepApart(): void {
    this.#apart = { changes: new Map(), cursors: new Map() };
  }

  get isApart(): boolean {
    return this.#apart !== undefined;
  }

  /** Empty when there is no cursor. */
  cursor(kind: string): string {
    const name = this.#nameOf(kind);
    return this.#apart?.cursors.get(name) ?? this.options.engine.store.cursor(name) ?? "";
  }

  /** @throws LocalError */
  setCursor(kind: string, version: string): void {
    const name = this.#nameOf(kind);
    if (this.#apart) this.#apart.cursors.set(name, version);
    else locally(() => this.options.engine.store.setCursor(name, version));
  }

  /** Returns the effect of the changes; undefined while they are kept apart. @throws LocalError */
  apply(changes: readonly Change[], by?: string): Put | undefined {
    if (this.#apart) {
      for (const change of changes)
        this.#apart.changes.set("gone" in change ? change.gone : change.ref, change);
      return undefined;
    }
    return changes.length > 0 ? this.#put(changes, by) : undefined;
  }

  #put(changes: readonly Change[], by: string | undefined): Put {
    const { engine, member } = this.options;
    const put = locally(() => engine.put(member.place(changes)));
    const objects = changes.slice(0, maxNoted).map((change) => ("gone" in change ? change.gone : change.ref));
    if (put.edited)
      engine.because({ source: member.name || "cluster", objects, ...(by === undefined ? {} : { by }) });
    return put;
  }

  /** Applies everything that was kept apart in one transaction. Returns the effect. @throws LocalError */
  complete(): Put | undefined {
    const apart = this.#apart;
    if (!apart) return undefined;
    const { engine, member } = this.options;
    const { store } = engine;
    const put = locally(() =>
      store.transaction(() => {
        for (const [name, version] of apart.cursors) store.setCursor(name, version);
        return engine.put(member.place([...apart.changes.values()]));
      }),
    );
    if (put.edited) engine.because({ source: member.name || "cluster" });
    this.#apart = undefined;
    return put;
  }

  #nameOf(kind: string): string {
    const { name } = this.options.member;
    return name ? `kubernetes:${name}:${kind}` : `kubernetes:${kind}`;
  }
}

/** @throws LocalError for every error of `work` */
function locally<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw new LocalError(error);
  }
}
