import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it } from "vitest";
import type { Ref } from "../../src/schema/meta.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { createSqliteStore } from "../../src/store/sqlite.js";
import type { Store } from "../../src/store/store.js";
import { type Change, resume, unitsLeft, update } from "../../src/update.js";
import { compileAll, dump, platform } from "../support/compile.js";
import { fc } from "../support/fast-check.js";
import { hasSqlite } from "../support/sqlite.js";

const namespaces = ["one", "two"] as const;
const child = fc.record({
  name: fc.constantFrom("c0", "c1", "c2"),
  namespace: fc.constantFrom(...namespaces),
});
const content = fc.record({ routes: fc.nat(2), includes: fc.array(child, { maxLength: 2 }), age: fc.nat(2) });
const name = fc.constantFrom("r0", "r1", "r2", "c0", "c1", "c2");

interface Proxy {
  readonly name: string;
  readonly namespace: string;
  readonly routes: number;
  readonly includes: readonly { name: string; namespace: string }[];
  readonly age: number;
}
const proxy: fc.Arbitrary<Proxy> = fc
  .tuple(name, fc.constantFrom(...namespaces), content)
  .map(([own, namespace, rest]) => ({ name: own, namespace, ...rest }));

const isRoot = ({ name: own }: Proxy): boolean => own.startsWith("r");
const keyOf = ({ namespace, name: own }: { namespace: string; name: string }): string =>
  `${namespace}/${own}`;

/** Unique conditions for each include: of includes with equal conditions, only the first is followed. */
function objectOf(of: Proxy): KubeObject {
  const parsed = parseObject({
    apiVersion: "projectcontour.io/v1",
    kind: "HTTPProxy",
    metadata: {
      name: of.name,
      namespace: of.namespace,
      creationTimestamp: `2026-01-0${of.age + 1}T00:00:00Z`,
    },
    spec: {
      ...(isRoot(of) ? { virtualhost: { fqdn: `${of.name}.${of.namespace}.test` } } : {}),
      includes: of.includes.map((to, i) => ({ ...to, conditions: [{ prefix: `/${i}` }] })),
      routes: Array.from({ length: of.routes }, (_, i) => ({
        conditions: [{ prefix: `/route${i}` }],
        directResponsePolicy: { statusCode: 200 },
      })),
    },
  });
  if (!("object" in parsed)) throw new Error(JSON.stringify(parsed));
  return parsed.object;
}

const settingsOf = (routes: number): KubeObject => parseSettings({ budgets: { routes } }).settings;

/** The objects over budget, computed by walking every path of every tree. */
function expectedOver(proxies: readonly Proxy[], budget: number): string[] {
  const byKey = new Map(proxies.map((one) => [keyOf(one), one]));
  const own = (of: Proxy): number => of.routes + of.includes.length;
  const followed = (of: Proxy): Proxy[] => of.includes.flatMap((to) => byKey.get(keyOf(to)) ?? []);
  const total = (of: Proxy, path: readonly Proxy[]): number =>
    followed(of)
      .filter((to) => !path.includes(to))
      .reduce((sum, to) => sum + total(to, [...path, to]), own(of));
  const reach = (of: Proxy, found: Set<Proxy>): Set<Proxy> => {
    for (const to of followed(of)) if (!found.has(to)) reach(to, found.add(to));
    return found;
  };
  const over: string[] = [];
  for (const namespace of namespaces) {
    const roots = proxies.filter((one) => isRoot(one) && one.namespace === namespace);
    roots.sort((a, b) => a.age - b.age || (a.name < b.name ? -1 : 1));
    const paid = new Set<Proxy>();
    let charged = 0;
    for (const root of roots) {
      const fresh = [...reach(root, new Set())].filter((one) => !paid.has(one));
      const cost = total(root, [root]) - own(root) - fresh.reduce((sum, one) => sum + own(one), 0);
      if (cost > 0 && charged + cost > budget) over.push(`HTTPProxy/${keyOf(root)}`);
      else {
        charged += cost;
        for (const one of fresh) paid.add(one);
      }
    }
  }
  return over.sort();
}

const overOf = (store: Store): string[] =>
  [...store.findings()]
    .filter(({ reason }) => reason === "OverBudget")
    .map(({ about }) => about)
    .sort();

