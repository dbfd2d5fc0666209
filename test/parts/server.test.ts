import { type ClientRequest, request as httpRequest, type IncomingMessage } from "node:http";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { serve } from "@hono/node-server";
import { describe, expect, it, onTestFinished, vi } from "vitest";
import { Body, type Bytes } from "../../src/link/body.js";
import type { Poll } from "../../src/link/respond.js";
import { type Snapshot, type XdsType, xdsTypes } from "../../src/link/snapshot.js";
import { defaultPollTimes } from "../../src/schema/polls.js";
import { type AppOptions, createApp } from "../../src/server/app.js";
import { everyone } from "../../src/server/auth.js";
import { Hub } from "../../src/server/hub.js";
import type { HubOptions } from "../../src/server/hub-options.js";
import type { Reply } from "../../src/server/reply.js";
import { configSource } from "../../src/xds/config-source.js";
import { textOfBody } from "../support/body.js";
import { clock } from "../support/clock.js";
import { setOf } from "../support/resource-set.js";

type Sets = Partial<Record<XdsType, Readonly<Record<string, string>>>>;

const snapshot = (sets: Sets): Snapshot => ({
  sets: Object.fromEntries(
    xdsTypes.map((type) => [type, setOf(sets[type] ?? {})]),
  ) as unknown as Snapshot["sets"],
  mode: "inline",
  xdsCluster: "isoline",
  polls: defaultPollTimes,
  findings: [],
  tables: new Map(),
  split: new Set(),
  parts: new Set(),
});
const base: Sets = { clusters: { a: '{"name":"a"}' }, listeners: { l: '{"name":"l"}' } };
const changed = (n: number): Sets => ({ ...base, listeners: { l: `{"name":"l","n":${n}}` } });

const versionOf = (reply: Reply): string =>
  reply.status === 200 ? (JSON.parse(textOfBody(reply.body)) as { version_info: string }).version_info : "";

const token = { id: "", name: "" };

function rig(options: Partial<HubOptions> = {}) {
  const time = clock();
  const lines: string[] = [];
  const hub = new Hub({
    now: time.now,
    timers: time.timers,
    log: (line) => lines.push(line),
    ...options,
  });
  const poll = (
    version: string,
    holdMs = 0,
    rest: Partial<Poll> & { readonly xdsCluster?: string } = {},
    signal?: AbortSignal,
  ): Promise<Reply> =>
    hub.poll({ type: "listeners", token, node: "envoy", names: [], version, ...rest }, holdMs, signal);
  const waiting = (): number => (hub.status() as { waiting: number }).waiting;
  return { hub, time, lines, poll, waiting };
}

describe("a poll that is held for a name which is not served yet", () => {
  const before: Sets = { ...base, routes: { r: '{"name":"r"}' } };
  const after: Sets = {
    ...before,
    clusters: { ...base.clusters, b: '{"name":"b"}' },
    endpoints: { e: '{"cluster_name":"e"}' },
    routes: { r: '{"name":"r","n":1}' },
  };

  it("counts as what Envoy has once the name is served, so that routes do not wait for its end", async () => {
    const { hub, time, poll } = rig();
    hub.publish(snapshot(before), 1);
    const routes = versionOf(await poll("", 0, { type: "routes", names: ["r"] }));
    // Given by another server, of the content that is served here later.
    const hash = snapshot(after).sets.endpoints.hash;
    void poll(`1-${hash}`, 25_000, { type: "endpoints", names: ["e"] });
    await time.settle();
    hub.publish(snapshot(after), 2);
    const clusters = versionOf(await poll("", 0, { type: "clusters" }));
    const given = poll(routes, 25_000, { type: "routes", names: ["r"] });
    await time.settle();
    void poll(clusters, 25_000, { type: "clusters" });
    await time.settle();
    expect(await Promise.race([given, "held"])).toMatchObject({ status: 200 });
  });
});

