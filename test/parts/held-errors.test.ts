import { describe, expect, it } from "vitest";
import { createApp } from "../../src/server/app.js";
import { type Authenticate, everyone, unauthorized } from "../../src/server/auth.js";
import { networkOf } from "../../src/server/client-network.js";
import { HeldErrors } from "../../src/server/held-errors.js";
import { Hub } from "../../src/server/hub.js";
import { clock } from "../support/clock.js";

const url = "http://isoline.test/v3/discovery:clusters";
const timeout = { "x-envoy-expected-rq-timeout-ms": "30000" };

function rig({ random = 0.5 } = {}) {
  const time = clock();
  const lines: string[] = [];
  let overflowed = 0;
  const held = new HeldErrors({
    now: time.now,
    timers: time.timers,
    log: (line) => lines.push(line),
    random: () => random,
    overflowed: () => void overflowed++,
  });
  /** Whether the answer to a poll is sent by now. */
  const ask = (
    from: {
      network?: string;
      token?: string;
      status?: number;
      since?: number;
      soon?: boolean;
      signal?: AbortSignal;
    } = {},
    request = new Request(url, { method: "POST", headers: timeout, signal: from.signal ?? null }),
  ): { sent: boolean } => {
    const { network = "10.0.0.1", token, status = 401, since = time.now(), soon = false } = from;
    const seen = { sent: false };
    const response = Response.json({ code: "some-code", detail: "what to do" }, { status });
    const who = { since, network, soon, ...(token ? { token: { id: token, name: token } } : {}) };
    void held.hold(request, response, who).then(() => {
      seen.sent = true;
    });
    return seen;
  };
  return { time, held, lines, ask, overflowed: () => overflowed };
}

describe("an error that answers a poll of an Envoy", () => {
  it.each([
    [0, 15_000],
    [0.5, 20_000],
    [0.999, 24_990],
  ])("waits between 60 and 100 % of the time of a poll without news (random %d)", async (random, ms) => {
    const { time, ask, held } = rig({ random });
    const seen = ask();
    await time.pass(ms - 1);
    expect([seen.sent, held.size]).toEqual([false, 1]);
    await time.pass(2);
    expect([seen.sent, held.size, time.pending()]).toEqual([true, 0, 0]);
  });

  it.each([400, 401, 403, 404, 413, 421, 429, 500, 503])("waits with the status %d", async (status) => {
    const { time, ask, held } = rig();
    ask({ status });
    await time.settle();
    expect(held.size).toBe(1);
  });

  it("is sent before Envoy gives up, however short its timeout, and at once where no time is left", async () => {
    const { time, ask } = rig({ random: 0.999 });
    const request = (ms: string): Request =>
      new Request(url, { method: "POST", headers: { "x-envoy-expected-rq-timeout-ms": ms } });
    const short = ask({}, request("5000"));
    const none = ask({}, request("1000"));
    await time.settle();
    expect(none.sent).toBe(true);
    await time.pass(3000);
    expect(short.sent).toBe(true);
  });

  it("waits for five seconds at most where its client is to go to another replica", async () => {
    const { time, ask } = rig();
    const seen = ask({ soon: true });
    await time.pass(3999);
    expect(seen.sent).toBe(false);
    await time.pass(1);
    expect(seen.sent).toBe(true);
  });

  it("waits only for the rest of the time where the request has taken some of it", async () => {
    const { time, ask } = rig();
    const [late, over] = [ask({ since: time.now() - 19_000 }), ask({ since: time.now() - 25_000 })];
    await time.settle();
    expect([late.sent, over.sent]).toEqual([false, true]);
    await time.pass(1000);
    expect(late.sent).toBe(true);
  });

  it.each<[string, Request, number]>([
    ["a client that does not say how long it waits", new Request(url, { method: "POST" }), 401],
    ["another path", new Request("http://isoline.test/status", { headers: timeout }), 401],
    [
      "the path in a query",
      new Request("http://isoline.test/?//x/v3/discovery:clusters", { method: "POST", headers: timeout }),
      401,
    ],
    ["a poll without news", new Request(url, { method: "POST", headers: timeout }), 304],
    ["news", new Request(url, { method: "POST", headers: timeout }), 200],
  ])("does not wait: %s", async (_, request, status) => {
    const { time, held } = rig();
    const response = new Response(null, { status });
    await held.hold(request, response, { since: time.now(), network: "" });
    expect(time.pending()).toBe(0);
  });

  it("is forgotten when its client goes away, and sent when tokens change or the server ends", async () => {
    const { time, held, ask } = rig();
    const gone = new AbortController();
    ask({ signal: gone.signal });
    await time.settle();
    gone.abort();
    await time.settle();
    expect([held.size, time.pending()]).toEqual([0, 0]);
    const woken = ask();
    await time.settle();
    held.release();
    await time.settle();
    expect(woken.sent).toBe(true);
    const last = ask();
    await time.settle();
    held.close();
    const later = ask();
    await time.settle();
    expect([last.sent, later.sent, held.size]).toEqual([true, true, 0]);
  });

  it("reads the body meanwhile and drops it; a body that is too large ends the wait", async () => {
    const { time, ask } = rig();
    let sent = 0;
    const endless = new ReadableStream<Uint8Array>({
      pull: (controller) => {
        sent += 65_536;
        controller.enqueue(new Uint8Array(65_536));
      },
    });
    const post = (body: string | ReadableStream<Uint8Array>): Request =>
      new Request(url, { method: "POST", headers: timeout, body, duplex: "half" } as RequestInit);
    const normal = post("x".repeat(77_000));
    const [good, bad] = [ask({}, normal), ask({}, post(endless))];
    for (let i = 0; i < 20; i++) await time.settle();
    expect([good.sent, bad.sent, normal.bodyUsed]).toEqual([false, true, true]);
    expect(sent).toBeLessThan(1_000_000);
  });

  it("finds a bounded number of places: strangers take none of those of known tokens, and one network not all", async () => {
    const { time, held, ask, lines, overflowed } = rig();
    for (let i = 0; i < 1001; i++) ask({ network: "10.0.0.1" });
    await time.settle();
    expect([held.size, overflowed()]).toEqual([1000, 1]);
    for (let n = 2; n < 8; n++) for (let i = 0; i < 1000; i++) ask({ network: `10.0.0.${n}` });
    await time.settle();
    expect([held.size, overflowed()]).toEqual([4000, 3001]);
    for (const token of ["a", "b", "c"]) for (let i = 0; i < 4001; i++) ask({ token, network: "10.0.0.1" });
    await time.settle();
    expect(held.size).toBe(12_000);
    expect(lines.filter((line) => line.includes("too many errors are held"))).toHaveLength(2);
    await time.pass(25_000);
    expect([held.size, time.pending()]).toEqual([0, 0]);
  });

  it("frees places of requests whose end never came, as when a Worker forgets those of clients that went away", async () => {
    const time = clock();
    const never = { set: () => undefined, clear: () => undefined };
    const held = new HeldErrors({ now: time.now, timers: never, log: () => undefined });
    const ask = (): void => {
      const request = new Request(url, { method: "POST", headers: timeout });
      void held.hold(request, new Response(null, { status: 401 }), { since: time.now(), network: "a" });
    };
    for (let i = 0; i < 1000; i++) ask();
    await time.settle();
    await time.pass(28_000);
    ask();
    await time.settle();
    expect(held.size).toBe(1);
  });

  it("is told of in the log, once a minute for each client, with what to do", async () => {
    const { time, ask, lines } = rig();
    for (let i = 0; i < 3; i++) ask();
    ask({ token: "edge", status: 403 });
    await time.settle();
    expect(lines).toEqual([
      "a poll of /v3/discovery:clusters from 10.0.0.1 gets 401 some-code: what to do",
      "a poll of /v3/discovery:clusters from the token edge at 10.0.0.1 gets 403 some-code: what to do",
    ]);
    for (let i = 0; i < 100; i++) ask({ network: `10.0.1.${i}` });
    await time.settle();
    expect(lines.filter((line) => line.includes("some-code"))).toHaveLength(21);
    expect(lines).toContain("further lines of this kind are omitted for a minute");
    ask({ token: "core", status: 403 });
    await time.settle();
    expect(lines.at(-1)).toContain("from the token core");
  });
});

