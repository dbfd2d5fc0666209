import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, describe, expect, it, vi } from "vitest";
import { link, type Snapshot, type XdsType, xdsTypes } from "../../src/link/snapshot.js";
import type { Ref } from "../../src/schema/meta.js";
import type { KubeObject } from "../../src/schema/object.js";
import { settingsOf } from "../../src/schema/stored-settings.js";
import { Hub } from "../../src/server/hub.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { createSqliteStore, type SqliteStore } from "../../src/store/sqlite.js";
import type { Store } from "../../src/store/store.js";
import { resume, unitsLeft, update } from "../../src/update.js";
import { hostProxy, httpProxy } from "../support/backend.js";
import { compileAll, dump, parseCase, platform } from "../support/compile.js";
import { changesOf, type Edit, edit, objectsOf, start } from "../support/edits.js";
import { engineOf } from "../support/engine.js";
import { fc } from "../support/fast-check.js";
import { textOf } from "../support/resource-set.js";

const folder = mkdtempSync(join(tmpdir(), "isoline-update-"));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

let files = 0;
const open: SqliteStore[] = [];
const stores: Readonly<Record<string, { readonly runs: number; create(): Store }>> = {
  memory: { runs: 150, create: createMemoryStore },
  sqlite: {
    runs: 30,
    create() {
      for (const store of open.splice(0)) store.close();
      const store = createSqliteStore(join(folder, `${++files}.sqlite`));
      open.push(store);
      return store;
    },
  },
};
afterAll(() => {
  for (const store of open) store.close();
});

/** The served bytes of each type, by resource name. */
const bytesOf = ({ sets }: Pick<Snapshot, "sets">): ReadonlyMap<XdsType, string> =>
  new Map(
    xdsTypes.map((type) => {
      const entries = [...sets[type].names()].map((name) => [name, textOf(sets[type], name)]);
      return [type, JSON.stringify(entries)];
    }),
  );

interface Status {
  readonly types: Readonly<Record<XdsType, { readonly version: string }>>;
}

/** The served version of each type. */
const versionsOf = (hub: Hub): ReadonlyMap<XdsType, string> => {
  const { types } = hub.status() as Status;
  return new Map(xdsTypes.map((type) => [type, types[type].version]));
};

const edits = fc.array(edit, { minLength: 1, maxLength: 15 });
const stateOf = (objects: readonly KubeObject[]): Map<Ref, KubeObject> =>
  new Map(objects.map((object) => [object.ref, object]));

describe.each(Object.entries(stores))("publishing from a %s store", (_, { runs, create }) => {
  /** Applies edits, some units at a time, and publishes the result of each. */
  function checkEdits(objects: readonly KubeObject[], all: readonly Edit[], maxUnits: number): void {
    const batched = { ...platform, maxUnits };
    const store = create();
    let now = 1000;
    let due: (() => void) | undefined;
    const timers = {
      set: (run: () => void) => {
        due = run;
      },
      clear: () => {
        due = undefined;
      },
    };
    const hub = new Hub({ now: () => now, log: () => undefined, timers });
    const engine = engineOf(store, { outlet: hub, platform, now: () => now });
    const state = stateOf(objects);
    update(store, objects, platform);
    expect(engine.offer()).toBe(true);
    let before = engine.snapshot && bytesOf(engine.snapshot);
    for (const one of all) {
      const versions = versionsOf(hub);
      const { edited } = update(store, changesOf(one, state), batched);
      while (unitsLeft(store) > 0) {
        expect(engine.offer()).toBe(false);
        resume(store, batched);
      }
      const changed = engine.offer();
      const whole = compileAll([...state.values()]);
      const served = bytesOf(link(whole, settingsOf(whole)));
      const differing = xdsTypes.filter((type) => before?.get(type) !== served.get(type));
      expect(engine.snapshot && bytesOf(engine.snapshot)).toEqual(served);
      expect(changed).toBe(differing.length > 0);
      if (!edited) expect(differing).toEqual([]);
      // Without an Envoy, unused resources are served for some time.
      for (const ms of [100_000, 300_000]) {
        now += ms;
        due?.();
      }
      expect(xdsTypes.filter((type) => versionsOf(hub).get(type) !== versions.get(type))).toEqual(differing);
      before = served;
    }
    hub.close();
  }

  it("reports `changed` exactly when the served configuration differs, after any edits", () => {
    fc.assert(
      fc.property(start, edits, (objects, all) => checkEdits(objects, all, Number.POSITIVE_INFINITY)),
      { numRuns: runs },
    );
  });

  it("reports the same when units are compiled some at a time", () => {
    fc.assert(fc.property(start, edits, fc.integer({ min: 1, max: 4 }), checkEdits), {
      numRuns: Math.ceil(runs / 3),
    });
  });
});