describe("names of the xDS cluster", () => {
  const listeners: Sets = {
    ...base,
    listeners: { l: JSON.stringify({ name: "l", source: configSource() }) },
  };
  const named = async (reply: Promise<Reply>): Promise<string | undefined> => {
    const answer = await reply;
    if (answer.status !== 200) return undefined;
    return /"cluster_names":\["([^"]*)"\]/.exec(textOfBody(answer.body))?.[1];
  };

  it("are each Envoy's own, and else the setting's", async () => {
    const { hub, poll } = rig();
    hub.publish({ ...snapshot(listeners), xdsCluster: "of.settings" }, 1);
    expect(await named(poll("", 0, { node: "a", xdsCluster: "a.test" }))).toBe("a.test");
    expect(await named(poll("", 0, { node: "b", xdsCluster: "b.test" }))).toBe("b.test");
    expect(await named(poll("", 0, { node: "c" }))).toBe("of.settings");
    expect(await named(poll("", 0, { node: "a", xdsCluster: "a.test" }))).toBe("a.test");
  });

  it("are four at a time: a fifth is refused with one line of log, until one was not seen for an hour", async () => {
    const { hub, poll, lines, time } = rig();
    hub.publish(snapshot(listeners), 1);
    for (const name of ["a", "b", "c", "d"])
      expect(await named(poll("", 0, { node: name, xdsCluster: name }))).toBe(name);
    for (let i = 0; i < 3; i++)
      expect(await poll("", 0, { node: "e", xdsCluster: "e" })).toMatchObject({
        status: 503,
        reason: expect.stringContaining("a, b, c, d"),
      });
    expect(lines.filter((line) => line.includes('"e"'))).toHaveLength(1);
    await time.pass(50 * 60_000);
    for (const name of ["a", "b", "c"]) await poll("", 0, { node: name, xdsCluster: name });
    await time.pass(11 * 60_000);
    expect(await named(poll("", 0, { node: "e", xdsCluster: "e" }))).toBe("e");
    expect(await named(poll("", 0, { node: "d", xdsCluster: "d" }))).toBeUndefined();
  });
});

