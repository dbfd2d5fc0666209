import fc from "fast-check";
import { expect, it } from "vitest";
import { kindOf, type Ref } from "../../src/schema/meta.js";
import { settingsRef } from "../../src/schema/settings.js";
import { settingsOf } from "../../src/server/publisher.js";
import {
  hasStatus,
  type ObjectStatus,
  Statuses,
  type StatusKind,
  statuses,
} from "../../src/status/status.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Store } from "../../src/store/store.js";
import { resume, type Updated, unitsLeft, update } from "../../src/update.js";
import { platform } from "../support/compile.js";
import { changesOf, edit, start } from "../support/edits.js";

/** Statuses that are worked out anew for the objects that updates name, and for no others. */
class Kept {
  readonly #statuses: Statuses;
  readonly byRef = new Map<Ref, ObjectStatus>();
  /** How often a status was worked out. */
  worked = 0;

  constructor(private readonly store: Store) {
    this.#statuses = new Statuses({ ...platform, store });
  }

  take({ judged }: Pick<Updated, "judged">): void {
    for (const ref of judged) this.#statuses.touch(ref);
    const refs = judged.has(settingsRef) ? [...this.#statuses.refs(), ...this.byRef.keys()] : judged;
    for (const ref of new Set(refs)) {
      this.worked++;
      const { wanted } = this.#statuses.of(ref, settingsOf(this.store), 0);
      if (wanted) this.byRef.set(ref, wanted);
      else this.byRef.delete(ref);
    }
  }

  get all(): ObjectStatus[] {
    return [...this.byRef.values()].sort((a, b) => (a.ref < b.ref ? -1 : 1));
  }
}

/** Findings of units that neither read the object nor are claimed by it: statuses would not have them. */
const unlinked = (store: Store): object[] =>
  [...store.units()].flatMap(({ unit, findings }) =>
    findings.filter(
      ({ about }) =>
        hasStatus(kindOf(about)) &&
        !store.readers(about).includes(unit) &&
        !store.claimsOf(about).includes(unit),
    ),
  );

it("are after any edits what working out all of them gives, for every kind, whole or in batches", () => {
  const kinds = new Set<StatusKind>();
  const changed = new Set<StatusKind>();
  fc.assert(
    fc.property(
      start,
      fc.array(edit, { minLength: 1, maxLength: 12 }),
      fc.constantFrom(2, Number.POSITIVE_INFINITY),
      (objects, edits, maxUnits) => {
        const store = createMemoryStore();
        const batched = { ...platform, maxUnits };
        const kept = new Kept(store);
        const take = (updated: Updated): void => {
          kept.take(updated);
          while (unitsLeft(store) > 0) kept.take(resume(store, batched));
        };
        take(update(store, objects, batched));
        const state = new Map(objects.map((object) => [object.ref, object]));
        for (const one of edits) {
          const before = new Map(kept.byRef);
          take(update(store, changesOf(one, state), batched));
          expect(unlinked(store)).toEqual([]);
          expect(kept.all).toEqual(statuses(store, settingsOf(store), 0, platform));
          for (const { ref, kind, status } of kept.all) {
            kinds.add(kind);
            if (JSON.stringify(before.get(ref)?.status) !== JSON.stringify(status)) changed.add(kind);
          }
        }
      },
    ),
    { numRuns: 100 },
  );
  const all = [
    "ExtensionService",
    "GRPCRoute",
    "Gateway",
    "GatewayClass",
    "HTTPProxy",
    "HTTPRoute",
    "Ingress",
  ];
  expect([...kinds].sort()).toEqual(expect.arrayContaining([...all, "IngressRoute", "TCPRoute", "TLSRoute"]));
  expect([...changed].sort()).toEqual(
    expect.arrayContaining([...all, "IngressRoute", "TCPRoute", "TLSRoute", "BackendTLSPolicy"]),
  );
}, 120_000);
