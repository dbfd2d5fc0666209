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

  it("has in the mode auto a subscription for each Service, and beyond 200 only for those that change", () => {
    expect(requests("auto", 1, { services: 200 })).toBe(requests("eds", 1, { services: 200 }));
    expect(requests("auto", 1, { services: 5000 }) / requests("inline", 1)).toBeCloseTo((4 + 64) / 4, 3);
  });

  it("counts each request on both meters, and the duration of the objects", () => {
    const cost = (change = {}) => costs({ ...size, ...change }).find((one) => one.endpoints === "inline");
    // Within what the plan includes: 10 million requests of the Worker, 1 million of objects, 400,000 GB-s.
    expect(cost()).toMatchObject({ objects: 1, duration: 331_776, dollars: 5, fitsFree: true });
    const many = cost({ envoys: 1000 });
    const requests = (4 * 2_592_000 * 1000) / 25.15;
    const dollars = 5 + ((requests - 10e6) * 0.3 + (requests - 1e6) * 0.15) / 1e6;
    expect(many?.dollars).toBeCloseTo(dollars, 1);
    expect(many?.fitsFree).toBe(false);
  });

  it("needs more objects than one beyond the polls that one holds", () => {
    const [cost] = costs({ ...size, envoys: 5000 });
    expect(cost).toMatchObject({ objects: 3, duration: 3 * 331_776 });
    const below = costs({ ...size, envoys: 2000 })[0];
    expect(below?.objects).toBe(1);
  });

  it("prints what its document says", () => {
    const lines: string[] = [];
    const log = vi.spyOn(console, "log").mockImplementation((line) => void lines.push(String(line)));
    const none = { services: "0", certificates: "0", changes: "0" };
    costCommand({
      envoys: "10",
      ...none,
      refreshDelay: "0.1",
      hold: "25",
      platform: "cloudflare",
      format: "text",
    });
    log.mockRestore();
    expect(readFileSync(new URL("../../docs/cost.md", import.meta.url), "utf8")).toContain(lines.join("\n"));
  });
});