describe("held polls", () => {
  it("end with 304 after their time, and leave nothing behind", async () => {
    const { hub, time, poll, waiting } = rig();
    hub.publish(snapshot(base), 1);
    const held = poll(versionOf(await poll("")), 25_000);
    await time.pass(24_999);
    expect(waiting()).toBe(1);
    await time.pass(1);
    expect(await held).toEqual({ status: 304 });
    expect([waiting(), time.pending()]).toEqual([0, 0]);
  });

  it("end with 503 where there is nothing to serve, and with content when it comes", async () => {
    const { hub, time, poll } = rig();
    const early = poll("", 1000);
    await time.pass(1000);
    expect(await early).toMatchObject({ status: 503 });
    const held = poll("", 20_000);
    await time.pass(10);
    hub.publish(snapshot(base), 1);
    expect(await held).toMatchObject({ status: 200 });
  });

  it("are answered as if their time were over when they are released", async () => {
    const { hub, time, poll, waiting } = rig();
    const early = poll("", 20_000);
    await time.settle();
    hub.release();
    expect(await early).toMatchObject({ status: 503 });
    hub.publish(snapshot(base), 1);
    const held = poll(versionOf(await poll("")), 20_000);
    await time.settle();
    hub.release();
    expect(await held).toEqual({ status: 304 });
    expect([waiting(), time.pending()]).toEqual([0, 0]);
  });

  it("of a replica that steps aside are answered over ten seconds, those of an Envoy together, and say so", async () => {
    const randoms = [0.5, 0.1];
    const { hub, time, poll, waiting } = rig({ random: () => randoms.shift() ?? 0 });
    hub.publish(snapshot(base), 1);
    const version = versionOf(await poll(""));
    const clusters = versionOf(await poll("", 0, { type: "clusters" }));
    const polls = [
      poll(version, 25_000),
      poll(clusters, 25_000, { type: "clusters" }),
      poll(version, 25_000, { node: "other" }),
    ];
    await time.settle();
    hub.stepAside(true);
    await time.pass(1000);
    expect(waiting()).toBe(2);
    await time.pass(3999);
    expect(waiting()).toBe(2);
    await time.pass(1);
    expect(await Promise.all(polls)).toEqual(Array(3).fill({ status: 304, leaves: true }));
    // What comes all the same is served, and waits for a short time alone.
    expect(await poll("")).toMatchObject({ status: 200, leaves: true });
    const late = poll(version, 25_000);
    await time.pass(1000);
    expect(await late).toEqual({ status: 304, leaves: true });
    hub.stepAside(false);
    const back = poll(version, 25_000);
    await time.pass(25_000);
    expect(await back).toEqual({ status: 304 });
    expect([waiting(), time.pending()]).toEqual([0, 0]);
  });

  it("give way to a newer poll of the same subscription, and to no other", async () => {
    const { hub, time, poll, waiting } = rig();
    hub.publish(snapshot(base), 1);
    const version = versionOf(await poll(""));
    const first = poll(version, 20_000);
    const other = poll(version, 20_000, { node: "other" });
    await time.settle();
    const second = poll(version, 20_000);
    expect(await first).toEqual({ status: 304 });
    expect(waiting()).toBe(2);
    hub.publish(snapshot(changed(1)), 2);
    expect([await second, await other]).toMatchObject([{ status: 200 }, { status: 200 }]);
  });

  it("count nothing as delivered when the client went away", async () => {
    const { hub, time, poll, waiting } = rig();
    hub.publish(snapshot(base), 1);
    const version = versionOf(await poll(""));
    const client = new AbortController();
    const held = poll(version, 20_000, {}, client.signal);
    await time.settle();
    client.abort();
    expect(await held).toMatchObject({ status: 503 });
    expect([waiting(), time.pending()]).toEqual([0, 0]);
    hub.publish(snapshot(changed(1)), 2);
    expect(await poll(version)).toMatchObject({ status: 200 });
  });

  it("are as many for one token as it may have, and the others' are still held", async () => {
    const { hub, time, waiting } = rig({ maxHeld: 2 });
    hub.publish(snapshot(base), 1);
    const poll = (id: string, node: string, version = "") =>
      hub.poll({ type: "listeners", token: { id, name: "" }, node, names: [], version }, 20_000);
    const version = versionOf(await poll("greedy", "a"));
    const held = ["a", "b"].map((node) => poll("greedy", node, version));
    await time.settle();
    expect(await poll("greedy", "c", version)).toEqual({ status: 429, of: "token" });
    expect(await poll("greedy", "d")).toMatchObject({ status: 200 });
    const again = poll("greedy", "a", version);
    const other = poll("other", "e", version);
    await time.settle();
    expect(waiting()).toBe(3);
    hub.publish(snapshot(changed(1)), 2);
    const statuses = (await Promise.all([...held, again, other])).map(({ status }) => status);
    expect(statuses).toEqual([304, 200, 200, 200]);
    const later = poll("greedy", "c", "");
    expect(await later).toMatchObject({ status: 200 });
  });

  it("are as many for all tokens as the server may have, and content is still answered", async () => {
    const { hub, time, waiting } = rig({ maxHeld: 2, maxWaiters: 3 });
    hub.publish(snapshot(base), 1);
    const poll = (id: string, version = "") =>
      hub.poll({ type: "listeners", token: { id, name: "" }, node: id, names: [], version }, 20_000);
    const version = versionOf(await poll("a"));
    const held = ["a", "b", "c"].map((id) => poll(id, version));
    await time.settle();
    expect(await poll("d", version)).toEqual({ status: 429, of: "server" });
    const again = poll("a", version);
    expect((await Promise.all([held[0], poll("e")])).map((one) => one?.status)).toEqual([304, 200]);
    expect(waiting()).toBe(3);
    hub.publish(snapshot(changed(1)), 2);
    expect((await Promise.all([again, ...held.slice(1)])).map(({ status }) => status)).toEqual([
      200, 200, 200,
    ]);
    expect(await poll("d", version)).toMatchObject({ status: 200 });
  });

  it("are all answered when the server closes", async () => {
    const { hub, poll, time } = rig();
    hub.publish(snapshot(base), 1);
    const held = poll(versionOf(await poll("")), 20_000);
    await time.settle();
    hub.close();
    expect(await held).toEqual({ status: 304 });
  });
});

