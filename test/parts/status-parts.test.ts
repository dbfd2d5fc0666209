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

describe("Isoline's parts of a status", () => {
  it("are the entries of its own controller in a route, whatever others do and in any order", () => {
    const wanted = { parents: [parent("ours", "True")] };
    const there = {
      parents: [parent("theirs", "False"), parent("ours", "True", { lastTransitionTime: now })],
    };
    expect(agrees(wanted, partsOf(there))).toBe(true);
    expect(agrees({ parents: [parent("ours", "False")] }, partsOf(there))).toBe(false);
    expect(agrees(wanted, partsOf({ parents: [parent("theirs", "True")] }))).toBe(false);
    expect(agrees(wanted, partsOf(undefined))).toBe(false);
  });

  it("are all fields of a Gateway except unset addresses", () => {
    const wanted = { conditions: [condition("Accepted", "True")], listeners: [{ name: "a" }] };
    expect(agrees(wanted, partsOf({ ...wanted, addresses: [{ value: "192.0.2.1" }] }))).toBe(true);
    expect(agrees(wanted, partsOf({ ...wanted, listeners: [{ name: "b" }] }))).toBe(false);
    expect(agrees({ ...wanted, addresses: [{ value: "192.0.2.1" }] }, partsOf(wanted))).toBe(false);
  });

  it("are the condition Valid of an HTTPProxy, not those of others", () => {
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
  it("keeps the parts of other controllers, and the transition time of unchanged conditions", () => {
    const there = {
      parents: [
        parent("theirs", "False"),
        parent("ours", "True", { lastTransitionTime: before }),
        { ...parent("ours", "True"), parentRef: { name: "edge", sectionName: "gone" } },
        // The entry of another deployment about its own Gateway.
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

  it("keeps the times of listeners by their names", () => {
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

  it("is not written for an older generation than the API server has, wherever its first condition is", () => {
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

describe("the removal from a status", () => {
  /** Managed fields in the form of an API server. */
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

  it("covers the own manager's parts, beside those of others", () => {
    const audited = { "f:conditions": { 'k:{"type":"Audited"}': {} } };
    expect(left(proxy, managedBy("isoline", { ...words, ...valid }), managedBy("auditor", audited))).toEqual({
      status: { currentStatus: null, description: null, conditions: [condition("Audited", "True")] },
    });
  });

  it("covers everything if others have no part", () => {
    const { conditions, ...rest } = proxy;
    const own = { ...words, ...valid, "f:loadBalancer": { "f:ingress": {} } };
    expect(left({ ...rest, conditions: conditions.slice(0, 1) }, managedBy("isoline", own))).toEqual({
      status: null,
    });
  });

  it("excludes parts that another manager has written or changed since", () => {
    expect(left(proxy, managedBy("contour", { ...words, ...valid }))).toBeUndefined();
    expect(left(proxy, managedBy("isoline:other/isoline", { ...words, ...valid }))).toBeUndefined();
    const both = [managedBy("isoline", { ...words, ...valid }), managedBy("contour", { ...words, ...valid })];
    expect(left(proxy, ...both)).toBeUndefined();
    expect(left(proxy)).toBeUndefined();
    // One changed word of another manager: the parts that it left unchanged are now its own.
    const own = managedBy("isoline", { ...valid, "f:currentStatus": {}, "f:loadBalancer": {} });
    expect(left(proxy, own, managedBy("contour", { "f:description": {} }))).toBeUndefined();
    const generation = { "f:conditions": { 'k:{"type":"Valid"}': { "f:observedGeneration": {} } } };
    expect(left(proxy, own, managedBy("contour", generation))).toBeUndefined();
  });

  it("excludes the API server's defaults for an unset status", () => {
    const conditions = [condition("Accepted", "Unknown")];
    const own = managedBy("isoline", { "f:conditions": { 'k:{"type":"Accepted"}': {} } });
    expect(left({ conditions }, own)).toBeUndefined();
  });

  it("covers the entries of a route about the own Gateway, of the own controller or in an own list", () => {
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
