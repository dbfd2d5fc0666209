import { expect, it } from "vitest";
import {
  costKey,
  delegationsKey,
  endpointsName,
  endpointsUnit,
  extensionUnit,
  grantsKey,
  hostUnit,
  isClaimedUnit,
  isNeededUnit,
  isObjectRead,
  isServingUnit,
  listenersUnit,
  listRead,
  neededList,
  neededUnit,
  needRead,
  type ReadKey,
  readUnit,
  routesKey,
  routeUnit,
  secretUnit,
  slicesKey,
  tcpUnit,
  tlsHostKey,
  type Unit,
  type UnitKey,
} from "../../src/graph/core/keys.js";
import { fc } from "../support/fast-check.js";

const name = fc.stringMatching(/^[a-z0-9][a-z0-9.:@*-]{0,9}$/);
const ofPort = fc.record(
  { namespace: name, service: name, port: name, healthPort: name },
  { requiredKeys: ["namespace", "service", "port"] },
);
const unit: fc.Arbitrary<readonly [UnitKey, Unit]> = fc.oneof(
  name.map((host) => [hostUnit(host), { kind: "vhost", host }] as const),
  fc
    .tuple(name, name)
    .map(([ns, own]) => [extensionUnit(ns, own), { kind: "extension", namespace: ns, name: own }] as const),
  fc
    .tuple(name, name)
    .map(
      ([ns, own]) =>
        [routeUnit(`HTTPRoute/${ns}/${own}`), { kind: "route", ref: `HTTPRoute/${ns}/${own}` }] as const,
    ),
  fc
    .tuple(name, name)
    .map(([ns, own]) => [secretUnit(`${ns}/${own}`), { kind: "secret", secret: `${ns}/${own}` }] as const),
  ofPort.map((of) => [endpointsUnit(endpointsName(of)), { kind: "endpoints", of }] as const),
  fc.constant([tcpUnit, { kind: "tcp" }] as const),
  fc.constant([listenersUnit, { kind: "listeners" }] as const),
);

it("the key of a unit is parsed to the same unit, for any names", () => {
  fc.assert(
    fc.property(unit, ([key, made]) => {
      expect(readUnit(key)).toEqual(made);
    }),
  );
});

it("different units have different keys, and a unit is a claimed one, a needed one or the listeners", () => {
  fc.assert(
    fc.property(unit, unit, ([one, ofOne], [other, ofOther]) => {
      expect(one === other).toBe(JSON.stringify(ofOne) === JSON.stringify(ofOther));
      expect([isClaimedUnit(one), isNeededUnit(one), one === listenersUnit].filter(Boolean)).toHaveLength(1);
      expect(isServingUnit(one)).toBe(ofOne.kind === "vhost" || ofOne.kind === "tcp");
    }),
  );
});

it("a read is an object, a list or a need", () => {
  const reads: readonly ReadKey[] = [
    "Service/need:x/claims:y",
    needRead(secretUnit("a/b")),
    listRead(slicesKey("a", "b")),
    listRead(grantsKey("a")),
    listRead(delegationsKey("a", "b")),
    listRead(hostUnit("a")),
    listRead(routesKey("*")),
    listRead(tlsHostKey("A")),
    listRead(costKey),
  ];
  expect(reads.filter(isObjectRead)).toEqual(["Service/need:x/claims:y"]);
  expect(reads.flatMap((read) => neededUnit(read) ?? [])).toEqual([secretUnit("a/b")]);
  expect(reads.flatMap((read) => neededList(read) ?? [])).toEqual([
    slicesKey("a", "b"),
    grantsKey("a"),
    delegationsKey("a", "b"),
  ]);
});

it("key types are not interchangeable, and text is not a key", () => {
  const units = (_: UnitKey): void => undefined;
  const reads = (_: ReadKey): void => undefined;
  // @ts-expect-error text is not a key
  units("vhost:a.test");
  // @ts-expect-error a list is not a unit
  units(grantsKey("a"));
  // @ts-expect-error a unit is not a read
  reads(routeUnit("HTTPRoute/a/b"));
  // @ts-expect-error a claim is not a read
  reads(slicesKey("a", "b"));
  // @ts-expect-error a claimed unit is not a needed unit
  needRead(hostUnit("a.test"));
  expect(() => readUnit("gone:a" as never)).toThrow("gone is not a unit");
});
