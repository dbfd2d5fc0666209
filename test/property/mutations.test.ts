import { describe, expect, it } from "vitest";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { createMemoryStore } from "../../src/store/memory.js";
import type { Store } from "../../src/store/store.js";
import { update } from "../../src/update.js";
import { type Manifest, service } from "../support/backend.js";
import { dump, platform, protoErrors, resourcesOf } from "../support/compile.js";
import { fc } from "../support/fast-check.js";
import { mutate, random } from "../support/nasty.js";
import { specimens } from "../support/specimens.js";

const parse = (manifest: Manifest): KubeObject[] => {
  const parsed = parseObject(manifest);
  return "object" in parsed ? [parsed.object] : [];
};

/** The text of all resources except the hosts, clusters and secrets of the specimens named `m`. */
const others = (store: Store): string =>
  JSON.stringify(
    resourcesOf(store).filter(
      ({ name, type }) => !/-m\b/.test(name) && type !== "endpoints" && type !== "cluster",
    ),
  );

describe("mutated objects", () => {
  it("never make the compiler throw, change no other object's configuration, and always give valid Envoy types", () => {
    const next = random(fc.seed);
    const store = createMemoryStore();
    const good = [service("default", "a"), service("default", "b"), ...specimens("good"), ...specimens("m")];
    update(store, good.flatMap(parse), platform);
    expect([...store.findings()].filter(({ severity }) => severity === "error")).toEqual([]);
    const [whole, rest] = [dump(store), others(store)];
    const victims = specimens("m");
    const mutations = fc.runs(20_000);
    let parsed = 0;
    for (let i = 0; i < mutations; i++) {
      const original = victims[i % victims.length] as Manifest;
      const mutated = mutate(original, next);
      const objects = parse(mutated);
      parsed += objects.length;
      update(store, objects, platform);
      const faults = [...store.findings()].filter(({ type }) => type === "InternalError");
      expect(faults, JSON.stringify(mutated)).toEqual([]);
      if (i % 50 === 0) expect(others(store), JSON.stringify(mutated)).toBe(rest);
      if (i % 200 === 0) expect(protoErrors(store), JSON.stringify(mutated)).toEqual([]);
      update(store, parse(original), platform);
    }
    expect(dump(store)).toBe(whole);
    expect(parsed).toBeGreaterThan(mutations * 0.15);
  });
});
