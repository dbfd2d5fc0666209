import { describe, expect, it } from "vitest";
import type { Poll } from "../../src/link/respond.js";
import { type Snapshot, type XdsType, xdsTypes } from "../../src/link/snapshot.js";
import { defaultPollTimes } from "../../src/schema/polls.js";
import { holdTime } from "../../src/server/hold-time.js";
import { Hub } from "../../src/server/hub.js";
import type { HubOptions } from "../../src/server/hub-options.js";
import type { Reply } from "../../src/server/reply.js";
import { clock } from "../support/clock.js";
import { setOf } from "../support/resource-set.js";

type Sets = Partial<Record<XdsType, Record<string, string>>>;

const snapshot = (sets: Sets, holdMs = defaultPollTimes.holdMs): Snapshot => ({
  sets: Object.fromEntries(xdsTypes.map((type) => [type, setOf(sets[type] ?? {})])) as Snapshot["sets"],
  mode: "inline",
  xdsCluster: "isoline",
  polls: { holdMs, timeoutMs: holdMs + 5000 },
  findings: [],
  tables: new Map(),
  split: new Set(),
  parts: new Set(),
});
const one: Sets = { clusters: { a: '{"name":"a"}' } };
const long = '{"name":"b","text":"LONG"}'.replace("LONG", "x".repeat(300_000));

function rig(options: Partial<HubOptions> = {}) {
  const time = clock();
  /** The lines about shortened holds. */
  const lines: string[] = [];
  const hub = new Hub({
    now: time.now,
    timers: time.timers,
    log: (line, event) => {
      if (event === "holds-shortened") lines.push(line);
    },
    random: () => 0,
    ...options,
  });
  const poll = (version: string, node = "envoy", token = "t", signal?: AbortSignal): Promise<Reply> => {
    const asked: Poll = { type: "clusters", token: { id: token, name: token }, node, names: [], version };
    return hub.poll(asked, holdTime("305000", hub.holdOf(token)), signal);
  };
  /** The version that Envoys have after their first poll. */
  const start = async (holdMs: number, sets = one): Promise<string> => {
    hub.publish(snapshot(sets, holdMs), 1);
    const first = await poll("");
    if (first.status === 200) first.sending?.end();
    return hub.publication.served("clusters")?.version ?? "";
  };
  /** Holds a poll, and has its client go away after `ms`. */
  const cut = async (version: string, ms: number, node = "envoy", token = "t"): Promise<void> => {
    const client = new AbortController();
    void poll(version, node, token, client.signal);
    await time.pass(ms);
    client.abort();
    await time.settle();
  };
  return { hub, time, lines, poll, start, cut };
}

describe("the hold of a poll", () => {
  it("is that of the settings, less than Envoy's timeout, and long ones end at different times", async () => {
    expect(holdTime("30000")).toBe(25_000);
    expect(holdTime("30000", 300_000)).toBe(28_000);
    expect(holdTime(undefined, 300_000)).toBe(0);
    let random = 0;
    const { hub, start } = rig({ random: () => random });
    await start(300_000);
    expect(hub.holdOf("t")).toBe(300_000);
    random = 0.999;
    expect(hub.holdOf("t")).toBeCloseTo(270_000, -3);
    hub.publish(snapshot(one, 25_000), 2);
    expect(hub.holdOf("t")).toBe(25_000);
  });

  it("keeps an Envoy among the active ones, however long it is", async () => {
    const { hub, time, poll, start } = rig();
    const version = await start(300_000);
    void poll(version);
    await time.pass(250_000);
    const nodes = hub.gauges().find(([name]) => name === "nodes");
    expect(nodes).toEqual(["nodes", 1]);
  });

  it("ends for all polls when the server closes", async () => {
    const { hub, time, poll, start } = rig();
    const version = await start(300_000);
    const replies = ["a", "b", "c"].map((node) => poll(version, node));
    await time.settle();
    hub.close();
    expect(await Promise.all(replies)).toEqual([{ status: 304 }, { status: 304 }, { status: 304 }]);
  });
});

describe("polls that are cut", () => {
  it("after a steady time are held for a shorter one, for their token alone, and for an hour", async () => {
    const { hub, time, lines, start, cut } = rig();
    const version = await start(120_000);
    for (let i = 0; i < 3; i++) await cut(version, 60_000 + i * 100);
    expect(hub.holdOf("t")).toBe(48_160);
    expect(hub.holdOf("other")).toBe(120_000);
    expect(lines).toEqual([expect.stringContaining("with the token t are cut after 60.2 s")]);
    expect(hub.polls.shortened).toMatchObject([{ token: "t", cutMs: 60_200, holdMs: 48_160 }]);
    await time.pass(3_600_000);
    expect(hub.holdOf("t")).toBe(120_000);
    expect(hub.polls.shortened).toEqual([]);
  });

  it("are also found where the proxy only asks again", async () => {
    const { hub, time, poll, start } = rig();
    const version = await start(120_000);
    for (let i = 0; i < 4; i++) {
      void poll(version);
      await time.pass(60_000);
    }
    expect(hub.holdOf("t")).toBe(48_000);
  });

  it.each([
    ["at different times", [60_000, 20_000, 90_000, 40_000, 60_000]],
    ["at once, as with two Envoys of one node id", [100, 100, 100, 100, 100]],
    ["twice", [60_000, 60_000]],
  ])("%s are held as before", async (_, times) => {
    const { hub, start, cut, lines } = rig();
    const version = await start(120_000);
    for (const ms of times) await cut(version, ms);
    expect(hub.holdOf("t")).toBe(120_000);
    expect(lines).toEqual([]);
  });

  it("by restarts of Envoy are held as before: it then has nothing", async () => {
    const { hub, start, cut, poll } = rig();
    const version = await start(120_000);
    for (let i = 0; i < 5; i++) {
      await cut(version, 60_000);
      await poll("");
    }
    expect(hub.holdOf("t")).toBe(120_000);
  });

  it("are held as before when one of them lives longer", async () => {
    const { hub, time, start, cut, poll } = rig();
    const version = await start(120_000);
    for (let i = 0; i < 5; i++) {
      await cut(version, 60_000);
      await cut(version, 60_000);
      void poll(version);
      await time.pass(120_000);
    }
    expect(hub.holdOf("t")).toBe(120_000);
  });
});

