import { expect, it } from "vitest";
import { indexIn, isWithin, joinPaths, pathOf, pathText } from "../../src/schema/field-path.js";
import { fc } from "../support/fast-check.js";

const path = fc.array(
  fc.oneof(
    fc.nat(20),
    fc.constantFrom("spec", "a-b", "a.b/c", "[0]", '"', "\\q", ""),
    fc.string({ maxLength: 20 }),
  ),
  { maxLength: 5 },
);

it("a printed path is parsed to the same keys, for any keys", () => {
  fc.assert(
    fc.property(path, (keys) => {
      expect(pathOf(pathText(keys))).toEqual(keys);
    }),
  );
});

it("joined paths have the keys of both", () => {
  fc.assert(
    fc.property(path, path, (outer, inner) => {
      expect(joinPaths(pathText(outer), pathText(inner))).toBe(pathText([...outer, ...inner]));
    }),
  );
});

it("a field contains the fields inside it, and no field whose text has only the same beginning", () => {
  expect(isWithin("spec.rules[1].matches[0]", "spec.rules[1]")).toBe(true);
  expect(isWithin("spec.rules[1]", "spec.rules[1]")).toBe(true);
  expect(isWithin("spec.rules[10]", "spec.rules[1]")).toBe(false);
  expect(isWithin("spec.rulesets", "spec.rules")).toBe(false);
  expect(isWithin("anything", "")).toBe(true);
});

it("a list index is found only for the given list", () => {
  expect(indexIn("spec.listeners[12].tls", "spec.listeners")).toBe(12);
  expect(indexIn("spec.listeners", "spec.listeners")).toBeUndefined();
  expect(indexIn("spec.listenersets[1]", "spec.listeners")).toBeUndefined();
});
