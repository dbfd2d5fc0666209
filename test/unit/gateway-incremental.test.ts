import { describe, expect, it } from "vitest";
import type { Ref } from "../../src/schema/meta.js";
import type { KubeObject } from "../../src/schema/object.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { type Change, resume, unitsLeft, update } from "../../src/update.js";
import { compileAll, dump, parseCase, platform, protoErrors } from "../support/compile.js";
import { put, take } from "../support/edits.js";
import { fc } from "../support/fast-check.js";
import { gatewayBackground, gatewayManifest, gatewaySettingsEdit } from "../support/gateway-edits.js";

type Edit =
  | { readonly put: object }
  | { readonly again: number }
  | { readonly settings: object }
  | { readonly remove: number };

const edit: fc.Arbitrary<Edit> = fc.oneof(
  { weight: 6, arbitrary: fc.record({ put: gatewayManifest }) },
  { weight: 5, arbitrary: fc.record({ again: fc.nat(50) }) },
  { weight: 3, arbitrary: fc.record({ remove: fc.nat(50) }) },
  { weight: 1, arbitrary: fc.record({ settings: gatewaySettingsEdit }) },
);

const yaml = JSON.stringify;

const objectsOf = (one: Edit): readonly KubeObject[] => {
  if ("put" in one) return parseCase(yaml(one.put)).objects;
  if ("again" in one) return gatewayBackground.slice(one.again % gatewayBackground.length).slice(0, 1);
  return "settings" in one ? parseCase("", yaml(one.settings)).objects : [];
};

const changesOf = (one: Edit, state: Map<Ref, KubeObject>): readonly Change[] =>
  "remove" in one ? take(one.remove, state) : put(objectsOf(one), state);

/** Without some of them, which edits may bring. */
const start = fc.subarray([...gatewayBackground], { minLength: gatewayBackground.length - 4 });
const stateOf = (objects: readonly KubeObject[]): Map<Ref, KubeObject> =>
  new Map(objects.map((one) => [one.ref, one]));

describe("edits of the objects of a Gateway", () => {
  it("are all read: nothing that the test makes is refused", () => {
    fc.assert(
      fc.property(gatewayManifest, (one) => {
        expect(parseCase(yaml(one)).findings).toEqual([]);
      }),
    );
  });

  it("come to what compiling the end state comes to", () => {
    fc.assert(
      fc.property(start, fc.array(edit, { minLength: 1, maxLength: 20 }), (objects, edits) => {
        const state = stateOf(objects);
        const store = compileAll(objects);
        for (const one of edits) {
          update(store, changesOf(one, state), platform);
          expect(dump(store)).toBe(dump(compileAll([...state.values()])));
        }
      }),
      { numRuns: 250 },
    );
  });

  it("come to messages that Envoy takes, without a fault of the compiler", () => {
    fc.assert(
      fc.property(start, fc.array(edit, { maxLength: 20 }), (objects, edits) => {
        const store = compileAll([...objects, ...edits.flatMap(objectsOf)]);
        expect([...store.findings()].filter(({ reason }) => reason === "CompilerFault")).toEqual([]);
        expect(protoErrors(store)).toEqual([]);
      }),
    );
  });

  it("come to the same in batches", () => {
    const steps = fc.array(fc.tuple(edit, fc.nat(2)), { minLength: 1, maxLength: 20 });
    fc.assert(
      fc.property(start, steps, fc.integer({ min: 1, max: 3 }), (objects, edits, maxUnits) => {
        const batched = { ...platform, maxUnits };
        const state = stateOf(objects);
        const store = createMemoryStore();
        update(store, objects, batched);
        for (const [one, resumes] of edits) {
          update(store, changesOf(one, state), batched);
          for (let i = 0; i < resumes; i++) resume(store, batched);
        }
        let batches = 0;
        while (unitsLeft(store) > 0 && batches++ < 1000) resume(store, batched);
        expect(dump(store)).toBe(dump(compileAll([...state.values()])));
      }),
      { numRuns: 150 },
    );
  });

  it("leave nothing behind when every object is gone", () => {
    fc.assert(
      fc.property(fc.array(edit, { maxLength: 15 }), (edits) => {
        const objects = [...gatewayBackground, ...edits.flatMap(objectsOf)];
        const store = compileAll(objects);
        const gone = [...stateOf(objects).keys()].map((ref) => ({ gone: ref }));
        update(store, gone, platform);
        expect(dump(store)).toBe(dump(compileAll([])));
      }),
    );
  });
});
