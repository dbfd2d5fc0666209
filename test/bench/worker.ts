import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { gzipSync } from "node:zlib";
import { Miniflare } from "miniflare";
import { freePort } from "../support/http.js";
import { compatibility } from "../support/wrangler.js";
import { applications } from "./apps.js";

type Figures = Record<string, number>;

const polls = 2000;
const lineOf = (role: string, token: string): string =>
  `${role} sha256:${createHash("sha256").update(token).digest("hex")}`;

/** Resident memory of this process's workerd, in MB: more than its isolate's heap. */
function rssOf(): number {
  const children = execFileSync("ps", ["-o", "rss=,comm=", "--ppid", String(process.pid)], {
    encoding: "utf8",
  });
  return Math.round(Number(/(\d+) workerd/.exec(children)?.[1] ?? 0) / 1024);
}

/** CPU time of this process's workerd so far, all its threads, in ms. */
function cpuOf(): number {
  const children = execFileSync("ps", ["-o", "pid=,comm=", "--ppid", String(process.pid)], {
    encoding: "utf8",
  });
  const pid = /(\d+) workerd/.exec(children)?.[1];
  const fields = readFileSync(`/proc/${pid}/stat`, "utf8").split(") ")[1]?.split(" ") ?? [];
  return (Number(fields[11]) + Number(fields[12])) * 10;
}

/** CPU of workerd for a poll with nothing new, with the body that a real Envoy posts and without a hold. */
async function unchangedPoll(url: string, version: string): Promise<number> {
  const node = JSON.parse(
    readFileSync(new URL("../../test/support/discovery-request.json", import.meta.url), "utf8"),
  ) as object;
  const body = JSON.stringify({ version_info: version, ...node });
  const ask = async (): Promise<void> => {
    const headers = { authorization: "Bearer n" };
    const answer = await fetch(`${url}/v3/discovery:listeners`, { method: "POST", headers, body });
    if (answer.status !== 304) throw new Error(`unchanged poll: ${answer.status}`);
    await answer.arrayBuffer();
  };
  for (let i = 0; i < polls / 4; i++) await ask();
  const before = cpuOf();
  for (let i = 0; i < polls; i++) await ask();
  return Math.round(((cpuOf() - before) / polls) * 1000) / 1000;
}

async function timed<T>(work: () => Promise<T>): Promise<[T, number]> {
  const start = performance.now();
  const result = await work();
  return [result, Math.round(performance.now() - start)];
}

interface Profile {
  readonly nodes: readonly { readonly id: number; readonly callFrame: { readonly functionName: string } }[];
  readonly samples: readonly number[];
  /** Microseconds. */
  readonly timeDeltas: readonly number[];
}