describe("refused answers", () => {
  it("are not given again until there is something newer, or for a minute", async () => {
    const { hub, time, poll } = rig();
    hub.publish(snapshot(base), 1);
    const good = versionOf(await poll(""));
    await poll(good);
    hub.publish(snapshot(changed(1)), 2);
    const bad = versionOf(await poll(good));
    const refusing = poll(good, 25_000);
    await time.pass(25_000);
    expect(await refusing).toEqual({ status: 304 });
    const still = poll(good, 25_000);
    await time.settle();
    hub.publish(snapshot(changed(2)), 3);
    const worse = versionOf(await still);
    expect([bad, good]).not.toContain(worse);
    const again = poll(good, 100_000);
    await time.pass(59_999);
    await time.pass(1);
    expect(versionOf(await again)).toBe(worse);
  });

  it("of an Envoy that has nothing yet get neither 304 nor a hot loop, and show in status, metrics and log", async () => {
    const { hub, time, poll, lines } = rig();
    hub.publish(snapshot(base), 1);
    expect(await poll("", 25_000)).toMatchObject({ status: 200 });
    const again = poll("", 25_000);
    const done = { at: 0 };
    void again.then(() => {
      done.at = time.now();
    });
    const start = time.now();
    await time.pass(14_999);
    expect(done.at).toBe(0);
    expect(JSON.stringify(hub.status())).toContain('"refused"');
    expect(hub.gauges()).toContainEqual(["nodes_refusing", 1, { type: "listeners" }]);
    await time.pass(1);
    const bad = await again;
    expect(bad).toMatchObject({ status: 200 });
    expect(done.at - start).toBe(15_000);
    expect(await poll("")).toMatchObject({ status: 200 });
    expect(lines).toEqual([expect.stringContaining(`rejects version ${versionOf(bad)} of listeners`)]);

    await poll(versionOf(bad));
    expect(JSON.stringify(hub.status())).not.toContain('"refused"');
    expect(hub.gauges()).toContainEqual(["nodes_refusing", 0, { type: "listeners" }]);
  });

  it("of an Envoy that has nothing yet give way to something else at once", async () => {
    const { hub, time, poll } = rig();
    hub.publish(snapshot(base), 1);
    const first = versionOf(await poll("", 25_000));
    const again = poll("", 25_000);
    await time.pass(100);
    hub.publish(snapshot(changed(1)), 2);
    const next = versionOf(await again);
    expect([first, ""]).not.toContain(next);
  });

  it("of an Envoy that has restarted are none", async () => {
    const { hub, poll } = rig();
    hub.publish(snapshot(base), 1);
    await poll(versionOf(await poll("")));
    expect(await poll("", 25_000)).toMatchObject({ status: 200 });
    expect(JSON.stringify(hub.status())).not.toContain('"refused"');
  });

  it("are told of in a few lines a minute, however many Envoys refuse", async () => {
    const { hub, poll, lines, time } = rig();
    hub.publish(snapshot(base), 1);
    for (let i = 0; i < 40; i++) for (let n = 0; n < 2; n++) await poll("", 0, { node: `n${i}` });
    expect(lines).toHaveLength(21);
    await time.pass(61_000);
    for (let n = 0; n < 2; n++) await poll("", 0, { node: "late" });
    expect(lines).toHaveLength(22);
  });

  it("show in the status under the node until it takes something", async () => {
    const { hub, poll } = rig();
    hub.publish(snapshot(base), 1);
    const good = versionOf(await poll(""));
    await poll(good);
    hub.publish(snapshot(changed(1)), 2);
    const bad = versionOf(await poll(good));
    await poll(good);
    const view = (): unknown => (hub.status() as { fleet: unknown[] }).fleet[0];
    expect(view()).toMatchObject({
      node: "envoy",
      seen: 1_000_000,
      subscriptions: { listeners: { accepted: good, refused: bad } },
    });
    await poll(bad);
    expect(view()).toMatchObject({ subscriptions: { listeners: { accepted: bad } } });
    expect(JSON.stringify(view())).not.toContain("refused");
  });
});

