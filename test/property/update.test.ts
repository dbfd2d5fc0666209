import fc from "fast-check";
import { describe, expect, it } from "vitest";
import type { Ref } from "../../src/schema/meta.js";
import type { KubeObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { resume, unitsLeft, update } from "../../src/update.js";
import { compileAll, dump, parseCase, platform } from "../support/compile.js";

const name = fc.constantFrom("a", "b", "c");
const namespace = fc.constantFrom("one", "two");
const host = fc.constantFrom("x.test", "y.test", "*.z.test");
const prefix = fc.constantFrom("/", "/api", "/api/v1");
const json = JSON.stringify;

const meta = fc.record({ name, namespace });
const services = fc.array(fc.record({ name, port: fc.constantFrom(80, 81) }), { minLength: 1, maxLength: 2 });

const proxy = fc.record({
  apiVersion: fc.constant("projectcontour.io/v1"),
  kind: fc.constant("HTTPProxy"),
  metadata: meta,
  spec: fc.record(
    {
      virtualhost: fc.record({ fqdn: host }),
      routes: fc.array(fc.record({ conditions: fc.tuple(fc.record({ prefix })), services }), {
        maxLength: 2,
      }),
      includes: fc.array(fc.record({ name, namespace, conditions: fc.tuple(fc.record({ prefix })) }), {
        maxLength: 2,
      }),
    },
    { requiredKeys: [] },
  ),
});

const ingressRoute = fc.record({
  apiVersion: fc.constant("contour.heptio.com/v1beta1"),
  kind: fc.constant("IngressRoute"),
  metadata: meta,
  spec: fc.record(
    {
      virtualhost: fc.record({ fqdn: fc.constantFrom("x.test", "y.test") }),
      routes: fc.array(
        fc.oneof(
          fc.record({ match: prefix, services }),
          fc.record({ match: prefix, delegate: fc.record({ name, namespace }) }),
        ),
        { maxLength: 3 },
      ),
    },
    { requiredKeys: [] },
  ),
});

const ingress = fc.record({
  apiVersion: fc.constant("networking.k8s.io/v1"),
  kind: fc.constant("Ingress"),
  metadata: meta,
  spec: fc.record({
    rules: fc.array(
      fc.record({
        host,
        http: fc.record({
          paths: fc.tuple(
            fc.record({
              path: prefix,
              pathType: fc.constantFrom("Prefix", "Exact"),
              backend: fc.record({
                service: fc.record({ name, port: fc.record({ number: fc.constant(80) }) }),
              }),
            }),
          ),
        }),
      }),
      { maxLength: 2 },
    ),
  }),
});

const service = fc.record({
  apiVersion: fc.constant("v1"),
  kind: fc.constant("Service"),
  metadata: meta,
  spec: fc.record({ ports: fc.constantFrom([{ port: 80 }], [{ port: 80 }, { name: "b", port: 81 }]) }),
});

const slice = fc.record({
  apiVersion: fc.constant("discovery.k8s.io/v1"),
  kind: fc.constant("EndpointSlice"),
  metadata: fc.record({ name, namespace, labels: fc.record({ "kubernetes.io/service-name": name }) }),
  addressType: fc.constant("IPv4"),
  ports: fc.constant([{ port: 8080 }]),
  endpoints: fc.array(fc.record({ addresses: fc.tuple(fc.constantFrom("10.0.0.1", "10.0.0.2")) }), {
    maxLength: 2,
  }),
});

const settings = fc.constantFrom<object>(
  {},
  { endpoints: "service" },
  { rootNamespaces: ["one"] },
  { disablePermitInsecure: true },
);

type Edit = { readonly put: object } | { readonly settings: object } | { readonly remove: number };

const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 8, arbitrary: fc.record({ put: fc.oneof(proxy, ingressRoute, ingress, service, slice) }) },
  { weight: 3, arbitrary: fc.record({ remove: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ settings }) },
);

const objectsOf = (one: Edit): readonly KubeObject[] => {
  if ("put" in one) return parseCase(json(one.put)).objects;
  return "settings" in one ? parseCase("", json(one.settings)).objects : [];
};

it("says that something changed when only a setting of linking did", () => {
  const store = createMemoryStore();
  const settings = (endpoints: string): KubeObject => parseSettings({ endpoints }).settings;
  update(store, [settings("eds")], platform);
  expect(update(store, [settings("inline")], platform).changed).toBe(true);
  expect(update(store, [settings("inline")], platform).changed).toBe(false);
});

describe("update", () => {
  it("gives after any edits what compiling the end state gives", () => {
    fc.assert(
      fc.property(fc.array(edit, { minLength: 1, maxLength: 25 }), (edits) => {
        const store = createMemoryStore();
        const state = new Map<Ref, KubeObject>();
        for (const one of edits) {
          if ("remove" in one) {
            const gone = [...state.keys()][one.remove % Math.max(1, state.size)];
            if (gone === undefined) continue;
            state.delete(gone);
            update(store, [{ gone }], platform);
          } else {
            const objects = objectsOf(one);
            for (const object of objects) state.set(object.ref, object);
            update(store, objects, platform);
          }
          expect(dump(store)).toBe(dump(compileAll([...state.values()])));
        }
      }),
      { numRuns: 300 },
    );
  });

  it("gives the same in batches, whatever else changes meanwhile", () => {
    const steps = fc.array(fc.tuple(edit, fc.nat(2)), { minLength: 1, maxLength: 25 });
    fc.assert(
      fc.property(steps, fc.integer({ min: 1, max: 3 }), (edits, maxUnits) => {
        const batched = { ...platform, maxUnits };
        const store = createMemoryStore();
        const whole = createMemoryStore();
        for (const [one, resumes] of edits) {
          const gone =
            "remove" in one ? [...store.objects()].map(({ ref }) => ref)[one.remove % 20] : undefined;
          const changes = "remove" in one ? (gone ? [{ gone }] : []) : objectsOf(one);
          update(store, changes, batched);
          update(whole, changes, platform);
          for (let i = 0; i < resumes; i++) resume(store, batched);
        }
        let batches = 0;
        while (unitsLeft(store) > 0 && batches++ < 1000)
          expect(resume(store, batched).units).toBeLessThanOrEqual(maxUnits);
        expect(dump(store)).toBe(dump(whole));
      }),
      { numRuns: 300 },
    );
  });

  it("leaves nothing behind when every object is gone", () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 15 }), (edits) => {
        const objects = edits.flatMap(objectsOf);
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
});
