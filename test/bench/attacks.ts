import { spawnSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { Engine } from "../../src/engine/engine.js";
import { review } from "../../src/engine/review.js";
import { checkKeyPair } from "../../src/platform/key-pair.js";
import { startServer } from "../../src/runtime/node/serve.js";
import { parseSettings } from "../../src/schema/settings.js";
import { Hub } from "../../src/server/hub.js";
import { PushedSources } from "../../src/sources/push/push-source.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { update } from "../../src/update.js";
import { attacks, plain } from "../support/attacks.js";
import { startEnvoy } from "../support/envoy.js";
import { gatewaySettings } from "../support/gateway.js";
import { freePort } from "../support/http.js";

/** Milliseconds of CPU, megabytes, bytes. */
type Figures = Record<string, number>;

const usual = 100_000;
const platform = { checkKeyPair };
const { settings } = parseSettings(gatewaySettings);

const round = (value: number): number => Math.round(value * 10) / 10;

/** In ms. */
async function cpuOf(work: () => void | Promise<void>): Promise<number> {
  const start = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000;
}

const objectsOf = (shape: string, bytes: number): readonly object[] =>
  (shape === "plain" ? plain : (attacks[shape] ?? plain))(bytes);

/** One process: a push of the objects, and an admission review of each of them. */
async function measure(shape: string, bytes: number): Promise<Figures> {
  const objects = objectsOf(shape, bytes);
  const store = createMemoryStore();
  update(store, [settings], platform);
  const hub = new Hub({ now: Date.now, log: () => undefined });
  const sources = new PushedSources(new Engine({ store, platform, outlet: hub, now: Date.now }));
  const push = { name: "web", strict: false, dryRun: false, acceptShrink: true };
  // A server has run for a while: it has seen such objects.
  const list = (items: readonly object[]): string =>
    JSON.stringify({ apiVersion: "v1", kind: "List", items });
  for (const items of [plain(30_000), objectsOf(shape, 20_000)])
    for (let i = 0; i < 5; i++) await sources.put({ ...push, text: `${list(items)}${" ".repeat(i)}` });
  const text = list(objects);
  globalThis.gc?.();
  let findings: readonly object[] = [];
  const pushed = await cpuOf(async () => {
    const result = await sources.put({ ...push, text });
    findings = "refused" in result ? result.refused.findings : result.findings;
  });
  const peak = process.resourceUsage().maxRSS / 1000;
  let longest = 0;
  const other = createMemoryStore();
  update(other, [settings], platform);
  const options = { store: other, platform, ready: true, strict: false, now: 0 };
  const reviewed = await cpuOf(async () => {
    for (const object of objects) {
      const took = await cpuOf(() => void review(object, undefined, options));
      longest = Math.max(longest, took);
    }
  });
  return {
    bytes: text.length,
    push_cpu_ms: pushed,
    peak_rss_mb: peak,
    reviews_cpu_ms: reviewed,
    longest_review_ms: longest,
    findings: findings.length,
    findings_bytes: JSON.stringify(findings).length,
  };
}

const residentMb = (pid: number): number =>
  Number(/VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, "utf8"))?.[1]) / 1000;

/** Memory of an Envoy that is served the objects, beside that of one that is served none. */
async function measureEnvoy(objects: readonly object[]): Promise<number> {
  const folder = mkdtempSync(join(tmpdir(), "isoline-attack-"));
  writeFileSync(
    join(folder, "objects.json"),
    JSON.stringify({ apiVersion: "v1", kind: "List", items: objects }),
  );
  const settingsFile = join(folder, "settings.yaml");
  const port = await freePort();
  const [http, https, stats] = [await freePort(), await freePort(), await freePort()];
  const on = (at: number) => ({ address: "127.0.0.1", port: at });
  writeFileSync(
    settingsFile,
    JSON.stringify({
      ...gatewaySettings,
      http: on(http),
      https: on(https),
      stats: on(stats),
      routeShards: 1,
    }),
  );
  const server = await startServer({
    paths: [join(folder, "objects.json")],
    settingsFile,
    host: "127.0.0.1",
    port,
    log: () => undefined,
  });
  const envoy = await startEnvoy({ xdsPort: port });
  try {
    for (let i = 0; i < 300 && !(await envoy.ready()); i++) await sleep(100);
    await sleep(2000);
    await envoy.ask("/memory");
    const rejected = await envoy.rejected();
    if (rejected.length > 0) throw new Error(`Envoy refuses it: ${rejected.join(", ")}`);
    return residentMb(envoy.pid);
  } finally {
    await envoy.stop();
    await server.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

function inProcess(shape: string, bytes: number): Figures {
  const node = [...process.execArgv, fileURLToPath(import.meta.url), "--shape", shape, String(bytes)];
  const { stdout, status, stderr } = spawnSync(process.execPath, node, {
    encoding: "utf8",
    timeout: 120_000,
  });
  if (status !== 0) throw new Error(`${shape}: ${stderr}`);
  return JSON.parse(stdout) as Figures;
}

/** Of three processes the one with the least CPU of a push. */
const best = (shape: string, bytes: number): Figures =>
  [0, 1, 2]
    .map(() => inProcess(shape, bytes))
    .sort((a, b) => (a.push_cpu_ms ?? 0) - (b.push_cpu_ms ?? 0))[0] ?? {};

async function report(bytes: number, withEnvoy: boolean, only: RegExp): Promise<void> {
  const base = withEnvoy ? await measureEnvoy([]) : 0;
  for (const shape of ["plain", ...Object.keys(attacks).filter((name) => only.test(name))]) {
    const figures = best(shape, bytes);
    // Of some shapes the parts are larger than what is asked for.
    const same = shape === "plain" ? figures : best("plain", figures.bytes ?? bytes);
    const ratio = (key: string, least: number): number =>
      round((figures[key] ?? 0) / Math.max(least, same[key] ?? 0));
    const row = {
      shape,
      ...Object.fromEntries(Object.entries(figures).map(([key, value]) => [key, round(value)])),
      push_ratio: ratio("push_cpu_ms", 1),
      memory_ratio: ratio("peak_rss_mb", 1),
      reviews_ratio: ratio("reviews_cpu_ms", 1),
      ...(withEnvoy ? { envoy_mb_more: round((await measureEnvoy(objectsOf(shape, bytes))) - base) } : {}),
    };
    console.log(JSON.stringify(row));
  }
}

const args = process.argv.slice(2);
if (args[0] === "--shape") console.log(JSON.stringify(await measure(args[1] ?? "", Number(args[2]))));
else {
  const value = (name: string): string | undefined => args[args.indexOf(name) + 1];
  const bytes = args.includes("--bytes") ? Number(value("--bytes")) : usual;
  const only = new RegExp(args.includes("--only") ? (value("--only") ?? "") : "");
  await report(bytes, args.includes("--envoy"), only);
}
