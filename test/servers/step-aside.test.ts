import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import { connect } from "node:http2";
import { createServer as createHttpsServer } from "node:https";
import type { AddressInfo, Server } from "node:net";
import { join } from "node:path";
import { getRequestListener } from "@hono/node-server";
import { describe, expect, it, onTestFinished } from "vitest";
import { parsePeer } from "../../src/cli/peer-option.js";
import { type ServeCommandOptions, serveCommand } from "../../src/cli/serve-command.js";
import { LastAnswer } from "../../src/kubernetes/last-answer.js";
import { createHttpServer } from "../../src/runtime/node/http-server.js";
import {
  createHttpsServer as createSecureServer,
  httpsOptions,
  leaveConnection,
  shownCertificate,
} from "../../src/runtime/node/https-server.js";
import { freshPeer } from "../../src/runtime/node/peers.js";
import { StepAside } from "../../src/runtime/node/step-aside.js";
import { createApp } from "../../src/server/app.js";
import { everyone } from "../../src/server/auth.js";
import { Hub } from "../../src/server/hub.js";
import type { Standing } from "../../src/server/standing.js";
import { encode, failure } from "../support/fake-kube.js";

const file = (name: string): string => join(import.meta.dirname, "../support/certs", name);
const pair = (name: string) => ({ certFile: file(`${name}.crt`), keyFile: file(`${name}.key`) });

describe("a replica", () => {
  function rig(peer: () => string | undefined) {
    let [now, lookedAt] = [1_000_000, 1_000_000];
    const calls: boolean[] = [];
    const lines: string[] = [];
    const aside = new StepAside({
      staleMs: 180_000,
      lastAnswerAt: () => lookedAt,
      now: () => now,
      freshPeer: () => Promise.resolve(peer()),
      stepAside: (leaves) => calls.push(leaves),
      log: (line) => lines.push(line),
    });
    const at = async (seconds: number): Promise<Standing> => {
      now = 1_000_000 + seconds * 1000;
      await aside.check();
      return aside.standing;
    };
    const hear = (): void => {
      lookedAt = now;
    };
    return { at, hear, calls, lines };
  }

  it("steps aside after the time without an answer while another one is up to date, and returns", async () => {
    const { at, hear, calls, lines } = rig(() => "10.0.0.2");
    expect(await at(180)).toMatchObject({ fresh: true, aside: false });
    expect(await at(181)).toEqual({ silentMs: 181_000, fresh: false, aside: true });
    await at(190);
    hear();
    expect(await at(191)).toMatchObject({ fresh: true, aside: false });
    expect(calls).toEqual([true, false]);
    expect(lines).toEqual([
      "no answer from the API server for 180 s; 10.0.0.2 is up to date, so this server is not ready and sends its Envoys away",
      "the API server answers again; this server is up to date",
    ]);
  });

  it("continues to serve if no other is up to date, also after the last such one is stale", async () => {
    let peer: string | undefined = "10.0.0.2";
    const { at, calls, lines } = rig(() => peer);
    await at(200);
    peer = undefined;
    expect(await at(205)).toMatchObject({ fresh: false, aside: false });
    await at(210);
    expect(calls).toEqual([true, false]);
    expect(lines).toHaveLength(2);
    expect(lines[1]).toContain("continues to serve its last state");
    peer = "10.0.0.2";
    expect(await at(215)).toMatchObject({ aside: true });
  });
});

describe("answers of an API server", () => {
  it("count if they are successful, with each chunk of a watch", async () => {
    let now = 0;
    const look = new LastAnswer(() => now);
    const at = async (ms: number, status: number, ...parts: readonly number[]): Promise<number> => {
      now = ms;
      const body = (async function* () {
        for (const part of parts) {
          now = part;
          yield* encode("{}");
        }
      })();
      const answer = status === 200 ? { status, body } : failure(status);
      const transport = look.over({ send: () => Promise.resolve(answer) });
      const { body: read } = await transport.send({
        method: "GET",
        path: "/",
        headers: {},
        signal: AbortSignal.timeout(1000),
      });
      for await (const _ of read);
      return look.at;
    };
    expect(await at(1000, 200)).toBe(1000);
    expect(await at(2000, 503)).toBe(1000);
    expect(await at(3000, 401)).toBe(1000);
    expect(await at(4000, 200, 5000, 9000)).toBe(9000);
  });
});

/** Answers to `GET /readyz?fresh` on a free port. */
async function peer(server: Server, scheme = "http", host = "127.0.0.1"): Promise<URL> {
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => void server.close());
  return new URL(`${scheme}://${host}:${(server.address() as AddressInfo).port}`);
}
const answering = (status: number) =>
  createServer((request, response) => {
    response.writeHead(request.url === "/readyz?fresh" ? status : 404).end();
  });

describe("other replicas", () => {
  it("are checked at each address of a name; one that is up to date is enough", async () => {
    const [good, bad] = [await peer(answering(200)), await peer(answering(503))];
    const named = await peer(answering(200), "http", "localhost");
    const gone = new URL("http://127.0.0.1:1");
    expect(await freshPeer([bad, gone, good], {})).toBe("127.0.0.1");
    expect(await freshPeer([named], {})).toBe("127.0.0.1");
    expect(await freshPeer([bad, gone, new URL("http://nowhere.invalid:1")], {})).toBeUndefined();
    expect(await freshPeer([], {})).toBeUndefined();
  });

  it("count over https only with the same certificate as this one, whatever their address", async () => {
    const { certFile, keyFile } = pair("secure");
    const options = { cert: readFileSync(certFile), key: readFileSync(keyFile) };
    const url = await peer(
      createHttpsServer(options, (_, response) => response.end()),
      "https",
    );
    expect(await freshPeer([url], { certificate: () => shownCertificate(pair("secure")) })).toBe("127.0.0.1");
    for (const other of [shownCertificate(pair("loopback")), undefined])
      expect(await freshPeer([url], { certificate: () => other })).toBeUndefined();
  });

  it.each([
    "10.0.0.2:18000",
    "ftp://a",
    "https://a/path",
    "https://a/?x",
    "https://u:p@a",
    "",
    "https://a/#x",
  ])("have no such URL: %s", (text) => expect(() => parsePeer(text)).toThrow("--peer"));
});

