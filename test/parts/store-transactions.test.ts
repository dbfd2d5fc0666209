import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import { grantsKey, hostUnit, listRead } from "../../src/graph/core/keys.js";
import type { KubeObject } from "../../src/schema/object.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { createSqliteStore } from "../../src/store/sqlite.js";
import type { Resource, Store } from "../../src/store/store.js";
import { parseCase } from "../support/compile.js";
import { fc } from "../support/fast-check.js";
import { hasSqlite } from "../support/sqlite.js";

const folder = mkdtempSync(join(tmpdir(), "isoline-transactions-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));
let files = 0;

const letters = ["a", "b", "c"] as const;
const unitKeys = letters.map((name) => hostUnit(name));
const readOf = (name: string) => listRead(grantsKey(name));
const [sample] = parseCase(
  JSON.stringify({
    apiVersion: "v1",
    kind: "Service",
    metadata: { name: "x" },
    spec: { ports: [{ port: 80 }] },
  }),
).objects;
const object = (name: string, generation: number): KubeObject => {
  if (!sample) throw new Error("the test's object is not valid");
  return {
    ...sample,
    ref: `Service/default/${name}`,
    meta: { ...sample.meta, name, generation },
  } as KubeObject;
};
const resource = (name: string, json: string): Resource => ({ type: "cluster", group: "", name, json });

/** The observable content of a store, in its order. */
const contentOf = (store: Store): unknown => ({
  objects: [...store.objects()],
  claims: letters.map((name) => [
    store.claimsOf(`Service/default/${name}`),
    store.claimants(grantsKey(name)),
    store.readers(readOf(name)),
    [...store.readersOfAny([readOf(name), readOf("none")])].sort(),
  ]),
  units: unitKeys.map((key) => store.unit(key)),
  resources: [...store.resources("cluster")],
  each: letters.map((name) => store.resource("cluster", "", name)),
  findings: [...store.findings()],
  cursors: letters.map((name) => store.cursor(name)),
  pending: [store.pendingCount, store.pending(Number.POSITIVE_INFINITY), store.pending(1)],
  revisions: letters.map((source) =>
    store.revisions(source).map((one) => [one, store.revisionContent(source, one.revision)]),
  ),
});

const letter = fc.constantFrom(...letters);
const some = fc.uniqueArray(letter, { maxLength: 3 });
const number = fc.nat(2);
type Edit = (store: Store) => void;
const edit: fc.Arbitrary<Edit> = fc.oneof(
  fc.tuple(letter, number, some).map(
    ([name, n, claims]): Edit =>
      (store) =>
        store.putObject(object(name, n), claims.map(grantsKey)),
  ),
  fc.tuple(some, number, some).map(
    ([names, n, claims]): Edit =>
      (store) => {
        const objects = names.map((name) => object(name, n));
        store.putObjects(
          objects.map((one) => ({ object: one, claims: claims.map(grantsKey) })),
          store.compare(objects),
        );
      },
  ),
  letter.map(
    (name): Edit =>
      (store) =>
        store.deleteObject(`Service/default/${name}`),
  ),
  fc.tuple(fc.constantFrom(...unitKeys), some, number, some).map(
    ([unit, names, n, reads]): Edit =>
      (store) =>
        store.putUnit({
          unit,
          resources: names.map((name) => resource(name, `{"n":${n}}`)),
          findings:
            n === 0
              ? []
              : [
                  {
                    about: "S//a",
                    severity: "error",
                    type: "RouteError",
                    reason: "Invalid",
                    message: `${unit} ${n}`,
                  },
                ],
          reads: reads.map(readOf),
        }),
  ),
  fc.constantFrom(...unitKeys).map(
    (key): Edit =>
      (store) =>
        store.deleteUnit(key),
  ),
  fc.tuple(letter, fc.constantFrom("", "1", "~")).map(
    ([name, value]): Edit =>
      (store) =>
        store.setCursor(name, value),
  ),
  fc.uniqueArray(fc.constantFrom(...unitKeys)).map(
    (keys): Edit =>
      (store) =>
        store.addPending(keys),
  ),
  fc.uniqueArray(fc.constantFrom(...unitKeys)).map(
    (keys): Edit =>
      (store) =>
        store.dropPending(keys),
  ),
  fc.tuple(letter, number, some).map(
    ([source, revision, names]): Edit =>
      (store) =>
        store.putRevision(
          { source, revision, at: revision, digest: "d", by: "ci" },
          { text: `text ${revision} 'é😀`, held: names.map((name) => object(name, 0)) },
        ),
  ),
  fc.tuple(letter, number).map(
    ([source, revision]): Edit =>
      (store) =>
        store.dropRevision(source, revision),
  ),
  letter.map(
    (source): Edit =>
      (store) => {
        const [newest] = store.revisions(source);
        if (newest)
          store.renumberRevision(newest, { source, revision: newest.revision + 1, at: 9, by: "again" });
      },
  ),
);

interface Step {
  readonly edits: readonly Edit[];
  readonly inner: readonly Edit[];
  readonly fails: "not" | "inner" | "outer";
}
const steps: fc.Arbitrary<readonly Step[]> = fc.array(
  fc.record({
    edits: fc.array(edit, { maxLength: 4 }),
    inner: fc.array(edit, { maxLength: 4 }),
    fails: fc.constantFrom("not", "inner", "outer"),
  }),
  { minLength: 1, maxLength: 6 },
);

/** A transaction with a nested one; one of them may fail. Lists that were read before must not contain undone changes. */
function run(store: Store, { edits, inner, fails }: Step): void {
  const fail = (what: Step["fails"]): void => {
    if (fails === what) throw new Error(what);
  };
  try {
    store.transaction(() => {
      for (const one of edits) one(store);
      contentOf(store);
      try {
        store.transaction(() => {
          for (const one of inner) one(store);
          contentOf(store);
          fail("inner");
        });
      } catch {}
      for (const one of edits.slice(0, 1)) one(store);
      fail("outer");
    });
  } catch {}
}

const stores: Record<string, () => Store> = {
  memory: createMemoryStore,
  ...(hasSqlite() ? { sqlite: () => createSqliteStore(join(folder, `${++files}.sqlite`)) } : {}),
};

describe.each(Object.entries(stores))("a transaction of the %s store", (_, create) => {
  it("that throws leaves the store unchanged, and a nested one that throws keeps the changes of the outer one", () => {
    fc.assert(
      fc.property(steps, (sequence) => {
        const store = create();
        for (const step of sequence) {
          const before = contentOf(store);
          run(store, step);
          if (step.fails === "outer") expect(contentOf(store)).toEqual(before);
        }
        // The expected store has only the changes that did not fail.
        const plain = create();
        for (const step of sequence) {
          if (step.fails === "outer") continue;
          run(plain, { ...step, fails: "not", inner: step.fails === "inner" ? [] : step.inner });
        }
        expect(contentOf(store)).toEqual(contentOf(plain));
      }),
      { numRuns: 60 },
    );
  });
});

/** The edits may give a resource two contents, which the compiler never does; the stores may then differ. */
const comparable = (store: Store): unknown => ({
  ...(contentOf(store) as object),
  units: unitKeys.map((key) => {
    const unit = store.unit(key);
    return unit && { ...unit, resources: unit.resources.map(({ name }) => name) };
  }),
});

it.skipIf(!hasSqlite())("both stores have the same content after any transactions", () => {
  fc.assert(
    fc.property(steps, (sequence) => {
      const [memory, sqlite] = [createMemoryStore(), createSqliteStore(join(folder, `${++files}.sqlite`))];
      for (const step of sequence) {
        for (const store of [memory, sqlite]) run(store, step);
        expect(comparable(memory)).toEqual(comparable(sqlite));
      }
      sqlite.close();
    }),
    { numRuns: 60 },
  );
});
