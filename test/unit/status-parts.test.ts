import { describe, expect, it } from "vitest";
import type { ObjectStatus } from "../../src/status/status.js";
import { type Owner, withoutOwned } from "../../src/status/write/owned.js";
import {
  agrees as agreesWith,
  heldOf,
  isOlder,
  type KnownStatus,
  merged as mergedWith,
} from "../../src/status/write/parts.js";

const now = "2030-01-01T00:00:00Z";
const before = "2020-01-01T00:00:00Z";
const condition = (type: string, status: string, more: object = {}) => ({ type, status, ...more });
const parent = (controllerName: string, status: string, more: object = {}) => ({
  controllerName,
  parentRef: { name: "edge" },
  conditions: [condition("Accepted", status, more)],
});

const owner: Owner = {
  manager: "isoline",
  gateway: { namespace: "infra", name: "edge", controllerName: "ours" },
};
const raw = (status: unknown, more: object = {}) => ({ metadata: { namespace: "infra", ...more }, status });
const partsOf = (status: unknown): KnownStatus => heldOf(raw(status), owner);
const wanting = (status: object): ObjectStatus => ({
  ref: "HTTPRoute/infra/r",
  apiVersion: "v1",
  kind: "HTTPRoute",
  metadata: { namespace: "infra", name: "r" },
  status: status as ObjectStatus["status"],
});
const agrees = (wanted: object, there: KnownStatus): boolean => agreesWith(wanting(wanted), there);
const merged = (wanted: object, there: object, time: string): object =>
  mergedWith(wanting(wanted), raw(there), owner, time);

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
    expect(agrees({ ...wanted, currentStatus: "invalid" }, partsOf(there))).toBe(false);
  });
});

describe("a status as it is written", () => {
  it("keeps what other controllers say, and the time of a transition that there was not", () => {
    const there = {
      parents: [
        parent("theirs", "False"),
        parent("ours", "True", { lastTransitionTime: before }),
        { ...parent("ours", "True"), parentRef: { name: "edge", sectionName: "gone" } },
        // What another deployment says of its own Gateway.
        { ...parent("ours", "True"), parentRef: { name: "edge", namespace: "elsewhere" } },
      ],
    };
    const same = merged({ parents: [parent("ours", "True")] }, there, now);
    expect(same).toEqual({ parents: [there.parents[0], there.parents[3], there.parents[1]] });
    const other = merged({ parents: [parent("ours", "False")] }, there, now);
    expect(other).toEqual({
      parents: [there.parents[0], there.parents[3], parent("ours", "False", { lastTransitionTime: now })],
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

  it("is not written on an older generation than the API server has, wherever its first condition is", () => {
    const seen = { observedGeneration: 4 };
    const older = (status: object, generation: number): boolean =>
      isOlder(status as ObjectStatus["status"], raw({}, { generation }));
    for (const status of [
      { conditions: [condition("Valid", "True", seen)] },
      { parents: [parent("ours", "True", seen)] },
    ]) {
      expect(older(status, 5)).toBe(true);
      expect(older(status, 4)).toBe(false);
    }
    expect(older({ loadBalancer: {} }, 5)).toBe(false);
  });
});

describe("what is taken back of a status", () => {
  /** Managed fields as an API server keeps them. */
  const managedBy = (manager: string, fields: object) => ({
    manager,
    operation: "Update",
    subresource: "status",
    fieldsV1: { "f:status": fields },
  });
  const words = { "f:currentStatus": {}, "f:description": {} };
  const valid = { "f:conditions": { 'k:{"type":"Valid"}': { "f:status": {} } } };
  const proxy = {
    currentStatus: "valid",
    description: "Valid HTTPProxy",
    conditions: [condition("Valid", "True"), condition("Audited", "True")],
    loadBalancer: { ingress: [{ ip: "192.0.2.1" }] },
  };
  const left = (status: object, ...managedFields: readonly object[]) =>
    withoutOwned(raw(status, { managedFields }), "infra", owner);

  it("is what the own manager wrote, beside what others did", () => {
    const audited = { "f:conditions": { 'k:{"type":"Audited"}': {} } };
    expect(left(proxy, managedBy("isoline", { ...words, ...valid }), managedBy("auditor", audited))).toEqual({
      status: { currentStatus: null, description: null, conditions: [condition("Audited", "True")] },
    });
  });

  it("is all, where others have no part in it", () => {
    const { conditions, ...rest } = proxy;
    const own = { ...words, ...valid, "f:loadBalancer": { "f:ingress": {} } };
    expect(left({ ...rest, conditions: conditions.slice(0, 1) }, managedBy("isoline", own))).toEqual({
      status: null,
    });
  });

  it("is nothing of what somebody else has written, or changed since", () => {
    expect(left(proxy, managedBy("contour", { ...words, ...valid }))).toBeUndefined();
    expect(left(proxy, managedBy("isoline:other/isoline", { ...words, ...valid }))).toBeUndefined();
    const both = [managedBy("isoline", { ...words, ...valid }), managedBy("contour", { ...words, ...valid })];
    expect(left(proxy, ...both)).toBeUndefined();
    expect(left(proxy)).toBeUndefined();
    // One word of another: what it left as it was is its own by now.
    const own = managedBy("isoline", { ...valid, "f:currentStatus": {}, "f:loadBalancer": {} });
    expect(left(proxy, own, managedBy("contour", { "f:description": {} }))).toBeUndefined();
    const generation = { "f:conditions": { 'k:{"type":"Valid"}': { "f:observedGeneration": {} } } };
    expect(left(proxy, own, managedBy("contour", generation))).toBeUndefined();
  });

  it("is nothing of the API server's own words for a status that is not given yet", () => {
    const conditions = [condition("Accepted", "Unknown")];
    const own = managedBy("isoline", { "f:conditions": { 'k:{"type":"Accepted"}': {} } });
    expect(left({ conditions }, own)).toBeUndefined();
  });

  it("is of a route the entries about the own Gateway, of the own controller or where the list is the own", () => {
    const entries = [
      parent("ours", "True"),
      parent("theirs", "True"),
      { ...parent("ours", "True"), parentRef: { name: "edge", namespace: "elsewhere" } },
      { ...parent("ours", "True"), parentRef: { kind: "Service", group: "", name: "edge" } },
    ];
    expect(left({ parents: entries })).toEqual({ status: { parents: entries.slice(1) } });
    expect(left({ parents: entries.slice(0, 1) })).toEqual({ status: null });
    expect(left({ parents: entries.slice(0, 2) }, managedBy("isoline", { "f:parents": {} }))).toEqual({
      status: null,
    });
    expect(left({ parents: entries.slice(1) })).toBeUndefined();
    const ancestors = [{ controllerName: "ours", ancestorRef: { name: "edge" }, conditions: [] }];
    expect(left({ ancestors })).toEqual({ status: null });
  });
});
