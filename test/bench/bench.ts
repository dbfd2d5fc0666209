import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism, tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { encodeResponse } from "../../src/link/respond.js";
import { link, type Snapshot, xdsTypes } from "../../src/link/snapshot.js";
import { formatVersion } from "../../src/link/version.js";
import { checkKeyPair } from "../../src/platform/key-pair.js";
import { parseObject } from "../../src/schema/object.js";
import { parseSettings } from "../../src/schema/settings.js";
import { createApp } from "../../src/server/app.js";
import { everyone } from "../../src/server/auth.js";
import { Hub } from "../../src/server/hub.js";
import { readBody } from "../../src/server/request.js";
import { readManifests } from "../../src/sources/files/objects.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { type Change, update } from "../../src/update.js";
import { encodeBody } from "../support/body.js";
import { application, applications, gatewayApplications, gatewaySettings } from "./apps.js";

/** Figures by name: milliseconds, bytes or megabytes. */
type Figures = Record<string, number>;
/** Medians, and beside those of times their spread as text. */
type Medians = Record<string, number | string>;

const sizes = [1000, 10_000];
const gateways = 50;
const runs = 5;
const platform = { checkKeyPair };
const options = { endpoints: "auto", xdsCluster: "isoline" } as const;

const round = (value: number): number => Math.round(value * 100) / 100;
const median = (values: readonly number[]): number =>
  round([...values].sort((a, b) => a - b)[values.length >> 1] ?? 0);

function timed<T>(work: () => T): [T, number] {
  const start = performance.now();
  const result = work();
  return [result, performance.now() - start];
}

function encode(snapshot: Snapshot): number {
  let bytes = 0;
  for (const type of xdsTypes) {
    const resources = snapshot.sets[type];
    const version = formatVersion({ sequence: 1, hash: resources.hash });
    if (resources.size > 0) bytes += encodeBody(encodeResponse(type, { resources, version }, options));
  }
  return bytes;
}

/** The HTTPProxy of application `i` with another timeout. */
function changed(i: number, count: number, timeout: string): Change {
  const parsed = parseObject(application(i, `team-${i % (count / 50)}`, timeout)[2]);
  if (!("object" in parsed)) throw new Error("the bench's HTTPProxy is not valid");
  return parsed.object;
}

