import { describe, expect, it } from "vitest";
import { clusterPlan } from "../../src/runtime/worker/cluster-env.js";
import { desiredStatus, statusRig } from "../support/status-rig.js";

const forever = new AbortController().signal;
const names = Array.from({ length: 10 }, (_, i) => `p${i}`);
const rigOf = (conflicts = 0) => {
  let left = conflicts;
  return statusRig(
    (method) => (method === "PATCH" && left-- > 0 ? 409 : 200),
    () => names.map((name) => desiredStatus(name, "HTTPProxy", name)),
    undefined,
    { inTurns: true },
  );
};

describe("statuses that are written in turns", () => {
  it("are written a limited number at a time, until all are", async () => {
    const { pass, writer, written } = rigOf();
    for (const [most, tried, total] of [
      [4, 4, 4],
      [4, 4, 8],
      [4, 2, 10],
      [4, 0, 10],
    ] as const) {
      const turn = writer.turn(most, forever);
      await pass(1000);
      expect([await turn, written().length]).toEqual([tried, total]);
    }
    expect(writer.pending).toBe(0);
  });

  it("include those that become due during the turn", async () => {
    const { pass, writer, poke, written } = rigOf();
    const turn = writer.turn(100, forever);
    await pass(100);
    poke();
    await pass(1000);
    expect([await turn, written().length, writer.pending]).toEqual([10, 10, 0]);
  });

  it("make the runtime start another turn when a pause after a failure is over", async () => {
    const { pass, writer, written, due } = rigOf(1);
    const first = writer.turn(100, forever);
    await pass(300);
    await first;
    expect([written().length, due]).toEqual([9, []]);
    await pass(1000);
    expect([due.length, writer.pending]).toEqual([1, 1]);
    const second = writer.turn(100, forever);
    await pass(1000);
    expect([await second, written().length]).toEqual([1, 10]);
  });

  it("are not written by an instance that may not", async () => {
    const { pass, writer, leads, writes } = rigOf();
    leads.value = false;
    const turn = writer.turn(100, forever);
    await pass(1000);
    expect([await turn, writes]).toEqual([0, []]);
  });
});

describe("the variables of a Worker that follows a cluster", () => {
  const planOf = (env: Parameters<typeof clusterPlan>[0]) => {
    const lines: string[] = [];
    return { plan: clusterPlan(env, (line) => lines.push(line)), lines };
  };

  it("have defaults, and write no statuses", () => {
    expect(planOf({})).toEqual({ plan: { pollSeconds: 60 }, lines: [] });
  });

  it("say what is written", () => {
    const env = { KUBE_WRITE_STATUS: "1", KUBE_ENVOY_SERVICE: "edge/lb", KUBE_STATUS_MANAGER: "isoline:two" };
    expect(planOf({ ...env, KUBE_STATUS_REQUESTS: "41", KUBE_POLL_SECONDS: "5" }).plan).toEqual({
      pollSeconds: 5,
      status: { envoyService: "edge/lb", manager: "isoline:two", perAlarm: 20 },
    });
  });

  it.each([
    [{ KUBE_POLL_SECONDS: "1" }, /^KUBE_POLL_SECONDS: expected a whole number of at least 2; 60 is used$/],
    [{ KUBE_POLL_SECONDS: "60s" }, /^KUBE_POLL_SECONDS: .*; 60 is used$/],
    [{ KUBE_WRITE_STATUS: "yes" }, /^KUBE_WRITE_STATUS: expected 1 or 0; 0 is used$/],
    [
      { KUBE_WRITE_STATUS: "1", KUBE_ENVOY_SERVICE: "envoy" },
      /^KUBE_ENVOY_SERVICE: .*; projectcontour\/envoy is used$/,
    ],
    [{ KUBE_WRITE_STATUS: "1", KUBE_STATUS_MANAGER: "a b" }, /^KUBE_STATUS_MANAGER: .*; isoline is used$/],
    [{ KUBE_WRITE_STATUS: "1", KUBE_STATUS_REQUESTS: "1" }, /^KUBE_STATUS_REQUESTS: .*; 400 is used$/],
  ])("have their default where they are wrong, with a line in the log: %j", (env, line) => {
    const { lines } = planOf(env);
    expect(lines).toHaveLength(1);
    expect(lines[0]).toMatch(line);
  });
});
