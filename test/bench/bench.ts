import { readFileSync } from "node:fs";
import { encodeResponse } from "../../src/link/respond.js";
import { link, type Snapshot, xdsTypes } from "../../src/link/snapshot.js";
import { formatVersion, hashSet } from "../../src/link/version.js";
import { checkKeyPair } from "../../src/platform/key-pair.js";
import { type KubeObject, parseObject } from "../../src/schema/object.js";
import { createApp } from "../../src/server/app.js";
import { Hub } from "../../src/server/hub.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { update } from "../../src/update.js";
import { application, applications } from "./apps.js";

const runs = 5;
const median = (values: readonly number[]): number =>
  [...values].sort((a, b) => a - b)[values.length >> 1] ?? 0;
const platform = { checkKeyPair };
const options = { endpoints: "auto", xdsCluster: "isoline" } as const;

function timed<T>(work: () => T): [T, number] {
  const start = performance.now();
  const result = work();
  return [result, performance.now() - start];
}

const parse = (value: unknown): KubeObject[] => {
  const parsed = parseObject(value);
  return "object" in parsed ? [parsed.object] : [];
};

const bodies = (snapshot: Snapshot): number => {
  let bytes = 0;
  for (const type of xdsTypes) {
    const resources = snapshot.sets[type];
    if (resources.size === 0) continue;
    const hash = hashSet(resources);
    bytes += encodeResponse(type, { resources, hash, version: formatVersion({ sequence: 1, hash }) }).length;
  }
  return bytes;
};

function compileRun(text: string, count: number): Record<string, number> {
  const [objects, load] = timed(() => text.split("\n").flatMap((line) => parse(JSON.parse(line))));
  const store = createMemoryStore();
  const [, compile] = timed(() => update(store, objects, platform));
  const [bytes, linking] = timed(() => bodies(link(store, options)));
  const changes = [7, 8, 9].map((i) => {
    const proxy = parse(application(i, `team-${i % (count / 50)}`, "20s")[2]);
    return timed(() => update(store, proxy, platform))[1];
  });
  const [, relink] = timed(() => link(store, options));
  return { load, compile, link: linking, change: median(changes), relink, bytes };
}

/** CPU of a poll that gets 304, with the body that a real Envoy posts. */
async function unchangedPoll(): Promise<number> {
  const body = readFileSync(new URL("../test/support/discovery-request.json", import.meta.url), "utf8");
  const hub = new Hub({ now: Date.now, log: () => undefined });
  const store = createMemoryStore();
  update(store, [], platform);
  const snapshot = link(store, options);
  hub.publish(snapshot, 1);
  const app = createApp({ hub, status: () => ({}) });
  const post = (text: string): Response | Promise<Response> =>
    app.request("/v3/discovery:clusters", { method: "POST", body: text });
  const first = (await (await post(body)).json()) as { version_info: string };
  const poll = Buffer.from(
    body.replace(
      '"type_url":"type.googleapis.com/envoy.config.cluster',
      `"version_info":"${first.version_info}",$&`,
    ),
  );
  const count = 2000;
  for (let i = 0; i < 500; i++) await app.request("/v3/discovery:clusters", { method: "POST", body: poll });
  const start = process.cpuUsage();
  for (let i = 0; i < count; i++) await app.request("/v3/discovery:clusters", { method: "POST", body: poll });
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000 / count;
}

const round = (value: number): number => Math.round(value * 100) / 100;
const results: Record<string, unknown>[] = [];
for (const count of [1000, 10_000]) {
  const text = applications(count);
  const all = Array.from({ length: runs }, () => compileRun(text, count));
  const of = (key: string): number => round(median(all.map((run) => run[key] ?? 0)));
  results.push({
    applications: count,
    load_ms: of("load"),
    compile_ms: of("compile"),
    link_ms: of("link"),
    one_change_ms: of("change"),
    relink_ms: of("relink"),
    bytes: of("bytes"),
    peak_rss_mb: round(process.resourceUsage().maxRSS / 1024),
  });
}
const poll = round(await unchangedPoll());
if (process.argv.includes("--json")) console.log(JSON.stringify({ results, unchanged_poll_cpu_ms: poll }));
else {
  console.table(results);
  console.log(`unchanged poll with a real Envoy's 77 KB body: ${poll} ms CPU (mean of 2,000)`);
}