describe("clients that went away unnoticed", () => {
  it("are forgotten: they take no place of others", async () => {
    const time = clock();
    // As in a Worker that drops a request with its timers.
    const { hub, start, poll } = rig({
      timers: { set: () => 0, clear: () => undefined },
      maxHeld: 2,
      now: time.now,
    });
    const version = await start(25_000);
    void poll(version, "a");
    void poll(version, "b");
    expect(await poll(version, "c")).toEqual({ status: 429, of: "token" });
    await time.pass(30_000);
    void poll(version, "d");
    await time.settle();
    expect(hub.polls.held).toBe(1);
  });
});

describe("answers of one publication", () => {
  const many = 20;
  const body = async (reply: Reply): Promise<number> => {
    if (reply.status !== 200 || !reply.sending) throw new Error(`status ${reply.status}`);
    return (await new Response(reply.sending.stream(reply.body.chunks())).arrayBuffer()).byteLength;
  };

  /** Envoys with a version of another server get clusters after two seconds. */
  const foreignMs = 2000;

  it("are sent some at a time, in their order, and all of them", async () => {
    const { hub, time, poll, start } = rig({ outgoingBytes: 3 * 2 * 65_536 });
    const version = await start(300_000);
    const done: number[] = [];
    const replies = Array.from({ length: many }, async (_, i) => {
      const reply = await poll(version, `envoy-${i}`);
      done.push(i);
      return reply;
    });
    await time.settle();
    hub.publish(snapshot({ clusters: { ...one.clusters, b: long } }, 300_000), 2);
    await time.pass(foreignMs);
    expect(done).toEqual([0, 1, 2]);
    expect(hub.polls.queued).toBe(many - 3);
    for (const reply of replies) {
      expect(await body(await reply)).toBeGreaterThan(300_000);
      await time.settle();
      expect(done.length).toBeLessThanOrEqual(many);
    }
    expect(done).toEqual(Array.from({ length: many }, (_, i) => i));
    expect(hub.polls.queued).toBe(0);
  });

  it("have the newest content, not that from when they began to wait", async () => {
    const { hub, time, poll, start } = rig({ outgoingBytes: 1 });
    const version = await start(300_000);
    const replies = ["a", "b"].map((node) => poll(version, node));
    await time.settle();
    hub.publish(snapshot({ clusters: { b: long } }, 300_000), 2);
    const [first, second] = replies;
    await time.pass(foreignMs);
    const given = await first;
    hub.publish(snapshot({ clusters: { b: long, c: '{"name":"c"}' } }, 300_000), 3);
    const newest = hub.publication.served("clusters")?.version;
    if (given) await body(given);
    const after = await second;
    expect(after?.status === 200 && new TextDecoder().decode(after.body.whole)).toContain(newest);
  });

  it("wait no longer than for a client that takes nothing, and end before Envoy's timeout", async () => {
    const { hub, time, poll, start } = rig({ outgoingBytes: 1 });
    const version = await start(25_000);
    const replies = ["a", "b", "c"].map((node) => poll(version, node));
    await time.settle();
    hub.publish(snapshot({ clusters: { b: long } }), 2);
    await time.pass(foreignMs);
    expect(await replies[0]).toMatchObject({ status: 200 });
    await time.pass(5001);
    expect(await replies[1]).toMatchObject({ status: 200 });
    expect(hub.polls.queued).toBe(1);
    const gone = new AbortController();
    void poll(version, "d", "t", gone.signal);
    await time.pass(foreignMs);
    expect(hub.polls.queued).toBe(2);
    gone.abort();
    expect(hub.polls.queued).toBe(1);
    await time.pass(5001);
    expect(await replies[2]).toMatchObject({ status: 200 });
  });
});

describe("the number of polls a minute", () => {
  it("is that of the last minute", async () => {
    const { hub, time, start, poll } = rig();
    const version = await start(1000);
    for (let i = 0; i < 120; i++) {
      void poll(version);
      await time.pass(1000);
    }
    expect(hub.polls.perMinute).toBeGreaterThanOrEqual(55);
    expect(hub.polls.perMinute).toBeLessThanOrEqual(65);
    await time.pass(120_000);
    expect(hub.polls.perMinute).toBe(0);
  });
});