type Edit = { readonly put: Proxy } | { readonly gone: number } | { readonly budget: number };
const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ put: proxy }) },
  { weight: 2, arbitrary: fc.record({ gone: fc.nat(20) }) },
  { weight: 1, arbitrary: fc.record({ budget: fc.nat(6) }) },
);

/** The objects and the budget after edits. */
class State {
  readonly proxies = new Map<Ref, Proxy>();
  budget = 3;

  /** The changes of an edit. */
  apply(one: Edit): Change[] {
    if ("budget" in one) {
      this.budget = one.budget;
      return [settingsOf(one.budget)];
    }
    if ("put" in one) {
      const object = objectOf(one.put);
      this.proxies.set(object.ref, one.put);
      return [object];
    }
    const gone = [...this.proxies.keys()][one.gone % Math.max(1, this.proxies.size)];
    if (gone === undefined) return [];
    this.proxies.delete(gone);
    return [{ gone }];
  }

  get objects(): KubeObject[] {
    return [settingsOf(this.budget), ...[...this.proxies.values()].map(objectOf)];
  }
}

const folder = mkdtempSync(join(tmpdir(), "isoline-budgets-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe("budgets of namespaces", () => {
  it("prefer older objects, independent of the order of objects", () => {
    const many = fc.uniqueArray(proxy, { selector: keyOf, minLength: 3, maxLength: 12 });
    fc.assert(
      fc.property(many, fc.nat(6), fc.infiniteStream(fc.nat()), (proxies, budget, numbers) => {
        const objects = [settingsOf(budget), ...proxies.map(objectOf)];
        const whole = compileAll(objects);
        expect(overOf(whole)).toEqual(expectedOver(proxies, budget));
        const ranks = new Map(objects.map((object) => [object, numbers.next().value ?? 0]));
        const shuffled = [...objects].sort((a, b) => (ranks.get(a) ?? 0) - (ranks.get(b) ?? 0));
        const store = createMemoryStore();
        for (const object of shuffled) update(store, [object], platform);
        expect(dump(store)).toBe(dump(whole));
      }),
      { numRuns: 200 },
    );
  });

  it("give after any edits the result of compiling the end state, also in batches", () => {
    const edits = fc.array(edit, { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(edits, fc.integer({ min: 1, max: 3 }), (all, maxUnits) => {
        const state = new State();
        const store = createMemoryStore();
        const batched = createMemoryStore();
        for (const start of [store, batched]) update(start, [settingsOf(state.budget)], platform);
        for (const one of all) {
          const changes = state.apply(one);
          update(store, changes, platform);
          update(batched, changes, { ...platform, maxUnits });
          expect(overOf(store)).toEqual(expectedOver([...state.proxies.values()], state.budget));
          expect(dump(store)).toBe(dump(compileAll(state.objects)));
        }
        while (unitsLeft(batched) > 0) resume(batched, { ...platform, maxUnits });
        expect(dump(batched)).toBe(dump(store));
      }),
      { numRuns: 150 },
    );
  });

  it.skipIf(!hasSqlite())(
    "are the same in a file that is closed and opened again, and after a rollback",
    () => {
      let files = 0;
      const step = fc.tuple(edit, fc.constantFrom("go on", "reopen", "throw"));
      fc.assert(
        fc.property(fc.array(step, { minLength: 1, maxLength: 12 }), (steps) => {
          const file = join(folder, `${++files}.sqlite`);
          const state = new State();
          let store = createSqliteStore(file);
          update(store, [settingsOf(state.budget)], platform);
          for (const [one, then] of steps) {
            if (then === "throw") {
              const undone = new Error("undone");
              const shared = { name: "c0", namespace: "one" };
              const changes = [
                objectOf({ ...shared, routes: 2, includes: [], age: 0 }),
                objectOf({ name: "r0", namespace: "one", routes: 0, includes: [shared, shared], age: 0 }),
              ];
              const work = (): void => {
                update(store, changes, platform);
                throw undone;
              };
              expect(() => store.transaction(work)).toThrow(undone);
            }
            update(store, state.apply(one), platform);
            if (then === "reopen") {
              store.close();
              store = createSqliteStore(file);
            }
            expect(dump(store)).toBe(dump(compileAll(state.objects)));
          }
          store.close();
        }),
        { numRuns: 30 },
      );
    },
  );
});