it("publishes a swap of the names of two ports", () => {
  const objects = (first: string, second: string): readonly KubeObject[] => {
    const ports = [
      { name: first, port: 80 },
      { name: second, port: 81 },
    ];
    const endpointPorts = [
      { name: "old", port: 8080 },
      { name: "new", port: 8081 },
    ];
    const meta = { name: "a", namespace: "one" };
    return [
      { apiVersion: "v1", kind: "Service", metadata: meta, spec: { ports } },
      {
        apiVersion: "v1",
        kind: "Endpoints",
        metadata: meta,
        subsets: [{ addresses: [{ ip: "10.0.0.1" }], ports: endpointPorts }],
      },
      httpProxy("one", "a", {
        virtualhost: { fqdn: "x.test" },
        routes: [
          { services: [{ name: "a", port: 80 }] },
          { conditions: [{ prefix: "/admin" }], services: [{ name: "a", port: 81 }] },
        ],
      }),
    ].flatMap((manifest) => parseCase(JSON.stringify(manifest)).objects);
  };
  const store = createMemoryStore();
  const engine = engineOf(store, { outlet: new Hub({ now: () => 1, log: () => undefined }), now: () => 1 });
  const publishing = (first: string, second: string): boolean => {
    update(store, objects(first, second), platform);
    return engine.offer();
  };
  expect(publishing("old", "new")).toBe(true);
  expect(publishing("old", "new")).toBe(false);
  expect(publishing("new", "old")).toBe(true);
  expect(publishing("old", "new")).toBe(true);
});

it("publishes a change later when the store failed during the first publication", () => {
  const store = createMemoryStore();
  const engine = engineOf(store, { outlet: new Hub({ now: () => 1, log: () => undefined }), now: () => 1 });
  expect(engine.offer()).toBe(true);
  const [proxy] = parseCase(JSON.stringify(hostProxy("x.test", "a"))).objects;
  update(store, proxy ? [proxy] : [], platform);
  const failing = vi.spyOn(store, "setCursor").mockImplementation(() => {
    throw new Error("the disk is full");
  });
  expect(() => engine.offer()).toThrow("the disk is full");
  failing.mockRestore();
  expect(engine.offer()).toBe(true);
  expect(engine.offer()).toBe(false);
});

describe("update", () => {
  it("gives after any edits the result of compiling the end state", () => {
    fc.assert(
      fc.property(start, edits, (objects, all) => {
        const store = compileAll(objects);
        const state = stateOf(objects);
        for (const one of all) {
          update(store, changesOf(one, state), platform);
          expect(dump(store)).toBe(dump(compileAll([...state.values()])));
        }
      }),
      { numRuns: 150 },
    );
  });

  it("gives the same result in batches, with other changes between them", () => {
    const steps = fc.array(fc.tuple(edit, fc.nat(2)), { minLength: 1, maxLength: 15 });
    fc.assert(
      fc.property(start, steps, fc.integer({ min: 1, max: 3 }), (objects, all, maxUnits) => {
        const batched = { ...platform, maxUnits };
        const store = compileAll(objects);
        const whole = compileAll(objects);
        const state = stateOf(objects);
        for (const [one, resumes] of all) {
          const changes = changesOf(one, state);
          update(store, changes, batched);
          update(whole, changes, platform);
          for (let i = 0; i < resumes; i++) resume(store, batched);
        }
        let batches = 0;
        while (unitsLeft(store) > 0 && batches++ < 1000)
          expect(resume(store, batched).units).toBeLessThanOrEqual(maxUnits);
        expect(dump(store)).toBe(dump(whole));
      }),
      { numRuns: 150 },
    );
  });

  it("leaves no resources when every object is deleted", () => {
    fc.assert(
      fc.property(start, fc.array(edit, { maxLength: 15 }), (background, all) => {
        const objects = [...background, ...all.flatMap(objectsOf)];
        const store = compileAll(objects);
        update(
          store,
          [...new Set(objects.map(({ ref }) => ref))].map((gone) => ({ gone })),
          platform,
        );
        expect(dump(store)).toBe(dump(compileAll([])));
      }),
    );
  });

  it("makes valid edits that give every type of resource", () => {
    const found = new Set<XdsType>();
    const refused: unknown[] = [];
    fc.assert(
      fc.property(start, edits, (objects, all) => {
        refused.push(...all.filter((one) => "put" in one && objectsOf(one).length === 0));
        const store = compileAll([...objects, ...all.flatMap(objectsOf)]);
        const { sets } = link(store, settingsOf(store));
        for (const type of xdsTypes) if (sets[type].size > 0) found.add(type);
      }),
      { numRuns: 400 },
    );
    expect(refused).toEqual([]);
    expect([...found].sort()).toEqual([...xdsTypes].sort());
  });
});
