import { RE2JS } from "re2js";
import { describe, expect, it, vi } from "vitest";
import { regexProblem, regexProgramSize } from "../../src/graph/matches/regex.js";
import { scanRegex } from "../../src/graph/matches/regex-program.js";
import { parseSettings } from "../../src/schema/settings.js";
import { fc } from "../support/fast-check.js";
import { regexes } from "../support/regexes.js";

const limit = parseSettings({}).settings.spec.budgets.regexProgramSize;

describe("a regular expression", () => {
  it.each(regexes.filter((one) => !one.includes("\\pL{10}")))("is accepted: %s", (expression) => {
    expect(regexProblem(expression, limit)).toBeUndefined();
  });

  it.each([
    ["long repetitions of classes", `/r${"\\pL{1000}".repeat(19)}`],
    ["a repetition of a long text", `(?:${"a".repeat(700)}){1000}`],
    ["many long repetitions", "a{1000}".repeat(3)],
    ["repetitions within each other", "((a{10}b){10}c){10}".repeat(2)],
    ["optional repetitions", "(?:ab?){0,999}"],
    ["classes that are repeated", "[acegikmoqsuwy]{200}"],
    ["many Unicode classes", "\\pL".repeat(30)],
    ["a Unicode class in many classes", "[\\pL]".repeat(30)],
  ])("with a program that is too large is refused: %s", (_, expression) => {
    expect(regexProblem(expression, limit)).toMatch(/instructions.*budgets\.regexProgramSize/);
  });

  it.each([["(?i)\\pL"], ["(?i)[\\p{Han}]"], ["(?s-m:a)(?i:b\\PL)"], ["a(?i)b|c\\p{L}"]])(
    "with a Unicode class and ignored case is refused: %s",
    (expression) => {
      expect(regexProblem(expression, limit)).toMatch(/ignored case/);
    },
  );

  it.each(["(?i:a)\\pL", "((?i)a)\\pL", "(?i)a(?-i)\\pL", "(?i)a(?-i:\\pL)b"])(
    "ignores case only where it says so: %s",
    (expression) => {
      expect(regexProblem(expression, limit)).toBeUndefined();
    },
  );

  it.each([
    ["/(", "missing closing ): `/(`"],
    ["a**", "invalid nested repetition operator: `**`"],
    ["*a", "missing argument to repetition operator: `*a`"],
    ["{2}", "missing argument to repetition operator"],
    ["a{1001}", "invalid repeat count: `{1001}`"],
    ["a{3,2}", "invalid repeat count"],
    ["(a{1000}", "missing closing )"],
    ["(a{100}){11}", "repeats a part more than 1000 times"],
    ["((a{2,}){20}){30}", "repeats a part more than 1000 times"],
    ["[z-a]", "invalid character class range: `z-a`"],
    ["[", "missing closing ]: `[`"],
    ["\\1", "invalid escape sequence: `\\1`"],
    ["\\p{Nobody}", "not a supported Unicode class"],
    ["\\p{Cn}", "not a supported Unicode class"],
    ["[\\P{^Cn}]", "not a supported Unicode class"],
    ["\\p{Lz}", "not a supported Unicode class"],
    ["\\x{100}", "more than a byte"],
    ["[\\777]", "more than a byte"],
    ["\\C", "not supported"],
    ["(?<x>a)(?<x>b)", "duplicate capture group name"],
    ["(?=a)", "unsupported Perl syntax"],
    ["a".repeat(4097), "longer than 4096 characters"],
  ])("that RE2 refuses is refused: %s", (expression, message) => {
    expect(regexProblem(expression, limit)).toContain(message);
  });

  it("has the size of its repeated parts", () => {
    const frame = regexProgramSize("a") - 1;
    expect(regexProgramSize("a{1000}") - frame).toBe(1000);
    expect(regexProgramSize("((a{10}){10}){10}") - frame).toBe(1000 + 2 * 100 + 2 * 10);
    expect(regexProgramSize("\\pL{1000}") - frame).toBe(100_000);
  });

  /** Each would take quadratic time in a scan that goes back. */
  const hostile = ["(?P<a", "[[:a", "\\p{", "\\Q", "{1", "(?i", "[", "(", "a{1,", "\\x{1", "(?i)[!-~]"];
  it.each(hostile)("is scanned in one pass: %s…", (part) => {
    const read = (length: number): number => {
      const exec = vi.spyOn(RegExp.prototype, "exec");
      scanRegex(part.repeat(length / part.length));
      const { length: calls } = exec.mock.calls;
      exec.mockRestore();
      return calls;
    };
    expect(read(4000)).toBeLessThan(4 * 4000);
  });

  it.each([
    ["/api/v1/items", ""],
    ["x{1000}y{900}z*?", ""],
    ["(a|b(c|d)){3}(?:é{100}){3}", ""],
    ["\\pL{7}\\d+", ""],
    ["(?i)z{500}", "(?s)"],
    ["^/[a-c]{9}/[a-c]$", "^[a-c]{2}$"],
    ["(?P<n>a)|b|c|(?P<m>a)", "(?P<n>)|(?P<m>)"],
    ["ab**c", "b**"],
    ["a|*b", "|*"],
    ["\\x41{3}", "\\x41{2}"],
    ["\\1\\.1(?i)", "\\1(?:)1(?s)"],
    ["\\x{4\\.}(?i)", "\\x{4(?:)}(?s)"],
    ["\\77\\.7(?i)", "\\77(?:)7(?s)"],
  ])("is compiled without the parts that are certainly valid: %s", (expression, skeleton) => {
    expect(scanRegex(expression)).toMatchObject({ skeleton });
  });

  it.each(["\\1\\.1(?i)", "\\x{4\\.}(?i)"])(
    "is refused where its parts are valid only without what is between: %s",
    (expression) => expect(regexProblem(expression, limit)).toBeDefined(),
  );

  it("is compiled once", () => {
    const compile = vi.spyOn(RE2JS, "compile");
    for (let i = 0; i < 3; i++) regexProblem("^x[yz]", limit);
    expect(compile).toHaveBeenCalledTimes(1);
    compile.mockRestore();
  });

  const parts = [
    ..."ab.*+?{}()[]|^$-\\,é",
    ...[
      "{2}",
      "{1,}",
      "{0}",
      "{1,3}",
      "{3,2}",
      "{1001}",
      "(?:",
      "(?i)",
      "(?i:",
      "(?s-i:",
      "(?P<n>",
      "(?<m>",
      "(?=",
      "(?",
    ],
    ...["[ab]", "[^a-c]", "[]a]", "[a-", "[[:alpha:]]", "[\\d-a]", "||", "()", "a*?"],
    ...["\\d", "\\.", "\\1", "\\x41", "\\x{41}", "\\x4", "\\b", "\\z", "\\Q", "\\E", "\\q", "\\012", "\\n"],
  ];
  it("is valid exactly if its skeleton is", () => {
    const compiles = (text: string): boolean => {
      try {
        RE2JS.compile(text);
        return true;
      } catch {
        return false;
      }
    };
    // In the encoding of RE2: a character for each byte.
    const bytes = (text: string): string => Buffer.from(text).toString("latin1");
    const expression = fc.array(fc.constantFrom(...parts), { maxLength: 9 }).map((all) => all.join(""));
    fc.assert(
      fc.property(expression, (text) => {
        const program = scanRegex(text);
        if (typeof program === "string") return;
        expect(compiles(program.skeleton), JSON.stringify([text, program.skeleton])).toBe(
          compiles(bytes(text)),
        );
      }),
      { numRuns: 20_000 },
    );
  });

  it("that is too large is not compiled", () => {
    const compile = vi.spyOn(RE2JS, "compile");
    for (let i = 0; i < 50; i++) regexProblem(`/y${i}${"\\pL{1000}".repeat(19)}`, limit);
    expect(compile).not.toHaveBeenCalled();
    compile.mockRestore();
  });

  it("gets the same result whatever was checked before and with which limit", () => {
    const asked = [...regexes, "/(", "(?i)\\pL", "a{1000}".repeat(3)];
    const answers = (limits: readonly number[], order: readonly string[]) =>
      new Map(order.map((one) => [one, limits.map((most) => regexProblem(one, most)).at(-1)]));
    const first = answers([limit], asked);
    const others = Array.from({ length: 20_000 }, (_, i) => `/other${i}`);
    for (const other of others) regexProblem(other, limit);
    const again = answers([100_000, 10, limit], asked.toReversed());
    for (const one of asked) expect(again.get(one), one).toBe(first.get(one));
  });
});