/** The size of the bundle, and how long its top level runs in workerd, by the profile that wrangler takes of it. */
function measureBundle(): Figures {
  const folder = mkdtempSync(join(tmpdir(), "isoline-bench-"));
  try {
    const file = join(folder, "startup.cpuprofile");
    execFileSync("npx", ["wrangler", "check", "startup", "--outfile", file], { stdio: "ignore" });
    const { nodes, samples, timeDeltas } = JSON.parse(readFileSync(file, "utf8")) as Profile;
    const idle = new Set(
      nodes.flatMap(({ id, callFrame }) => (callFrame.functionName === "(idle)" ? [id] : [])),
    );
    const busy = samples.reduce((sum, id, i) => sum + (idle.has(id) ? 0 : (timeDeltas[i] ?? 0)), 0);
    const bundle = readFileSync("dist/worker.js");
    return {
      bundle_kb: Math.round(bundle.length / 1000),
      bundle_gzip_kb: Math.round(gzipSync(bundle).length / 1000),
      start_ms: Math.round(busy / 1000),
    };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

const quantile = (values: readonly number[], share: number): number =>
  Math.round([...values].sort((a, b) => a - b)[Math.floor((values.length - 1) * share)] ?? 0);

/** A poll that is answered at once, whatever there is. */
async function unheld(url: string): Promise<void> {
  const headers = { authorization: "Bearer n", connection: "close" };
  const body = JSON.stringify({ node: { id: "unheld" } });
  const answer = await fetch(`${url}/v3/discovery:listeners`, { method: "POST", headers, body });
  await answer.arrayBuffer();
  if (answer.status !== 200) throw new Error(`poll: ${answer.status}`);
}

/** How long polls with nothing to wait for take while something else goes on, in ms. */
async function pollWaits(ask: () => Promise<unknown>, during: Promise<unknown>): Promise<Figures> {
  let goesOn = true;
  const ended = during.finally(() => {
    goesOn = false;
  });
  const waits: number[] = [];
  while (goesOn) {
    const [, ms] = await timed(ask);
    waits.push(ms);
    await sleep(50);
  }
  await ended;
  return {
    poll_wait_p50_ms: quantile(waits, 0.5),
    poll_wait_p95_ms: quantile(waits, 0.95),
    poll_wait_max_ms: quantile(waits, 1),
  };
}

/** Pushes so many applications to the built Worker in workerd, and wakes held polls with a change. */
async function measure(count: number): Promise<Figures> {
  const folder = mkdtempSync(join(tmpdir(), "isoline-bench-"));
  const port = await freePort();
  const worker = new Miniflare({
    host: "127.0.0.1",
    port,
    modules: [{ type: "ESModule", path: "worker.js", contents: readFileSync("dist/worker.js", "utf8") }],
    ...compatibility,
    durableObjects: { FLEET: { className: "Fleet", useSQLite: true } },
    durableObjectsPersist: folder,
    bindings: {
      ISOLINE_INSECURE: "1",
      ISOLINE_TOKENS: [lineOf("publish", "p"), lineOf("node", "n")].join("\n"),
    },
  });
  try {
    await worker.ready;
    return await steps(`http://127.0.0.1:${port}`, count);
  } finally {
    await worker.dispose();
    rmSync(folder, { recursive: true });
  }
}

async function steps(url: string, count: number): Promise<Figures> {
  const send = async (text: string): Promise<void> => {
    const headers = { authorization: "Bearer p", "content-encoding": "gzip" };
    const answer = await fetch(`${url}/sources/main`, { method: "PUT", headers, body: gzipSync(text) });
    if (answer.status !== 200) throw new Error(`push: ${answer.status} ${await answer.text()}`);
    let { left } = (await answer.json()) as { left?: number };
    while (left) {
      await sleep(100);
      const now = await fetch(`${url}/sources/main`, { headers: { authorization: "Bearer p" } });
      ({ left } = (await now.json()) as { left?: number });
    }
  };
  const poll = async (node: string, version = ""): Promise<{ version: string; at: number }> => {
    const headers = { authorization: "Bearer n", "x-envoy-expected-rq-timeout-ms": "30000" };
    const body = JSON.stringify({ version_info: version, node: { id: node } });
    let answer = await fetch(`${url}/v3/discovery:listeners`, { method: "POST", headers, body });
    // As an Envoy does at the end of the time that its poll is held.
    while (answer.status === 304)
      answer = await fetch(`${url}/v3/discovery:listeners`, { method: "POST", headers, body });
    if (answer.status !== 200) throw new Error(`poll: ${answer.status}`);
    const { version_info } = (await answer.json()) as { version_info: string };
    return { version: version_info, at: performance.now() };
  };
  const text = applications(count);
  const small = {
    kind: "Service",
    apiVersion: "v1",
    metadata: { name: "a" },
    spec: { ports: [{ port: 80 }] },
  };
  await send(JSON.stringify(small));
  const idle = rssOf();
  const push = timed(() => send(text));
  const waits = await pollWaits(() => unheld(url), push);
  const [, first] = await push;
  const pushed = rssOf();
  const [, again] = await timed(() => send(`${text}\n`));
  const { version } = await poll("one");
  const unchanged = await unchangedPoll(url, version);
  const held = Array.from({ length: polls }, (_, i) => poll(`node-${i}`, version));
  await sleep(4000);
  const waiting = rssOf();
  const settings = { kind: "IsolineSettings", spec: { http: { address: "127.0.0.1", port: 18_080 } } };
  const began = performance.now();
  await send(`${text}\n${JSON.stringify(settings)}`);
  const answers = await Promise.all(held);
  return {
    first_push_ms: first,
    ...waits,
    unchanged_push_ms: again,
    unchanged_poll_cpu_ms: unchanged,
    // From the start of the push of other settings, of which every unit is compiled anew.
    [`woken_${polls}_polls_ms`]: Math.round(Math.max(...answers.map(({ at }) => at)) - began),
    idle_rss_mb: idle,
    pushed_rss_mb: pushed,
    waiting_rss_mb: waiting,
  };
}

console.log(JSON.stringify(measureBundle()));
const sizes = process.argv.slice(2).map(Number);
for (const count of sizes.length > 0 ? sizes : [100, 1000, 10_000])
  console.log(JSON.stringify({ applications: count, ...(await measure(count)) }));