describe("an Envoy that poses as another token's", () => {
  const own = { token: { id: "own", name: "edge" } };
  const other = { token: { id: "other", name: "edge" } };

  it("ends no held poll of the other", async () => {
    const { hub, time, poll, waiting } = rig();
    hub.publish(snapshot(base), 1);
    const version = versionOf(await poll("", 0, own));
    const held = poll(version, 20_000, own);
    await time.settle();
    const posing = poll(version, 20_000, other);
    await time.settle();
    expect(waiting()).toBe(2);
    hub.publish(snapshot(changed(1)), 2);
    expect([await held, await posing]).toMatchObject([{ status: 200 }, { status: 200 }]);
  });

  it.each<[string, (poll: (version: string) => Promise<Reply>, old: string) => Promise<unknown>]>([
    ["refuses what is served", async (poll, old) => [await poll(old), await poll(old), await poll(old)]],
    ["starts again and again", async (poll) => [await poll(""), await poll("")]],
    ["takes what is served", async (poll, old) => poll(versionOf(await poll(old)))],
  ])("withholds nothing when it %s", async (_, pose) => {
    const { hub, poll } = rig();
    hub.publish(snapshot(base), 1);
    const old = versionOf(await poll("", 0, own));
    await poll(old, 0, own);
    await poll(versionOf(await poll("", 0, other)), 0, other);
    hub.publish(snapshot(changed(1)), 2);
    await pose((version) => poll(version, 0, other), old);
    expect(await poll(old, 20_000, own)).toMatchObject({ status: 200 });
    // A new process under the old name has nothing, and is given all at once.
    expect(await poll("", 20_000, own)).toMatchObject({ status: 200 });
  });

  it("is a row of its own in the status", async () => {
    const { hub, poll } = rig();
    hub.publish(snapshot(base), 1);
    await poll("", 0, own);
    await poll("", 0, { token: { id: "other", name: "" } });
    expect((hub.status() as { fleet: unknown[] }).fleet).toMatchObject([
      { node: "envoy", token: "edge" },
      { node: "envoy" },
    ]);
  });
});

describe("what can't be sent", () => {
  it("is a 503 that is held, said once, and shown", async () => {
    const { hub, poll, lines, time } = rig();
    hub.publish(snapshot({ ...base, listeners: { l: "{}" } }), 1);
    expect(await poll("")).toMatchObject({ status: 503 });
    const held = poll("", 10_000);
    await time.settle();
    expect(lines).toHaveLength(1);
    expect(hub.status()).toMatchObject({ problems: { listeners: lines[0] } });
    hub.publish(snapshot(base), 2);
    expect(await held).toMatchObject({ status: 200 });
    expect(hub.status()).toMatchObject({ problems: {} });
  });
});

function server(options: Partial<AppOptions> = {}) {
  const { hub, lines } = rig();
  hub.publish(snapshot(base), 1);
  const app = createApp({ hub, status: () => ({ sources: [] }), authenticate: everyone, ...options });
  const ask = async (
    method: string,
    path: string,
    init: Omit<RequestInit, "method"> = {},
  ): Promise<{ status: number; code?: string; allow: string | null }> => {
    const response = await app.request(path, { method, ...init });
    const text = await response.text();
    const code = response.status >= 400 ? (JSON.parse(text) as { code: string }).code : undefined;
    return { status: response.status, ...(code ? { code } : {}), allow: response.headers.get("allow") };
  };
  return { app, hub, lines, ask };
}

