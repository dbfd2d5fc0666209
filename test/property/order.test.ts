import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, expect, it } from "vitest";
import { link, xdsTypes } from "../../src/link/snapshot.js";
import type { KubeObject } from "../../src/schema/object.js";
import { isSame } from "../../src/schema/same.js";
import { parseSettings } from "../../src/schema/settings.js";
import { settingsOf } from "../../src/schema/stored-settings.js";
import { statuses } from "../../src/status/status.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Resource, Store } from "../../src/store/store.js";
import { refresh, update } from "../../src/update.js";
import type { Manifest } from "../support/backend.js";
import { compileAll, dump, parseCase, platform } from "../support/compile.js";
import { edit, objectsOf, start } from "../support/edits.js";
import { fc } from "../support/fast-check.js";
import { gateway, gatewaySettings, onPort } from "../support/gateway.js";
import { gatewayBackground, gatewaySpecimens } from "../support/gateway-specimens.js";
import { mutate, random } from "../support/nasty.js";
import { forTenant } from "../support/poison.js";
import { poisons } from "../support/poison-catalogue.js";
import { textOf } from "../support/resource-set.js";
import { specimens } from "../support/specimens.js";

const now = Date.UTC(2030, 0, 1);

/** All results of a store, in their order: fragments, the served configuration, findings and statuses. */
function outputOf(store: Store): string {
  const settings = settingsOf(store);
  const { sets } = link(store, settings);
  const served = xdsTypes.map((type) =>
    [...sets[type].names()].map((name) => [name, sets[type].hash, textOf(sets[type], name)]),
  );
  const told = [...store.findings()];
  const verdicts = statuses(store, settings, now, platform).map((one) => JSON.stringify(one));
  return JSON.stringify([dump(store), served, told, verdicts.sort()]);
}

/** Resources that two units emit with different contents: the result would depend on the order of compilation. */
function clashesOf(store: Store): string[] {
  const seen = new Map<string, Resource>();
  const clashes: string[] = [];
  for (const { resources } of store.units())
    for (const resource of resources) {
      const key = [resource.type, resource.group, resource.name].join(" ");
      const other = seen.get(key) ?? resource;
      if (!isSame(other, resource)) clashes.push(key);
      seen.set(key, resource);
    }
  return clashes;
}

/** A shuffled copy (Fisher and Yates). */
function shuffled<T>(items: Iterable<T>, next: () => number): T[] {
  const all = [...items];
  for (let i = all.length - 1; i > 0; i--) {
    const j = Math.floor(next() * (i + 1));
    [all[i], all[j]] = [all[j] as T, all[i] as T];
  }
  return all;
}

/** Compiles all units again, in another order. */
function recompiled(store: Store, next: () => number): Store {
  const units = shuffled(store.units(), next);
  store.setCursor("compiler", "0");
  const inOrder = new Proxy(store, {
    get(target, method: keyof Store) {
      const found: unknown = target[method];
      if (method === "units") return () => units;
      return typeof found === "function" ? (found.bind(target) as unknown) : found;
    },
  });
  expect(refresh(inOrder, platform)).toBe(true);
  return store;
}

/** Checks that objects give the same result in any order, in one or several updates, and with any order of compilation. */
function checkOrders(objects: readonly KubeObject[], seed: number, times = 2): void {
  const next = random(seed);
  const whole = compileAll(objects);
  expect(clashesOf(whole)).toEqual([]);
  const want = outputOf(whole);
  for (let i = 0; i < times; i++) {
    expect(outputOf(compileAll(shuffled(objects, next)))).toBe(want);
    const store = createMemoryStore();
    for (const object of shuffled(objects, next)) update(store, [object], platform);
    expect(outputOf(store)).toBe(want);
    expect(outputOf(recompiled(store, next))).toBe(want);
  }
}

const golden = join(import.meta.dirname, "../golden");
const folders = (path: string): string[] =>
  readdirSync(path, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .map(({ name }) => name);
const cases = folders(golden).flatMap((feature) =>
  folders(join(golden, feature)).map((name) => `${feature}/${name}`),
);

const parsed = (manifests: readonly Manifest[], settings: Manifest = {}): readonly KubeObject[] => {
  const objects = parseCase(manifests.map((one) => JSON.stringify(one)).join("\n---\n")).objects;
  // Of two objects with the same name, the store has the last one.
  const byRef = new Map(objects.map((object) => [object.ref, object]));
  return [parseSettings(settings).settings, ...byRef.values()];
};

describe("the result does not depend on the order of objects and units", () => {
  it.each(cases)("for the golden case %s", (name) => {
    const read = (file: string): string | undefined => {
      const path = join(golden, name, file);
      return existsSync(path) ? readFileSync(path, "utf8") : undefined;
    };
    const { objects } = parseCase(read("objects.yaml") ?? "", read("settings.yaml"));
    const byRef = new Map(objects.map((object) => [object.ref, object]));
    checkOrders([...byRef.values()], fc.seed, fc.full ? 2 : 1);
  });

  it("for specimens and their mutations", () => {
    const next = random(fc.seed);
    const good = ["a", "b"].flatMap((id) => [...specimens(id), ...gatewaySpecimens(id)]);
    const background = [
      ...gatewayBackground,
      ...gateway(onPort(8080, "http", "HTTP"), onPort(9000, "tcp", "TCP")),
    ];
    checkOrders(parsed([...background, ...good], gatewaySettings), 2);
    for (let i = 0; i < fc.runs(40); i++) {
      const some = good.map((manifest) => (next() < 0.3 ? mutate(manifest, next) : manifest));
      checkOrders(parsed([...background, ...some], gatewaySettings), fc.seed + i, 1);
    }
  });

  it("for objects with which tenants could poison configuration", () => {
    for (let i = 0; i < poisons.length; i += 20) {
      const some = poisons.slice(i, i + 20).flatMap((poison, j) => forTenant(poison, String(j % 7)));
      checkOrders(parsed(some), i, 1);
    }
  });

  it("for any edits", () => {
    fc.assert(
      fc.property(start, fc.array(edit, { maxLength: 20 }), fc.nat(), (background, edits, seed) => {
        const all = [...background, ...edits.flatMap(objectsOf)];
        const objects = new Map(all.map((object) => [object.ref, object]));
        checkOrders([...objects.values()], seed, 1);
      }),
      { numRuns: 100 },
    );
  });
});
