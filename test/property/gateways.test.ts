import { expect, it } from "vitest";
import { link, xdsTypes } from "../../src/link/snapshot.js";
import type { Ref } from "../../src/schema/meta.js";
import type { KubeObject } from "../../src/schema/object.js";
import { settingsOf } from "../../src/schema/stored-settings.js";
import { statuses } from "../../src/status/status.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Store } from "../../src/store/store.js";
import { type Change, resume, unitsLeft, update } from "../../src/update.js";
import { compileAll, parseCase, platform } from "../support/compile.js";
import { fc } from "../support/fast-check.js";
import {
  gatewayBackground,
  gatewayManifest,
  gatewaySettingsEdit,
  ofClass,
} from "../support/gateway-edits.js";
import { KeptStatuses, unlinkedFindings } from "../support/kept-statuses.js";
import { textOf } from "../support/resource-set.js";

/** An edit: an object that is applied, an object that is removed (by its number among those present), or other settings. */
const edits = fc.array(
  fc.oneof(
    { weight: 6, arbitrary: fc.record({ put: gatewayManifest }) },
    { weight: 3, arbitrary: fc.record({ remove: fc.nat(40) }) },
    { weight: 1, arbitrary: fc.record({ settings: gatewaySettingsEdit }) },
  ),
  { minLength: 1, maxLength: 15 },
);

/** All that is served, by type and name. */
function served(store: Store): unknown {
  const { sets } = link(store, settingsOf(store));
  return xdsTypes.map((type) => [...sets[type].names()].map((name) => [name, textOf(sets[type], name)]));
}

it("any edits of Gateways of classes give the configuration and the statuses of a full pass, whole or in batches", () => {
  fc.assert(
    fc.property(edits, fc.constantFrom(1, 3, Number.POSITIVE_INFINITY), (all, maxUnits) => {
      const batched = { ...platform, maxUnits };
      const store = createMemoryStore();
      const kept = new KeptStatuses(store);
      const state = new Map<Ref, KubeObject>();
      const apply = (changes: readonly Change[]): void => {
        kept.take(update(store, changes, batched));
        while (unitsLeft(store) > 0) kept.take(resume(store, batched));
      };
      const put = (objects: readonly KubeObject[]): void => {
        for (const object of objects) state.set(object.ref, object);
        apply(objects);
      };
      put([...gatewayBackground, ...parseCase("", JSON.stringify(ofClass)).objects]);
      for (const one of all) {
        if ("put" in one) put(parseCase(JSON.stringify(one.put)).objects);
        else if ("settings" in one) put(parseCase("", JSON.stringify(one.settings)).objects);
        else {
          const removable = [...state.values()].filter(({ kind }) => kind !== "Settings");
          const gone = removable[one.remove % Math.max(1, removable.length)];
          if (!gone) continue;
          state.delete(gone.ref);
          apply([{ gone: gone.ref }]);
        }
        const whole = compileAll([...state.values()]);
        expect(served(store)).toEqual(served(whole));
        expect(unlinkedFindings(store)).toEqual([]);
        expect(kept.all).toEqual(statuses(whole, settingsOf(whole), 0, platform));
      }
    }),
    { numRuns: 300 },
  );
}, 300_000);
