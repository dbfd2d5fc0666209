import { describe, expect, it } from "vitest";
import { readNow } from "../../src/documents/documents.js";
import { fc } from "../support/fast-check.js";

/** The column of the fault in a text of one line, and whether the text is only cut short. */
function faultOf(text: string): { column: number; isShort: boolean } | undefined {
  const [first] = readNow(text, "json");
  return first && "fault" in first
    ? { column: first.column, isShort: /ends too early/.test(first.fault) }
    : undefined;
}

describe("text that is no JSON", () => {
  it.each([
    ['{"a":1,}', 8],
    ['{"a" 1}', 6],
    ['{"a":nul}', 6],
    ['{"a":}', 6],
    ["[01]", 3],
    ["[1.]", 2],
    ["[-]", 2],
    ["[NaN]", 2],
    ["[1 2]", 4],
    ["{a:1}", 2],
    ["{'a':1}", 2],
    ["[1 /* x */]", 4],
    ['["\\x"]', 2],
    ['["\u0001"]', 2],
    ["[\u00a01]", 2],
  ])("has its fault where it breaks: %s", (text, column) => {
    expect(faultOf(text)).toEqual({ column, isShort: false });
  });

  it("ends too early where a list, a map or a text is not closed", () => {
    const cut = fc.tuple(fc.array(fc.json(), { minLength: 1 }), fc.constantFrom("[%", '{"a":%', '["%'));
    fc.assert(
      fc.property(cut, ([values, frame]) => {
        const inner = frame.endsWith('"%') ? "x" : `[${values.join()}]`;
        const text = frame.replace("%", () => inner);
        expect(faultOf(text)).toEqual({ column: text.length + 1, isShort: true });
      }),
      { numRuns: 100 },
    );
  });
});
