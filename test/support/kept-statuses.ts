import { unitsAbout } from "../../src/graph/core/affected.js";
import { kindOf, type Ref } from "../../src/schema/meta.js";
import { settingsRef } from "../../src/schema/settings.js";
import { settingsOf } from "../../src/schema/stored-settings.js";
import { hasStatus, type ObjectStatus, Statuses } from "../../src/status/status.js";
import type { Store } from "../../src/store/store.js";
import type { Updated } from "../../src/update.js";
import { platform } from "./compile.js";

/** Keeps the statuses of objects up to date, computing only those that updates report as affected. */
export class KeptStatuses {
  readonly #statuses: Statuses;
  readonly byRef = new Map<Ref, ObjectStatus>();
  /** The number of computed statuses. */
  worked = 0;

  constructor(private readonly store: Store) {
    this.#statuses = new Statuses({ ...platform, store });
  }

  take({ affected }: Pick<Updated, "affected">): void {
    for (const ref of affected) this.#statuses.touch(ref);
    const refs = affected.has(settingsRef) ? [...this.#statuses.refs(), ...this.byRef.keys()] : affected;
    for (const ref of new Set(refs)) {
      this.worked++;
      const { desired } = this.#statuses.of(ref, settingsOf(this.store), 0);
      if (desired) this.byRef.set(ref, desired);
      else this.byRef.delete(ref);
    }
  }

  get all(): ObjectStatus[] {
    return [...this.byRef.values()].sort((a, b) => (a.ref < b.ref ? -1 : 1));
  }
}

/** Findings of units that neither read the object nor are claimed by it: statuses would lack these. */
export const unlinkedFindings = (store: Store): object[] =>
  [...store.units()].flatMap(({ unit, findings }) =>
    findings.filter(({ about }) => hasStatus(kindOf(about)) && !unitsAbout(store, about).includes(unit)),
  );
