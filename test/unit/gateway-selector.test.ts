import { describe, expect, it } from "vitest";
import { matchesSelector } from "../../src/graph/api/gateway/selector.js";
import type { LabelSelector } from "../../src/schema/gateway.js";
import { fc } from "../support/fast-check.js";

type Expression = LabelSelector["matchExpressions"][number];
type Labels = Readonly<Record<string, string>>;

const selector = (
  matchLabels: LabelSelector["matchLabels"],
  ...matchExpressions: Expression[]
): LabelSelector => ({ matchLabels, matchExpressions });
const expression = (operator: Expression["operator"], ...values: string[]): LabelSelector =>
  selector({}, { key: "team", operator, values });

describe("matchesSelector", () => {
  it.each<[string, Labels, LabelSelector, boolean]>([
    ["nothing is asked for", { team: "web" }, selector({}), false],
    ["nothing is asked for and nothing there", {}, selector({}), false],
    ["a label is as it should be", { team: "web", more: "" }, selector({ team: "web" }), true],
    ["a label is another", { team: "api" }, selector({ team: "web" }), false],
    ["a label is not there", {}, selector({ team: "web" }), false],
    ["a label is empty, as it should be", { team: "" }, selector({ team: "" }), true],
    ["an empty label is asked for that is not there", {}, selector({ team: "" }), false],
    [
      "one label of two is another",
      { team: "web", stage: "b" },
      selector({ team: "web", stage: "a" }),
      false,
    ],
    ["a value is among those", { team: "web" }, expression("In", "api", "web"), true],
    ["a value is not among those", { team: "db" }, expression("In", "api", "web"), false],
    ["a value should be among some and is not there", {}, expression("In", "api"), false],
    ["a value is none of those", { team: "db" }, expression("NotIn", "api", "web"), true],
    ["a value is one of those that it should not be", { team: "api" }, expression("NotIn", "api"), false],
    ["a value should be none of some and is not there", {}, expression("NotIn", "api"), true],
    ["a label should be there and is", { team: "" }, expression("Exists"), true],
    ["a label should be there and is not", { other: "" }, expression("Exists"), false],
    ["a label should not be there and is", { team: "" }, expression("DoesNotExist"), false],
    ["a label should not be there and is not", {}, expression("DoesNotExist"), true],
    [
      "labels and expressions hold",
      { team: "web", stage: "a" },
      selector({ stage: "a" }, { key: "team", operator: "Exists", values: [] }),
      true,
    ],
    [
      "one of the expressions does not hold",
      { team: "web", stage: "a" },
      selector({ stage: "a" }, { key: "team", operator: "In", values: ["api"] }),
      false,
    ],
  ])("when %s", (_, labels, asked, expected) => {
    expect(matchesSelector(labels, asked)).toBe(expected);
  });

  it("takes names that every object has for labels like others", () => {
    expect(matchesSelector({}, selector({}, { key: "constructor", operator: "Exists", values: [] }))).toBe(
      false,
    );
    expect(
      matchesSelector({}, selector({}, { key: "__proto__", operator: "DoesNotExist", values: [] })),
    ).toBe(true);
    expect(matchesSelector({ toString: "a" }, selector({ toString: "a" }))).toBe(true);
  });

  const key = fc.constantFrom("a", "b", "c");
  const value = fc.constantFrom("", "x", "y");
  const labels = fc.dictionary(key, value);
  const expressions = fc.array(
    fc.record({
      key,
      operator: fc.constantFrom("In", "NotIn", "Exists", "DoesNotExist"),
      values: fc.array(value, { minLength: 1, maxLength: 2 }),
    }),
    { maxLength: 3 },
  );

  it("asks for all requirements at once", () => {
    fc.assert(
      fc.property(labels, labels, expressions, (found, matchLabels, matchExpressions) => {
        const each = [
          ...Object.entries(matchLabels).map(([name, text]) => selector({ [name]: text })),
          ...matchExpressions.map((one) => selector({}, one)),
        ];
        expect(matchesSelector(found, { matchLabels, matchExpressions })).toBe(
          each.length > 0 && each.every((one) => matchesSelector(found, one)),
        );
      }),
    );
  });

  it("has operators of which one holds where its opposite does not", () => {
    fc.assert(
      fc.property(labels, key, fc.array(value, { minLength: 1, maxLength: 2 }), (found, name, values) => {
        const holds = (operator: Expression["operator"]): boolean =>
          matchesSelector(found, selector({}, { key: name, operator, values }));
        expect(holds("In")).toBe(!holds("NotIn"));
        expect(holds("Exists")).toBe(!holds("DoesNotExist"));
      }),
    );
  });
});
