import { createServer as createHttpServer, type Server } from "node:http";
import { createServer, request } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import { afterEach, describe, expect, it } from "vitest";
import { startBalancer } from "../chaos/support/balancer.js";
import { type KubeProxy, startKubeProxy } from "../chaos/support/kube-proxy.js";
import { startLoad } from "../chaos/support/load.js";
import { certificate } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { request as ask } from "../support/http.js";

const closers: (() => unknown)[] = [];
afterEach(async () => {
  for (const close of closers.splice(0)) await close();
});

const listening = (server: Server): Promise<number> =>
  new Promise((done) => {
    closers.push(() => {
      server.close();
      server.closeAllConnections();
    });
    server.listen(0, "127.0.0.1", () => done((server.address() as AddressInfo).port));
  });

/** An API server whose lists have three items, and whose watches send an event every 20 ms. */
async function proxyOfApi(): Promise<{ proxy: KubeProxy; tokens: string[] }> {
  const tokens: string[] = [];
  const api = createServer(certificate("secure"), (asked, answer) => {
    tokens.push(String(asked.headers.authorization));
    if (!asked.url?.includes("watch=1")) return void answer.end(JSON.stringify({ items: [{}, {}, {}] }));
    const timer = setInterval(() => answer.write("event\n"), 20);
    answer.on("close", () => clearInterval(timer));
  });
  const proxy = await startKubeProxy(`https://127.0.0.1:${await listening(api)}`, "real");
  closers.unshift(() => proxy.close());
  return { proxy, tokens };
}

interface Got {
  readonly status: number;
  readonly body: string;
}

const get = (port: number, path: string, forMs = 500): Promise<Got | string> =>
  new Promise((done) => {
    const sent = request({
      port,
      path,
      host: "127.0.0.1",
      agent: false,
      rejectUnauthorized: false,
      headers: { authorization: "Bearer shown" },
    });
    let body = "";
    let status = 0;
    const timer = setTimeout(() => {
      done(status === 0 ? "no answer" : { status, body });
      sent.destroy();
    }, forMs);
    sent.on("error", () => done("cut"));
    sent.on("response", (answer) => {
      status = answer.statusCode ?? 0;
      answer.on("error", () => done("cut"));
      answer.on("data", (chunk: Buffer) => {
        body += chunk.toString();
      });
      answer.on("end", () => {
        clearTimeout(timer);
        done({ status, body });
      });
    });
    sent.end();
  });

const list = "/apis/projectcontour.io/v1/httpproxies?limit=500";
const watch = "/apis/projectcontour.io/v1/namespaces/default/httpproxies?watch=1";

describe("the proxy in front of an API server", () => {
  it("forwards requests with its own token, and counts them", async () => {
    const { proxy, tokens } = await proxyOfApi();
    expect(await get(proxy.port, list)).toEqual({ status: 200, body: '{"items":[{},{},{}]}' });
    expect(tokens).toEqual(["Bearer real"]);
    expect([proxy.requests(), proxy.busiestSecond()]).toEqual([1, 1]);
  });

  it("gives rules the request", async () => {
    const { proxy } = await proxyOfApi();
    const seen: object[] = [];
    proxy.inject(({ verb, plural, token }) => void seen.push({ verb, plural, token }));
    await get(proxy.port, list);
    await get(proxy.port, watch, 50);
    await get(proxy.port, "/api/v1/namespaces/default/services/a");
    expect(seen).toEqual([
      { verb: "list", plural: "httpproxies", token: "shown" },
      { verb: "watch", plural: "httpproxies", token: "shown" },
      { verb: "get", plural: "services", token: "shown" },
    ]);
  });

  it("answers by a rule until it is removed", async () => {
    const { proxy } = await proxyOfApi();
    const faults = [
      { kind: "status", code: 500 },
      { kind: "hang" },
      { kind: "cut" },
      { kind: "gone" },
    ] as const;
    const got: unknown[] = [];
    for (const fault of faults) {
      const remove = proxy.inject(() => fault);
      const answer = await get(proxy.port, list, 200);
      got.push(typeof answer === "string" ? answer : [answer.status, JSON.parse(answer.body).type]);
      remove();
    }
    const remove = proxy.inject(() => ({ kind: "items", change: (items) => items.slice(1) }));
    expect(await get(proxy.port, list)).toEqual({ status: 200, body: '{"items":[{},{}]}' });
    remove();
    expect(got).toEqual([[500, undefined], "no answer", "cut", [200, "ERROR"]]);
    expect(await get(proxy.port, list)).toMatchObject({ status: 200 });
  });

  it("makes open connections silent without closing them, and new ones work", async () => {
    const { proxy } = await proxyOfApi();
    const watching = get(proxy.port, watch, 600);
    await new Promise((done) => setTimeout(done, 200));
    proxy.silence();
    expect(await get(proxy.port, list)).toMatchObject({ status: 200 });
    const { body } = (await watching) as Got;
    expect(body.length).toBeGreaterThan(0);
    expect(body.length).toBeLessThan("event\n".length * 20);
  });

  it("refuses connections while it is down", async () => {
    const { proxy } = await proxyOfApi();
    proxy.down();
    expect(await get(proxy.port, list)).toBe("cut");
    proxy.up();
    expect(await get(proxy.port, list)).toMatchObject({ status: 200 });
  });
});

