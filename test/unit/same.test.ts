import { describe, expect, it } from "vitest";
import { isSame } from "../../src/schema/same.js";

describe("equality of JSON values", () => {
  const value = { a: [1, { b: "x" }], c: null };

  it("compares all fields and elements", () => {
    expect(isSame(value, structuredClone(value))).toBe(true);
    for (const other of [
      { a: [1, { b: "y" }], c: null },
      { a: [1, { b: "x" }, 2], c: null },
      { a: [1, { b: "x", d: 1 }], c: null },
      { a: [1, {}], c: null },
      { a: [1, { b: "x" }], c: {} },
      { a: [1, { b: "x" }] },
      [value],
      "x",
      undefined,
    ]) {
      expect(isSame(value, other)).toBe(false);
      expect(isSame(other, value)).toBe(false);
    }
  });

  it("treats an undefined field as absent, and ignores the order of fields", () => {
    expect(isSame({ a: 1, b: undefined }, { a: 1 })).toBe(true);
    expect(isSame({ a: 1 }, { b: undefined, a: 1 })).toBe(true);
    expect(isSame({ a: undefined }, { a: null })).toBe(false);
    expect(isSame({ a: 1, b: 2 }, { b: 2, a: 1 })).toBe(true);
  });

  it("distinguishes lists from objects, and own fields from inherited ones", () => {
    expect(isSame([], {})).toBe(false);
    expect(isSame({}, [])).toBe(false);
    expect(isSame({ toString: undefined }, {})).toBe(true);
    expect(isSame(JSON.parse('{"constructor": 1}'), {})).toBe(false);
    expect(isSame({}, JSON.parse('{"__proto__": {"a": 1}}'))).toBe(false);
  });

  it("takes time in proportion to the size, also for deep values", () => {
    const deep = (): unknown => {
      let made: unknown = {};
      for (let i = 0; i < 60; i++) made = { made, other: i };
      return made;
    };
    expect(isSame(deep(), deep())).toBe(true);
  });
});