describe("the HTTP surface", () => {
  const poll = (app: ReturnType<typeof createApp>, path = "clusters"): Promise<Response> =>
    Promise.resolve(
      app.request(`/v3/discovery:${path}`, {
        method: "POST",
        body: JSON.stringify({ node: { id: "a" } }),
        headers: timeout,
      }),
    );
  const refuse: Authenticate = () => Promise.resolve(unauthorized);

  it.each<[string, Authenticate, string, number]>([
    ["of the tokens", refuse, "clusters", 401],
    ["of a path that is not there", everyone, "runtime", 404],
    ["that is unexpected", () => Promise.reject(new Error("broken")), "clusters", 500],
  ])("keeps an error %s until its time", async (_, authenticate, path, status) => {
    const time = clock();
    const hub = new Hub({ now: time.now, log: () => undefined, timers: time.timers });
    const held = new HeldErrors({ now: time.now, log: () => undefined, timers: time.timers });
    const app = createApp({ hub, heldErrors: held, status: () => ({}), authenticate });
    let answer: Response | undefined;
    void poll(app, path).then((response) => {
      answer = response;
    });
    for (let i = 0; i < 3; i++) await time.pass(4999);
    expect(answer).toBeUndefined();
    await time.pass(10_000);
    expect([answer?.status, answer?.headers.get("content-type")]).toEqual([
      status,
      "application/problem+json",
    ]);
  });
});

it.each([
  ["192.0.2.7", "192.0.2.7"],
  ["::ffff:192.0.2.7", "192.0.2.7"],
  ["2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"],
  ["2001:db8:1:2::", "2001:db8:1:2::/64"],
  ["::1", "0:0:0:0::/64"],
  ["", ""],
  ["not an address", "not an address"],
])("counts %s as %s", (address, network) => expect(networkOf(address)).toBe(network));
