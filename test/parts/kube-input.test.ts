import { readFileSync } from "node:fs";
import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import {
  type ApiRequest,
  type ApiResponse,
  getJson,
  list,
  type Transport,
  watch,
} from "../../src/kubernetes/api.js";
import { NoAnswer } from "../../src/kubernetes/deadline.js";
import { failureCodes, failureOf, LocalError } from "../../src/kubernetes/failures.js";
import { type ApiResource, resources } from "../../src/kubernetes/resources.js";
import { RequestPace, type Round } from "../../src/sources/kubernetes/pace.js";
import { Lease } from "../../src/status/write/lease.js";
import { cluster, encode, event, failure, type Item, proxy } from "../support/fake-kube.js";

const httpProxies = resources.find(({ kind }) => kind === "HTTPProxy") as ApiResource;
const json = (body: unknown): ApiResponse => ({ status: 200, body: encode(JSON.stringify(body)) });
const aborted = (signal: AbortSignal): Promise<never> =>
  new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)));

/** Sends some text and then nothing more, as over a connection that has died. */
const silentAfter = (text: string, signal: AbortSignal): ApiResponse => ({
  status: 200,
  body: (async function* () {
    yield new TextEncoder().encode(text);
    await aborted(signal);
  })(),
});

const transportOf = (send: (request: ApiRequest) => Promise<ApiResponse>): Transport => ({ send });
const never = new AbortController().signal;

describe("deadlines", () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  const failureAfter = async (ms: number, work: Promise<unknown>): Promise<unknown> => {
    let outcome: unknown = "still waiting";
    void work.then(
      () => (outcome = "done"),
      (error: unknown) => (outcome = error),
    );
    await vi.advanceTimersByTimeAsync(ms - 1);
    expect(outcome).toBe("still waiting");
    await vi.advanceTimersByTimeAsync(2);
    return outcome;
  };
  const hangs = transportOf(({ signal }) => aborted(signal));
  const stopsInTheMiddle = transportOf(({ signal }) => Promise.resolve(silentAfter('{"metadata":', signal)));

  it.each<[string, Transport]>([
    ["never begins", hangs],
    ["stops in the middle", stopsInTheMiddle],
  ])("end an answer that %s", async (_, transport) => {
    expect(await failureAfter(30_000, getJson(transport, "/x", never))).toBeInstanceOf(NoAnswer);
    expect(await failureAfter(20_000, list(transport, httpProxies, never))).toBeInstanceOf(NoAnswer);
  });

  const read = async (transport: Transport, seconds = 45): Promise<number> => {
    let events = 0;
    for await (const _ of watch(transport, httpProxies, "1", seconds, never)) events++;
    return events;
  };

  it("end a watch that is not opened, or is silent beyond its time", async () => {
    expect(await failureAfter(15_000, read(hangs))).toBeInstanceOf(NoAnswer);
    const silent = transportOf(({ signal }) =>
      Promise.resolve(silentAfter(event("ADDED", proxy("a"), 2), signal)),
    );
    expect(await failureAfter(55_000, read(silent))).toMatchObject({ reason: "Stalled" });
  });

  it("end a watch that a server does not end, without taking it for silent while something comes", async () => {
    const talks = transportOf(({ signal }) =>
      Promise.resolve({
        status: 200,
        body: (async function* () {
          for (let i = 2; !signal.aborted; i++) {
            yield new TextEncoder().encode(event("BOOKMARK", proxy("a"), i));
            await new Promise((done) => setTimeout(done, 1000));
          }
        })(),
      }),
    );
    const events = read(talks);
    await vi.advanceTimersByTimeAsync(56_000);
    expect(await events).toBeGreaterThan(50);
  });

  it("end the requests of the Lease in time for another attempt", async () => {
    const changes: boolean[] = [];
    let asked = 0;
    const transport = transportOf(({ signal }) => {
      asked++;
      return aborted(signal);
    });
    const stop = new AbortController();
    const lease = new Lease({
      transport,
      namespace: "n",
      name: "l",
      identity: "me",
      changed: (leads) => void changes.push(leads),
      log: () => undefined,
      now: Date.now,
      sleep: (ms) => new Promise((done) => setTimeout(done, ms)),
    });
    const running = lease.run(stop.signal);
    await vi.advanceTimersByTimeAsync(15_000);
    expect(asked).toBe(3);
    stop.abort();
    await vi.advanceTimersByTimeAsync(10_000);
    await running;
  });
});

