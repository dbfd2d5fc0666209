import { readFileSync } from "node:fs";
import { describe, expect, it, vi } from "vitest";
import { costCommand, costs } from "../../src/cli/cost.js";

const size = { envoys: 1, services: 100, certificates: 0, changes: 0, refreshDelay: 0.1, hold: 25 };
const requests = (mode: string, shards: number, change = {}): number =>
  costs({ ...size, ...change }).find((one) => one.endpoints === mode && one.routeShards === shards)
    ?.requestsPerMonth ?? Number.NaN;

describe("isoline cost", () => {
  it("counts a held poll for each subscription", () => {
    expect(requests("inline", 1)).toBe(Math.round((4 * 2_592_000) / 25.15));
    expect(requests("inline", 1, { services: 10_000 })).toBe(requests("inline", 1));
    expect(requests("eds", 1) / requests("inline", 1)).toBeCloseTo(26, 3);
    expect(requests("inline", 1, { envoys: 7 }) / requests("inline", 1)).toBeCloseTo(7, 3);
  });

  it("adds what changes wake, and nothing where polls are not held", () => {
    expect(requests("inline", 1, { changes: 10 }) - requests("inline", 1)).toBe(900);
    expect(requests("inline", 1, { hold: 0, refreshDelay: 30, changes: 10 })).toBe((4 * 2_592_000) / 45);
  });

  it("prints what its document says", () => {
    const lines: string[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((line) => void lines.push(String(line)));
    const none = { services: "0", certificates: "0", changes: "0" };
    costCommand({ envoys: "10", ...none, refreshDelay: "0.1", hold: "25", format: "text" });
    log.mockRestore();
    expect(readFileSync(new URL("../../docs/cost.md", import.meta.url), "utf8")).toContain(lines.join("\n"));
  });
});