/** CPU milliseconds of a call, with those of garbage collection. */
function cpuOfCall(work: () => unknown): number {
  const start = process.cpuUsage();
  work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

/** One process: the same applications as HTTPRoutes. */
function measureRoutes(file: string): Figures {
  const { objects } = readManifests([file], []);
  const all = [parseSettings(gatewaySettings).settings, ...objects];
  const store = createMemoryStore();
  const routes_compile_cpu_ms = cpuOfCall(() => update(store, all, platform));
  return { routes_compile_cpu_ms };
}

/** One process: files in, JSON out, then changes of one route of one application. */
function measureSize(file: string, count: number): Figures {
  const [manifests, load] = timed(() => readManifests([file], []));
  const store = createMemoryStore();
  let cpu = 0;
  const [, compile] = timed(() => {
    cpu = cpuOfCall(() => update(store, manifests.objects, platform));
  });
  const [[first, bytes], linking] = timed(() => {
    const linked = link(store, options);
    return [linked, encode(linked)] as const;
  });
  const hub = new Hub({ now: Date.now, log: () => undefined });
  hub.publish(first, 1);
  let snapshot = first;
  const changes = Array.from({ length: 11 }, (_, n) => {
    const change = changed(n * 7, count, `${20 + n}s`);
    const [, updating] = timed(() => update(store, [change], platform));
    const [, linkAgain] = timed(() => {
      snapshot = link(store, options, snapshot);
    });
    const [, publishing] = timed(() => hub.publish(snapshot, n + 2));
    const [, encoding] = timed(() => {
      const resources = snapshot.sets.routes;
      const version = formatVersion({ sequence: n, hash: resources.hash });
      encodeBody(encodeResponse("routes", { resources, version }, options));
    });
    return { updating, linkAgain, publishing, encoding };
  });
  const of = (pick: (change: (typeof changes)[number]) => number): number => median(changes.map(pick));
  const peak = process.resourceUsage().maxRSS / 1024;
  globalThis.gc?.();
  return {
    load_ms: load,
    compile_ms: compile,
    compile_cpu_ms: cpu,
    link_ms: linking,
    total_ms: load + compile + linking,
    change_update_ms: of(({ updating }) => updating),
    change_link_ms: of(({ linkAgain }) => linkAgain),
    change_publish_ms: of(({ publishing }) => publishing),
    change_served_ms: of((one) => one.updating + one.linkAgain + one.publishing),
    change_encode_ms: of(({ encoding }) => encoding),
    bytes,
    peak_rss_mb: peak,
    heap_used_mb: process.memoryUsage().heapUsed / 1024 / 1024,
  };
}

/** CPU of a poll that gets 304, with the body that a real Envoy posts: its JSON without white space. */
async function measurePoll(): Promise<Figures> {
  const file = new URL("../../test/support/discovery-request.json", import.meta.url);
  const body = JSON.stringify(JSON.parse(readFileSync(file, "utf8")));
  const hub = new Hub({ now: Date.now, log: () => undefined });
  const store = createMemoryStore();
  update(store, [], platform);
  hub.publish(link(store, options), 1);
  const app = createApp({ hub, status: () => ({}), authenticate: everyone });
  const post = (content: string | Buffer): Response | Promise<Response> =>
    app.request("/v3/discovery:clusters", { method: "POST", body: content });
  const first = (await (await post(body)).json()) as { version_info: string };
  const poll = Buffer.from(`{"version_info":"${first.version_info}",${body.slice(1)}`);
  if ((await post(poll)).status !== 304) throw new Error("a poll was answered");
  const request = (): Request => new Request("http://localhost/", { method: "POST", body: poll });
  return {
    unchanged_poll_cpu_ms: await cpuOf(async () => post(poll)),
    // Of that, what it takes to make and read a Request: the bench's own part.
    request_alone_cpu_ms: await cpuOf(() => readBody(request())),
    body_bytes: poll.length,
  };
}

/** Mean CPU milliseconds of a call. */
async function cpuOf(work: () => Promise<unknown>): Promise<number> {
  const count = 2000;
  for (let i = 0; i < count / 4; i++) await work();
  const start = process.cpuUsage();
  for (let i = 0; i < count; i++) await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000 / count;
}

/** Runs this file again in a process of its own. */
function inProcess(...args: readonly string[]): Figures {
  const node = [...process.execArgv, fileURLToPath(import.meta.url), ...args];
  const { stdout, status, stderr } = spawnSync(process.execPath, node, { encoding: "utf8" });
  if (status !== 0) throw new Error(stderr);
  return JSON.parse(stdout) as Figures;
}

/** Measures several times, and gives the median of every figure, and the spread of each time. */
function medians(measure: () => Figures): Medians {
  const all = Array.from({ length: runs }, measure);
  return Object.fromEntries(
    Object.keys(all[0] ?? {}).flatMap((key) => {
      const values = all.map((run) => run[key] ?? 0);
      const spread = [Math.min(...values), Math.max(...values)].map(round);
      const own: [string, number | string][] = [[key, median(values)]];
      if (key.endsWith("_ms")) own.push([`${key}_min_max`, spread.join(" - ")]);
      return own;
    }),
  );
}

function compare(folder: string): object {
  const results = sizes.map((count) => {
    const file = join(folder, `${count}.jsonl`);
    const routes = join(folder, `${count}-routes.jsonl`);
    writeFileSync(file, applications(count));
    writeFileSync(routes, gatewayApplications(count, gateways));
    return {
      applications: count,
      ...medians(() => {
        const proxies = inProcess("--size", String(count), file);
        const { routes_compile_cpu_ms = 0 } = inProcess("--routes", String(count), routes);
        // HTTPRoutes against HTTPProxies, one after the other: the load of the machine is about the same.
        const routes_to_proxies = routes_compile_cpu_ms / (proxies.compile_cpu_ms ?? 1);
        return { ...proxies, routes_compile_cpu_ms, routes_to_proxies };
      }),
    };
  });
  const polls = medians(() => inProcess("--poll"));
  return { cores: availableParallelism(), node: process.version, runs, results, ...polls };
}

const [kind, size, file] = process.argv.slice(2);
if (kind === "--size") console.log(JSON.stringify(measureSize(file ?? "", Number(size))));
else if (kind === "--routes") console.log(JSON.stringify(measureRoutes(file ?? "")));
else if (kind === "--poll") console.log(JSON.stringify(await measurePoll()));
else {
  const folder = mkdtempSync(join(tmpdir(), "isoline-bench-"));
  try {
    const report = compare(folder);
    console.log(JSON.stringify(report, null, kind === "--json" ? 0 : 2));
  } finally {
    rmSync(folder, { recursive: true });
  }
}