describe("what an API server sends", () => {
  const metadata = { resourceVersion: "5" };
  const item = (more: object = {}): object => ({ ...proxy("a"), ...more });
  const lists: Readonly<Record<string, readonly object[]>> = {
    "has no resourceVersion": [{ metadata: {}, items: [] }],
    "has pages of different versions": [
      { metadata: { resourceVersion: "5", continue: "x" }, items: [] },
      { metadata: { resourceVersion: "6" }, items: [] },
    ],
    "goes on with the same page for ever": [{ metadata: { ...metadata, continue: "x" }, items: [] }],
    "has objects of another kind": [{ metadata, items: [item({ kind: "Secret", apiVersion: "v1" })] }],
    "has objects of another group": [{ metadata, items: [item({ apiVersion: "example.com/v1" })] }],
    "has objects without a name": [{ metadata, items: [item({ metadata: {} })] }],
    "has texts in place of objects": [{ metadata, items: ["a"] }],
  };

  it.each(Object.entries(lists))("is not believed when a list %s", async (_, pages) => {
    let page = 0;
    const transport = transportOf(() => Promise.resolve(json(pages[Math.min(page++, pages.length - 1)])));
    await expect(list(transport, httpProxies, never)).rejects.toMatchObject({
      status: 0,
      reason: "NotAList",
    });
  });

  const told = (type: string, object: Item): string => `${JSON.stringify({ type, object })}\n`;
  const versioned = (more: object): Item => ({ ...more, metadata: { name: "a", resourceVersion: "120" } });

  it.each<[string, string]>([
    ["is of another kind", told("DELETED", versioned({ kind: "Secret", apiVersion: "v1" }))],
    ["is of another group", told("ADDED", versioned({ apiVersion: "example.com/v1" }))],
    ["has no version", told("DELETED", proxy("h0"))],
    ["has an unknown type", told("GONE", versioned({}))],
    ["has no object", '{"type":"ADDED"}\n'],
    ["is no JSON", "hello\n"],
  ])("changes nothing when an event %s", async (_, line) => {
    const c = cluster();
    await c.refresh();
    c.api.events.set("httpproxies", line);
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "h1.test"]);
    expect(c.source.status().HTTPProxy).toMatchObject({ state: "failing", code: "kube-invalid-answer" });
  });

  it("changes nothing when it comes again or is older than what is known", async () => {
    const c = cluster();
    await c.refresh();
    const moved = { ...proxy("h0"), spec: { ...(proxy("moved").spec as object) } };
    c.api.events.set(
      "httpproxies",
      event("MODIFIED", moved, 120) +
        event("MODIFIED", proxy("h0"), 110) +
        event("DELETED", proxy("h1"), 90) +
        event("DELETED", proxy("h1"), 120) +
        event("BOOKMARK", proxy("h1"), 50),
    );
    await c.refresh();
    expect(c.hosts()).toEqual(["h1.test", "moved.test"]);
    expect(c.store.cursor("kubernetes:HTTPProxy")).toBe("120");
  });

  const kubeSystem =
    (uid: string): ((path: string) => ApiResponse | undefined) =>
    (path) =>
      path.includes("kube-system")
        ? json({ metadata: { resourceVersion: "100" }, items: [{ metadata: { name: "kube-system", uid } }] })
        : undefined;

  it("is not applied when it is of another cluster, until that is confirmed", async () => {
    const c = cluster({ hosts: 3 });
    c.api.fault = kubeSystem("one");
    await c.refresh();
    c.now = 2000;
    await c.refresh();
    const other = kubeSystem("two");
    c.api.fault = other;
    c.api.collections.set("httpproxies", [proxy("foreign")]);
    c.api.events.set("httpproxies", event("ADDED", proxy("stranger"), 200));
    c.now = 4000;
    await c.refresh();
    c.store.setCursor("kubernetes:HTTPProxy", "");
    c.now = 20_000;
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "h1.test", "h2.test"]);
    expect(c.source.status().Secret).toMatchObject({ state: "failing", code: "kube-other-cluster" });
    expect(c.log.filter((line) => line.startsWith("kube-other-cluster: "))).toHaveLength(1);
    expect(c.source.acceptShrink("Namespace")).toBe(0);
    await c.refresh();
    expect(c.hosts()).toContain("foreign.test");
  });

  it("is not listed as long as the server can't be asked which cluster it is of", async () => {
    const c = cluster();
    await c.refresh();
    c.now = 2000;
    c.store.setCursor("kubernetes:HTTPProxy", "");
    c.api.collections.set("httpproxies", [proxy("foreign")]);
    c.api.fault = (path) => (path.includes("kube-system") ? failure(503) : undefined);
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "h1.test"]);
    expect(c.source.status().Service).toEqual({ state: "synced" });
  });
});

