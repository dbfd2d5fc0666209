import { readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { experiments, soaks } from "../chaos/experiments.js";
import { type Experiment, overruns } from "../chaos/support/experiment.js";
import { growthPercent } from "../chaos/support/memory.js";
import { randomOf, seedFrom } from "../chaos/support/random.js";
import { type Row, readRows } from "../chaos/support/report.js";
import { tableOf, withTable } from "../chaos/support/table.js";

const all = [...experiments, ...soaks(1, false)];

describe("the experiments", () => {
  it("have names of their own, and bounds for what they show as recovery", () => {
    expect(new Set(all.map(({ name }) => name)).size).toBe(all.length);
    for (const { name, limits, recovery } of all)
      if (recovery !== undefined) expect(Object.keys(limits), name).toContain(recovery);
  });

  it("have a short form that ends with the soaks", () => {
    const short = [...experiments, ...soaks(1, true)].filter(({ short }) => short).map(({ name }) => name);
    expect(short.slice(-3)).toEqual(["soak-edits", "soak-faults", "soak-replicas"]);
  });
});

describe("limits", () => {
  it("are over, under, not measured, or not in time", () => {
    expect(overruns({ a: 5, b: 5 }, { a: { max: 5 }, b: { min: 5 } })).toEqual([]);
    expect(overruns({ a: 6, b: 4, c: null }, { a: { max: 5 }, b: { min: 5 }, c: {}, d: {} })).toEqual([
      "a is 6, over 5",
      "b is 4, under 5",
      "c: not reached within the waiting time",
      "d was not measured",
    ]);
  });
});

describe("memory", () => {
  const samples = (mb: (i: number) => number): { at: number; mb: number }[] =>
    Array.from({ length: 300 }, (_, i) => ({ at: i * 1000, mb: mb(i) }));

  it("that grows while the server warms up, and then goes up and down, has no trend", () => {
    expect(Math.abs(growthPercent(samples((i) => Math.min(i, 90) + 100 + (i % 7) * 5)))).toBeLessThan(5);
  });

  it("that is leaked has one", () => {
    expect(growthPercent(samples((i) => 100 + i / 5 + (i % 7) * 5))).toBeGreaterThan(20);
  });
});

describe("a seed", () => {
  it("gives the same numbers again", () => {
    const [a, b] = [randomOf(7), randomOf(7)];
    expect(Array.from({ length: 5 }, a)).toEqual(Array.from({ length: 5 }, b));
    expect(randomOf(8)()).not.toBe(randomOf(7)());
  });

  it("is a whole number", () => {
    expect(seedFrom("12")).toBe(12);
    expect(() => seedFrom("x")).toThrow("--seed x: expected a whole number");
  });
});

const experiment: Experiment = {
  name: "one",
  what: "It fails",
  right: "It recovers",
  rig: { objects: [], asked: {} },
  run: async () => ({ edit_ms: 1 }),
  limits: { edit_ms: { max: 1 } },
  recovery: "edit_ms",
};
const row: Row = {
  name: "one",
  outcome: "passed",
  problems: [],
  requests: 12_345,
  failed: 0,
  failures: {},
  measures: { edit_ms: 1234 },
  apiRequests: 20,
  apiBusiestSecond: 10,
  seconds: 9,
  date: "2026-01-01",
  commit: "abc",
  node: "v20",
  envoy: "1.40.0",
  machine: "2 cores",
  seed: 1,
};

describe("the table", () => {
  it("has a line for each experiment with a row, and what was before", () => {
    const problems = ["replica 0 serves others", "edit_ms: not in time", "7 of 12345 requests failed: {}"];
    const before: Row = {
      ...row,
      outcome: "failed",
      failed: 7,
      problems,
      measures: { edit_ms: null },
      commit: "old",
    };
    const table = tableOf([experiment, { ...experiment, name: "never run" }], [row], [before]);
    expect(table).toContain(
      "| `one` | It fails | It recovers | passed | 12,345 | 0 | 1.2 s | 20 | 7 of 12,345 requests failed; edit_ms: not in time |",
    );
    expect(table).not.toContain("never run");
    expect(table).toContain(
      "Run: 2026-01-01, commit abc, Node v20, Envoy 1.40.0, 2 cores (1 experiment).\nBefore: 2026-01-01, commit old,",
    );
    expect(withTable(`a\n${table}\nb`, table)).toBe(`a\n${table}\nb`);
  });

  it("of the docs is what the results give", () => {
    const document = readFileSync("docs/reliability.md", "utf8");
    const [now, before] = ["now", "before"].map((name) => readRows(`test/chaos/results/${name}.json`));
    expect(withTable(document, tableOf(all, now ?? [], before ?? []))).toBe(document);
  });
});