it.each<[Partial<ServeCommandOptions>, string]>([
  [{ kube: [""], staleAfter: "5" }, "--stale-after 5: expected seconds from 10 to 86400"],
  [{ kube: [""], staleAfter: "soon" }, "--stale-after soon: expected seconds from 10 to 86400"],
  [
    { kube: [""], poll: "60", staleAfter: "90" },
    "--stale-after 90: with --poll 60 there may be no answer for 120 s",
  ],
  [{ kube: [""], peer: ["nobody"] }, "--peer nobody: expected the URL of a replica"],
  [{ file: ["."], staleAfter: "60" }, "--stale-after and --peer require --kube"],
  [{ file: ["."], peer: ["http://a"] }, "--stale-after and --peer require --kube"],
])("isoline serve refuses %j", async (given, message) => {
  const options = {
    listen: "127.0.0.1:0",
    store: "memory",
    envoyServiceNamespace: "projectcontour",
    leaderElectionResourceName: "isoline",
  };
  await expect(serveCommand({ ...options, ...given })).rejects.toThrow(message);
});

describe("readiness", () => {
  const statuses = async (standing: Partial<Standing>, ready = true): Promise<readonly unknown[]> => {
    const hub = new Hub({ now: Date.now, log: () => undefined });
    Object.defineProperty(hub, "ready", { value: ready });
    const app = createApp({
      hub,
      status: () => ({}),
      authenticate: everyone,
      standing: () => ({ silentMs: 200_000, fresh: true, aside: false, ...standing }),
    });
    const ask = async (path: string): Promise<unknown> => {
      const answer = await app.request(path);
      return answer.status === 200 ? 200 : ((await answer.json()) as { code: string }).code;
    };
    return [await ask("/readyz"), await ask("/readyz?fresh")];
  };

  it("fails while the replica steps aside; with ?fresh, also while the served state may be old", async () => {
    expect(await statuses({})).toEqual([200, 200]);
    expect(await statuses({ fresh: false })).toEqual([200, "stale"]);
    expect(await statuses({ fresh: false, aside: true })).toEqual(["stepping-aside", "stepping-aside"]);
    expect(await statuses({}, false)).toEqual(["not-ready", "not-ready"]);
  });
});

describe("a connection that a client should leave", () => {
  async function start(tls: boolean): Promise<{ url: string; hub: Hub }> {
    const hub = new Hub({ now: Date.now, log: () => undefined, random: () => 0 });
    const app = createApp({
      hub,
      status: () => ({}),
      authenticate: everyone,
      connections: { leave: leaveConnection },
    });
    const listener = getRequestListener(app.fetch, { hostname: "127.0.0.1" });
    const server: Server = tls
      ? createSecureServer(httpsOptions(pair("loopback")), listener)
      : createHttpServer(listener);
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    onTestFinished(() => {
      hub.close();
      server.close();
    });
    const { port } = server.address() as AddressInfo;
    return { url: `${tls ? "https" : "http"}://127.0.0.1:${port}`, hub };
  }
  const body = JSON.stringify({ node: { id: "a" } });

  it("is closed after an answer over HTTP/1.1", async () => {
    const { url, hub } = await start(false);
    const ask = async (): Promise<string | null> =>
      (await fetch(`${url}/v3/discovery:clusters`, { method: "POST", body })).headers.get("connection");
    expect(await ask()).toBe("keep-alive");
    hub.stepAside(true);
    expect(await ask()).toBe("close");
    hub.stepAside(false);
    expect(await ask()).toBe("keep-alive");
  });

  it("gets GOAWAY over HTTP/2, and its running requests are still answered", async () => {
    const { url, hub } = await start(true);
    const session = connect(url, { rejectUnauthorized: false });
    onTestFinished(() => session.destroy());
    const away = new Promise<string>((resolve) => session.once("goaway", () => resolve("goaway")));
    const poll = (type: string): Promise<number> =>
      new Promise((resolve, reject) => {
        const headers = { "x-envoy-expected-rq-timeout-ms": "4000" };
        const stream = session.request({ ":method": "POST", ":path": `/v3/discovery:${type}`, ...headers });
        stream.on("response", (answer) => resolve(Number(answer[":status"])));
        stream.on("error", reject);
        stream.end(body);
      });
    const statuses = Promise.all(["clusters", "listeners", "routes"].map(poll));
    await new Promise((resolve) => setTimeout(resolve, 200));
    hub.stepAside(true);
    expect(await away).toBe("goaway");
    expect(await statuses).toEqual([503, 503, 503]);
  });
});

it("the own certificate is read again each time", () => {
  const { certFile } = pair("secure");
  expect(shownCertificate(pair("secure"))?.equals(new X509Certificate(readFileSync(certFile)).raw)).toBe(
    true,
  );
  expect(shownCertificate({ certFile: "/nothing", keyFile: "" })).toBeUndefined();
});