const discovery = JSON.stringify({ node: { id: "a" } });

describe("the HTTP surface", () => {
  it("answers an error inside with 500, and logs where but not what", async () => {
    const { ask, lines } = server({
      status: () => {
        throw new Error("-----BEGIN PRIVATE KEY-----");
      },
    });
    expect(await ask("GET", "/status")).toMatchObject({ status: 500, code: "internal" });
    expect(lines.join()).toContain("server.test");
    expect(lines.join()).not.toContain("PRIVATE");
  });

  it("refuses bodies that no Envoy sends", async () => {
    const { ask } = server();
    const post = (init: RequestInit) => ask("POST", "/v3/discovery:routes", init);
    expect(await post({ body: "[" })).toMatchObject({ status: 400, code: "bad-json" });
    expect(await post({ body: new Uint8Array([0xff]) })).toMatchObject({ status: 400, code: "bad-text" });
    expect(await post({ body: "x".repeat(300_000) })).toMatchObject({ status: 413, code: "too-large" });
    expect(await post({ body: "x", headers: { "content-encoding": "br" } })).toMatchObject({ status: 415 });
  });
});

/** A Node server of a hub, and how to poll its clusters. */
async function nodeServer() {
  const hub = new Hub({ now: Date.now, log: () => undefined });
  const { fetch } = createApp({ hub, status: () => ({}), authenticate: everyone });
  const node = serve({ fetch, hostname: "127.0.0.1", port: 0 });
  onTestFinished(() => void node.close());
  await new Promise((resolve) => node.once("listening", resolve));
  const poll = (headers: Readonly<Record<string, string>> = {}): ClientRequest =>
    httpRequest({
      host: "127.0.0.1",
      port: (node.address() as AddressInfo).port,
      path: "/v3/discovery:clusters",
      method: "POST",
      headers,
    }).end(discovery);
  return { hub, poll };
}

it("lets go of a held poll when its connection closes", async () => {
  const { hub, poll } = await nodeServer();
  const waiting = (): number => (hub.status() as { waiting: number }).waiting;
  const until = (count: number): Promise<void> =>
    vi.waitFor(() => expect(waiting()).toBe(count), { timeout: 30_000 });
  const held = poll({ "x-envoy-expected-rq-timeout-ms": "30000" });
  held.on("error", () => undefined);
  await until(1);
  held.destroy();
  await until(0);
});

it("sends a large answer as fast as its reader takes it, with its length", async () => {
  const { hub, poll } = await nodeServer();
  const { chunks } = Body.prototype;
  let written = 0;
  const spy = vi.spyOn(Body.prototype, "chunks").mockImplementation(function* (
    this: Body,
  ): Generator<Bytes, undefined> {
    for (const chunk of chunks.call(this)) {
      written += chunk.length;
      yield chunk;
    }
  });
  onTestFinished(() => spy.mockRestore());
  const cluster = (i: number): string => `{"name":"c${i}","x":"${"ü".repeat(5000)}"}`;
  const clusters = Object.fromEntries(Array.from({ length: 2000 }, (_, i) => [`c${i}`, cluster(i)]));
  hub.publish(snapshot({ clusters }), 1);
  const asked = poll();
  const answer = await new Promise<IncomingMessage>((resolve) => asked.once("response", resolve));
  await new Promise((resolve) => setTimeout(resolve, 300));
  const length = Number(answer.headers["content-length"]);
  expect(length).toBeGreaterThan(20_000_000);
  // The system's buffers hold some megabytes.
  expect(written).toBeLessThan(length / 1.5);
  const body = await text(answer);
  expect(Buffer.byteLength(body)).toBe(length);
  expect((JSON.parse(body) as { resources: unknown[] }).resources).toHaveLength(2000);
});
