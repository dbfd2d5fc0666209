import { describe, expect, it } from "vitest";
import { parse } from "yaml";
import { writeYaml } from "../../src/documents/write.js";
import { readConfig } from "../../src/explain/config.js";
import { explain } from "../../src/explain/explain.js";
import { hostNodes, servedHosts } from "../../src/explain/graph.js";
import { claimsOn, originsIn } from "../../src/explain/origins.js";
import { readRequest } from "../../src/explain/request.js";
import { link } from "../../src/link/snapshot.js";
import { withWholeTables } from "../../src/link/split.js";
import { type Observed, observe } from "../../src/route-tests/observed.js";
import { type Recordable, recordables, recordedTest } from "../../src/route-tests/record.js";
import { validate } from "../../src/route-tests/validate.js";
import type { KubeObject } from "../../src/schema/object.js";
import { parseRouteTests, type RequestText, type RouteTest } from "../../src/schema/route-tests.js";
import { defaultSettings } from "../../src/schema/settings.js";
import { compileAll, platform } from "../support/compile.js";
import { changesOf, edit, start } from "../support/edits.js";
import { fc } from "../support/fast-check.js";

interface Recorded {
  readonly all: readonly Recordable[];
  readonly text: string;
  /** The result of a request, and its route. */
  ask(request: RequestText): { readonly observed: Observed; readonly field: string | undefined };
}

function record(objects: readonly KubeObject[]): Recorded {
  const store = compileAll(objects);
  const own = objects.find((object) => object.kind === "Settings");
  const settings = own?.spec ?? defaultSettings;
  const snapshot = link(store, withWholeTables(settings));
  const config = readConfig(snapshot);
  const origins = originsIn(store, settings, platform);
  const ask: Recorded["ask"] = ({ method, url, headers }) => {
    const request = readRequest(method, url, headers);
    const found = explain(config, request, { origins, claimsOn: (host) => claimsOn(store, host) });
    const { origin } = found.route ?? {};
    return { observed: observe(found, request.query), field: origin && `${origin.ref} ${origin.field}` };
  };
  const all = recordables(hostNodes(servedHosts(snapshot), snapshot, origins, { requests: true }));
  const tests = all.flatMap(({ request }) => (request ? [recordedTest(request, ask(request).observed)] : []));
  return { all, text: writeYaml({ tests }), ask };
}

const testsIn = (text: string): readonly RouteTest[] => {
  const { tests, findings } = parseRouteTests(parse(text));
  expect(findings).toEqual([]);
  return tests;
};

const states = fc
  .record({ objects: start, edits: fc.array(edit, { minLength: 1, maxLength: 12 }) })
  .map(({ objects, edits }) => {
    const state = new Map(objects.map((object) => [object.ref, object]));
    for (const one of edits) changesOf(one, state);
    return [...state.values()];
  });

describe("recorded tests", () => {
  it("pass with the objects from which they were recorded, in any order of the objects", () => {
    fc.assert(
      fc.property(states, (objects) => {
        const recorded = record(objects);
        if (recorded.all.length === 0) return;
        const again = record(objects.toReversed());
        expect(again.text).toBe(recorded.text);
        for (const test of testsIn(recorded.text)) {
          const { observed } = recorded.ask(test.request);
          expect({ request: test.request, failures: validate(test, observed) }).toEqual({
            request: test.request,
            failures: [],
          });
          expect(validate({ expect: {}, not: test.expect }, observed).length).toBeGreaterThan(0);
        }
      }),
      { numRuns: 50 },
    );
  });

  it("have a request for each route that no earlier route shadows, and it gets to that route", () => {
    let [routes, known] = [0, 0];
    fc.assert(
      fc.property(states, (objects) => {
        const { all, ask } = record(objects);
        for (const { match, origin, request } of all) {
          if (match === undefined) continue;
          routes += 1;
          if (!request) continue;
          known += 1;
          expect(ask(request).field).toBe(`${origin?.ref} ${origin?.field}`);
        }
      }),
      { numRuns: 50 },
    );
    expect(known / routes).toBeGreaterThan(0.9);
  });
});
