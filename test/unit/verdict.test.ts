import { describe, expect, it } from "vitest";
import { ago } from "../../src/verdict/ago.js";
import type { Overview } from "../../src/verdict/overview.js";
import { verdictLine, verdictOf } from "../../src/verdict/verdict.js";

const now = Date.UTC(2026, 0, 1, 21, 0, 0);
const well: Overview = {
  now,
  role: "read",
  ready: true,
  pending: 0,
  gateways: [],
  gatewayCount: 0,
  hosts: 1000,
  findings: { errors: 0, warnings: 0, objects: 0 },
  envoys: { total: 3, current: 3, behind: 0, refusing: 0, never: 0, away: 0, refusals: [] },
  notices: [],
};
const clock = { now, time: (at: number) => new Date(at).toISOString().slice(11, 16) };
const of = (changed: Partial<Overview>) => verdictOf({ ...well, ...changed }, clock);

describe("the verdict", () => {
  it("is one line", () => {
    const verdict = of({
      findings: { errors: 12, warnings: 3, objects: 9 },
      envoys: {
        ...well.envoys,
        current: 2,
        refusing: 1,
        refusals: [{ type: "listeners", since: now - 240_000, count: 1 }],
      },
      last: { number: 8, at: now - 40_000, source: "web", revision: 5, by: "ci" },
    });
    expect(verdictLine(verdict)).toBe(
      "Act now: 1,000 hosts · 12 errors in 9 objects · 3 Envoys: 2 current, 1 refuses listeners since 20:56 · last change 40 s ago by ci (web, revision 5)",
    );
  });

  it.each<[string, Partial<Overview>, string]>([
    ["all is well", {}, "good"],
    ["warnings alone", { findings: { errors: 0, warnings: 4, objects: 0 } }, "good"],
    ["an error", { findings: { errors: 1, warnings: 0, objects: 1 } }, "warning"],
    ["nothing published", { ready: false, hosts: 0 }, "bad"],
    [
      "an Envoy that refuses",
      { envoys: { ...well.envoys, refusals: [{ type: "clusters", since: now, count: 1 }] } },
      "bad",
    ],
    [
      "an Envoy that is behind for a moment",
      { envoys: { ...well.envoys, behind: 1, waitingSince: now - 5000 } },
      "good",
    ],
    [
      "an Envoy that is behind for long",
      { envoys: { ...well.envoys, behind: 1, waitingSince: now - 61_000 } },
      "warning",
    ],
    ["no Envoy", { envoys: { ...well.envoys, total: 0, current: 0 } }, "good"],
    ["what can't be sent", { notices: [{ level: "bad", text: "routes can't be sent" }] }, "bad"],
    ["a stale cluster", { notices: [{ level: "warning", text: "stale" }] }, "warning"],
  ])("with %s", (_, changed, level) => {
    expect(of(changed).level).toBe(level);
  });

  it.each([
    [0, "0 s ago"],
    [-5000, "0 s ago"],
    [59_999, "59 s ago"],
    [60_000, "1 min ago"],
    [7_200_000, "2 h ago"],
    [172_800_000, "2 d ago"],
  ])("tells %i ms as %s", (ms, text) => {
    expect(ago(now - ms, now)).toBe(text);
  });
});
