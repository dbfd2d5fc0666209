import { describe, expect, it } from "vitest";
import { agrees, areSame, merged, observedGeneration, partsOf } from "../../src/kubernetes/status-parts.js";

const now = "2030-01-01T00:00:00Z";
const before = "2020-01-01T00:00:00Z";
const condition = (type: string, status: string, more: object = {}) => ({ type, status, ...more });
const parent = (controllerName: string, status: string, more: object = {}) => ({
  controllerName,
  parentRef: { name: "edge" },
  conditions: [condition("Accepted", status, more)],
});

describe("what of a status is Isoline's", () => {
  it("of a route what its own controller says, whatever others do and whenever it was", () => {
    const wanted = { parents: [parent("ours", "True")] };
    const there = {
      parents: [parent("theirs", "False"), parent("ours", "True", { lastTransitionTime: now })],
    };
    expect(agrees(wanted, partsOf(there))).toBe(true);
    expect(agrees({ parents: [parent("ours", "False")] }, partsOf(there))).toBe(false);
    expect(agrees(wanted, partsOf({ parents: [parent("theirs", "True")] }))).toBe(false);
    expect(agrees(wanted, partsOf(undefined))).toBe(false);
  });

  it("of a Gateway all but addresses that nobody asks for", () => {
    const wanted = { conditions: [condition("Accepted", "True")], listeners: [{ name: "a" }] };
    expect(agrees(wanted, partsOf({ ...wanted, addresses: [{ value: "192.0.2.1" }] }))).toBe(true);
    expect(agrees(wanted, partsOf({ ...wanted, listeners: [{ name: "b" }] }))).toBe(false);
    expect(agrees({ ...wanted, addresses: [{ value: "192.0.2.1" }] }, partsOf(wanted))).toBe(false);
  });

  it("of an HTTPProxy the condition Valid, not those of others", () => {
    const wanted = { currentStatus: "valid", conditions: [condition("Valid", "True")] };
    const there = {
      currentStatus: "valid",
      conditions: [condition("Other", "True"), condition("Valid", "True")],
    };
    expect(agrees(wanted, partsOf(there))).toBe(true);
    expect(areSame(partsOf(wanted), partsOf(there))).toBe(true);
    expect(agrees({ ...wanted, currentStatus: "invalid" }, partsOf(there))).toBe(false);
  });
});

describe("a status as it is written", () => {
  it("keeps what other controllers say, and the time of a transition that there was not", () => {
    const there = {
      parents: [
        parent("theirs", "False"),
        parent("ours", "True", { lastTransitionTime: before }),
        { ...parent("ours", "True"), parentRef: { name: "gone" } },
      ],
    };
    const same = merged({ parents: [parent("ours", "True")] }, there, now);
    expect(same).toEqual({ parents: [there.parents[0], there.parents[1]] });
    const other = merged({ parents: [parent("ours", "False")] }, there, now);
    expect(other).toEqual({
      parents: [there.parents[0], parent("ours", "False", { lastTransitionTime: now })],
    });
  });

  it("has the times of listeners by their names", () => {
    const there = {
      listeners: [
        { name: "a", conditions: [condition("Programmed", "True", { lastTransitionTime: before })] },
        { name: "b", conditions: [condition("Programmed", "True", { lastTransitionTime: before })] },
      ],
    };
    const wanted = {
      listeners: [
        { name: "b", conditions: [condition("Programmed", "True")] },
        { name: "c", conditions: [condition("Programmed", "True")] },
      ],
    };
    expect(merged(wanted, there, now)).toEqual({
      listeners: [
        there.listeners[1],
        {
          ...wanted.listeners[1],
          conditions: [condition("Programmed", "True", { lastTransitionTime: now })],
        },
      ],
    });
  });

  it("tells its generation wherever its first condition is", () => {
    const seen = { observedGeneration: 4 };
    expect(observedGeneration({ conditions: [condition("Valid", "True", seen)] })).toBe(4);
    expect(observedGeneration({ parents: [parent("ours", "True", seen)] })).toBe(4);
    expect(observedGeneration({ loadBalancer: {} })).toBeUndefined();
  });
});