describe("the balancer", () => {
  const replica = async (name: string, ready: () => boolean): Promise<number> =>
    listening(
      createHttpServer((asked, answer) => {
        answer.writeHead(asked.url === "/readyz" && !ready() ? 503 : 200, { connection: "close" }).end(name);
      }),
    );

  it("spreads connections, and skips servers that are not ready", async () => {
    let ready = true;
    const ports = [await replica("a", () => true), await replica("b", () => ready)];
    const balancer = await startBalancer(ports, { policy: "spread", readiness: true });
    closers.unshift(() => balancer.close());
    const answers = async (): Promise<Set<string>> => {
      const found = new Set<string>();
      for (let i = 0; i < 6; i++) found.add((await ask({ port: balancer.port })).body);
      return found;
    };
    expect(await answers()).toEqual(new Set(["a", "b"]));
    ready = false;
    await eventually(async () => (await answers()).size === 1, "b gets nothing", 5000);
  });

  it("with the policy sticky stays with one server", async () => {
    const ports = [await replica("a", () => true), await replica("b", () => true)];
    const balancer = await startBalancer(ports, { policy: "sticky", readiness: false });
    closers.unshift(() => balancer.close());
    for (let i = 0; i < 4; i++) expect((await ask({ port: balancer.port })).body).toBe("a");
  });
});

describe("the load", () => {
  it("counts another status, another backend and no answer as failed", async () => {
    let how = "right";
    const port = await listening(
      createHttpServer(async (asked, answer) => {
        await text(asked);
        if (how === "cut") answer.destroy();
        else answer.writeHead(how === "status" ? 503 : 200).end(how === "right" ? "a" : "b");
      }),
    );
    const load = startLoad({ port, perSecond: 200, staleMs: 0 });
    closers.unshift(() => load.stop());
    const during = async (what: string): Promise<void> => {
      how = what;
      await new Promise((done) => setTimeout(done, 200));
    };
    load.expect("host.test", "a");
    await during("right");
    expect([load.total > 5, load.failed]).toEqual([true, 0]);
    for (const what of ["status", "other", "cut"]) await during(what);
    await load.stop();
    expect(Object.keys(load.failures).sort()).toEqual(["503 b", "ECONNRESET", "another backend"]);
  });

  it("accepts only the previous backend for a while after a move", async () => {
    const port = await listening(createHttpServer((_, answer) => answer.end("a")));
    const load = startLoad({ port, perSecond: 200, staleMs: 300 });
    closers.unshift(() => load.stop());
    load.expect("host.test", "a");
    load.expect("host.test", "b");
    await new Promise((done) => setTimeout(done, 200));
    expect(load.failed).toBe(0);
    await eventually(async () => load.failed > 0, "the backend before is late", 3000);
  });
});
