import { readFileSync } from "node:fs";
import { connect, type Socket } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { expect, it } from "vitest";
import { application, applications } from "../bench/apps.js";
import { tokenLine } from "../support/cluster-worker.js";
import { eventually } from "../support/envoy.js";
import { startCappedWorker } from "../support/workerd.js";

/** An isolate has 128 MB; 24 of them are left for bytes outside of the heap. */
const heapMegabytes = 104;
const polls = 8000;
const apps = 300;

/** One poll with a connection of its own; what it gets is counted and thrown away. */
class RawPoll {
  status = 0;
  bytes = 0;
  readonly #socket: Socket;
  #head = "";

  constructor(port: number, token: string, node: string, version: string) {
    this.#socket = connect(port, "127.0.0.1");
    const body = JSON.stringify({ version_info: version, node: { id: node }, resource_names: [] });
    const head = [
      "POST /v3/discovery:clusters HTTP/1.1",
      "host: isoline",
      `authorization: Bearer ${token}`,
      "x-envoy-expected-rq-timeout-ms: 305000",
      `content-length: ${Buffer.byteLength(body)}`,
      "connection: close",
    ];
    this.#socket.write(`${head.join("\r\n")}\r\n\r\n${body}`);
    this.#socket.on("data", (data) => {
      this.bytes += data.length;
      if (this.status > 0) return;
      this.#head += data.toString("latin1");
      this.status = Number(/^HTTP\/1\.1 (\d+)/.exec(this.#head)?.[1] ?? 0);
    });
    this.#socket.on("error", () => undefined);
  }

  get open(): boolean {
    return !this.#socket.destroyed;
  }

  close(): void {
    this.#socket.destroy();
  }
}

it(`answers ${polls} held polls of one publication within the memory of an isolate`, async () => {
  const { url, isAlive, pid } = await startCappedWorker(heapMegabytes, {
    ISOLINE_INSECURE: "1",
    ISOLINE_TOKENS: [
      tokenLine("publish", "p"),
      tokenLine("read", "r"),
      ...["n1", "n2"].map((name) => tokenLine("node", name)),
    ].join("\n"),
  });
  const megabytes = (): number =>
    Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1] ?? 0) / 1024;
  const push = async (text: string): Promise<void> => {
    const headers = { authorization: "Bearer p", "content-encoding": "gzip", connection: "close" };
    const answer = await fetch(`${url}/sources/main`, { method: "PUT", headers, body: gzipSync(text) });
    expect(answer.status).toBe(200);
    await answer.arrayBuffer();
  };
  interface Status {
    readonly waiting: number;
    readonly types: { readonly clusters: { readonly version: string } };
  }
  const status = async (): Promise<Status> => {
    const headers = { authorization: "Bearer r", connection: "close" };
    return (await (await fetch(`${url}/status`, { headers })).json()) as Status;
  };
  const settings =
    '{"apiVersion":"isoline.dev/v1","kind":"IsolineSettings","metadata":{"name":"s"},"spec":{"polls":{"hold":"300s"},"endpoints":"inline"}}';
  await push(`${applications(apps)}\n${settings}`);
  const { types } = await status();
  const port = Number(new URL(url).port);
  const all: RawPoll[] = [];
  for (let i = 0; i < polls; i++) {
    all.push(new RawPoll(port, i % 2 ? "n1" : "n2", `envoy-${i}`, types.clusters.version));
    if (i % 200 === 199) await sleep(500);
  }
  await sleep(5000);
  expect(all.filter(({ open, status }) => !open || status > 0)).toEqual([]);
  expect((await status()).waiting).toBe(polls);
  const before = megabytes();
  const since = performance.now();
  const edited = application(7, "team-7", "3s").map((object) => JSON.stringify(object));
  const newcomer = application(apps, "team-0").map((object) => JSON.stringify(object));
  await push([applications(apps), ...edited, ...newcomer, settings].join("\n"));
  let peak = 0;
  await eventually(
    async () => {
      peak = Math.max(peak, megabytes());
      return all.every(({ open }) => !open);
    },
    "all polls are answered",
    250_000,
  );
  const seconds = (performance.now() - since) / 1000;
  const sizes = all.map(({ bytes }) => bytes);
  const least = Math.min(...sizes);
  console.log(
    `${polls} polls of ${Math.round(least / 1000)} KB: ${seconds.toFixed(1)} s, ${before.toFixed(0)} MB before, ${peak.toFixed(0)} MB at most`,
  );
  expect(isAlive()).toBe(true);
  expect(all.filter((poll) => poll.status !== 200)).toEqual([]);
  expect(least).toBeGreaterThan(100_000);
  expect(Math.max(...sizes) - least).toBeLessThan(1000);
});