describe("failures", () => {
  const coded = (code: string, message = "x"): Error => Object.assign(new Error(message), { code });
  it.each<[string, Error]>([
    ["kube-unreachable", coded("ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:1")],
    ["kube-unknown-host", coded("ENOTFOUND")],
    ["kube-tls-authority", coded("SELF_SIGNED_CERT_IN_CHAIN")],
    ["kube-tls-expired", coded("CERT_HAS_EXPIRED")],
    ["kube-tls-name", coded("ERR_TLS_CERT_ALTNAME_INVALID")],
    ["kube-tls-protocol", coded("EPROTO")],
    ["kube-tls-authority", new TypeError("fetch failed", { cause: coded("DEPTH_ZERO_SELF_SIGNED_CERT") })],
    ["kube-unreachable", new AggregateError([coded("ECONNREFUSED"), coded("ECONNREFUSED")])],
    ["kube-no-answer", new NoAnswer("the answer was not complete within 30 s")],
    ["store", new LocalError(coded("ENOSPC", "no space left on device"))],
    ["store", new LocalError(Object.assign(new Error("database or disk is full"), { name: "SQLite3Error" }))],
    ["compile", new LocalError(new TypeError("secret-value is not a function"))],
  ])("%s: %s", (code, error) => {
    const { code: found, message } = failureOf(httpProxies, error, "https://kube.test");
    expect(found).toBe(code);
    expect(message).not.toContain("\n");
    expect(message).not.toContain("secret-value");
    if (code === "store") expect(message).not.toMatch(/API server/);
    else if (code !== "compile") expect(message).toContain("https://kube.test");
  });

  it("have their codes in the document", () => {
    const document = readFileSync(new URL("../../docs/operations.md", import.meta.url), "utf8");
    for (const code of [...failureCodes, "kube-held"]) expect(document).toContain(`\`${code}\``);
  });

  it("of our own store are not the API server's: what was not stored comes again", async () => {
    const c = cluster();
    await c.refresh();
    const { transaction } = c.store;
    const full = { on: true };
    Object.assign(c.store, {
      transaction: <T>(work: () => T): T => {
        if (full.on) throw Object.assign(new Error("database or disk is full"), { name: "SQLite3Error" });
        return transaction.call(c.store, work) as T;
      },
    });
    const lines = event("ADDED", proxy("new"), 120) + event("DELETED", proxy("h0"), 121);
    c.api.events.set("httpproxies", lines);
    await c.refresh();
    expect(c.source.status().HTTPProxy).toMatchObject({ state: "failing", code: "store" });
    expect(c.log.join("\n")).toMatch(/^store: the store can't be written: database or disk is full/m);
    expect(c.log.join("\n")).not.toContain("reach the API server");
    full.on = false;
    c.api.events.set("httpproxies", lines);
    await c.refresh();
    expect(c.hosts()).toEqual(["h1.test", "new.test"]);
  });

  it("of the store within a list lose no deletion", async () => {
    const c = cluster({ hosts: 4 });
    await c.refresh();
    const { deleteObject } = c.store;
    let full = true;
    Object.assign(c.store, {
      deleteObject: (...args: Parameters<typeof deleteObject>): void => {
        if (full) throw Object.assign(new Error("database or disk is full"), { name: "SQLite3Error" });
        deleteObject.apply(c.store, args);
      },
    });
    c.api.collections.set("httpproxies", [proxy("h0"), proxy("h1"), proxy("h2")]);
    c.store.setCursor("kubernetes:HTTPProxy", "");
    await c.refresh();
    expect(c.hosts()).toHaveLength(4);
    full = false;
    await c.refresh();
    expect(c.hosts()).toEqual(["h0.test", "h1.test", "h2.test"]);
  });

  it("are said once, those of all kinds once for all, and when they are over", async () => {
    const c = cluster();
    await c.refresh();
    c.log.length = 0;
    c.api.fault = () => {
      throw Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    };
    for (let i = 0; i < 3; i++) await c.refresh();
    expect(c.log).toHaveLength(1);
    expect(c.log[0]).toMatch(/^kube-unreachable: can't reach the API server https:\/\/kube.test/);
    c.api.fault = () => undefined;
    c.now = 8000;
    await c.refresh();
    expect(c.log).toHaveLength(2);
    expect(c.log[1]).toContain("is followed again, after 8 s");
  });
});

describe("pauses between rounds", () => {
  /** The pauses of a hundred rounds of one kind, in ms. */
  const pauses = (round: Round, random = 0.5): number[] => {
    const pace = new RequestPace(() => random);
    return Array.from({ length: 100 }, () => pace.after(round));
  };
  const kinds = resources.length;
  const perSecond = (round: Round): number => (kinds * 1000) / (pauses(round).at(-1) ?? 1);

  it("grow where nothing is answered, 410 again and again, or watches end at once", () => {
    expect(perSecond({ openMs: undefined, expired: false })).toBeLessThan(1);
    expect(perSecond({ openMs: undefined, expired: true })).toBeLessThan(2.5);
    expect(perSecond({ openMs: 10, expired: true })).toBeLessThan(2.5);
    expect(perSecond({ openMs: 0, expired: false })).toBeLessThan(8);
    expect(pauses({ openMs: 0, expired: false }).at(-1)).toBe(3000);
  });

  it("end with a watch that lasts, however it ends, and are jittered", () => {
    const pace = new RequestPace(() => 0.5);
    for (let i = 0; i < 10; i++) pace.after({ openMs: undefined, expired: false });
    expect(pace.after({ openMs: 2000, expired: false })).toBe(1000);
    expect(pace.after({ openMs: 6000, expired: false })).toBe(100);
    expect(pace.after({ openMs: undefined, expired: false })).toBe(500);
    expect(pauses({ openMs: undefined, expired: false }, 0)[0]).not.toBe(
      pauses({ openMs: undefined, expired: false }, 0.9)[0],
    );
  });
});
