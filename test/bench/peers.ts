import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { homedir, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { gzipSync } from "node:zlib";
import { link } from "../../src/link/snapshot.js";
import { checkKeyPair } from "../../src/platform/key-pair.js";
import { createApp } from "../../src/server/app.js";
import { everyone } from "../../src/server/auth.js";
import { Hub } from "../../src/server/hub.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { update } from "../../src/update.js";
import { sourceOf } from "../support/source.js";
import { applications } from "./apps.js";
import { buildContour, measureContour } from "./contour-peer.js";
import { measureOutside } from "./outside.js";

type Figures = Record<string, number>;

const runs = 5;
const count = 1000;

/** Mean CPU milliseconds of a call, of as many calls as the peer makes. */
async function cpuOf(work: () => unknown): Promise<number> {
  for (let i = 0; i < count / 4; i++) await work();
  const start = process.cpuUsage();
  for (let i = 0; i < count; i++) await work();
  const { user, system } = process.cpuUsage(start);
  return (user + system) / 1000 / count;
}

/** The same polls of a server with a thousand clusters. */
async function ours(body: string): Promise<Figures> {
  const hub = new Hub({ now: Date.now, log: () => undefined });
  const store = createMemoryStore();
  update(store, (await sourceOf(applications(count))).objects, { checkKeyPair });
  hub.publish(link(store, { endpoints: "eds", xdsCluster: "isoline" }), 1);
  const app = createApp({ hub, status: () => ({}), authenticate: everyone });
  const post = async (content: Buffer, headers: Record<string, string> = {}): Promise<Response> =>
    app.request("/v3/discovery:clusters", { method: "POST", body: content, headers });
  const all = Buffer.from(body);
  const answer = await (await post(all)).text();
  const { version_info: version } = JSON.parse(answer) as { version_info: string };
  const current = Buffer.from(`{"version_info":"${version}",${body.slice(1)}`);
  const packed = gzipSync(current);
  const gzip = { "content-encoding": "gzip" };
  if ((await post(packed, gzip)).status !== 304) throw new Error("a poll was answered");
  return {
    unchanged_poll_cpu_ms: await cpuOf(() => post(current)),
    unchanged_gzip_poll_cpu_ms: await cpuOf(() => post(packed, gzip)),
    full_answer_cpu_ms: await cpuOf(async () => (await post(all)).arrayBuffer()),
    answer_bytes: Buffer.byteLength(answer),
  };
}

const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "isoline", "peers");

/** Builds the peer from the Go module proxy; undefined, with a notice, where Go is missing. */
function buildPeer(): string | undefined {
  const program = join(cache, "peers");
  mkdirSync(cache, { recursive: true });
  try {
    const env = { ...process.env, CGO_ENABLED: "0" };
    execFileSync("go", ["build", "-trimpath", "-o", program, "."], { cwd: "test/bench/peers", env });
    return program;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== "ENOENT") throw error;
    console.error("isoline: go-control-plane is not measured: its bench needs Go (https://go.dev/dl)");
    return undefined;
  }
}

const median = (values: readonly number[]): number =>
  Math.round(([...values].sort((a, b) => a - b)[values.length >> 1] ?? 0) * 1000) / 1000;

const medians = (all: readonly Figures[]): Figures =>
  Object.fromEntries(
    Object.keys(all[0] ?? {}).map((key) => [key, median(all.map((figures) => figures[key] ?? 0))]),
  );

/** Ours over theirs, of what both have. */
const ratios = (isoline: Figures, peer: Figures): Figures =>
  Object.fromEntries(
    Object.entries(peer).flatMap(([key, value]) => {
      const own = isoline[key];
      return own === undefined ? [] : [[key, median([own / value])]];
    }),
  );

/** Contour's compiler, where its source is given. */
async function compareContour(folder: string): Promise<void> {
  const { contour: source } = parseArgs({ options: { contour: { type: "string" } } }).values;
  if (source === undefined) {
    console.error("isoline: Contour is not measured: give the folder of its source with --contour DIR");
    return;
  }
  const program = buildContour(source, cache);
  for (const size of [100, 1000, 10_000]) {
    const all: Awaited<ReturnType<typeof measureContour>>[] = [];
    for (let run = 0; run < runs; run++) all.push(await measureContour(program, folder, size));
    const isoline = medians(all.map((one) => one.isoline));
    const contour = medians(all.map((one) => one.contour));
    console.log(
      JSON.stringify({ applications: size, runs, isoline, contour, ratio: ratios(isoline, contour) }),
    );
  }
}

const folder = mkdtempSync(join(tmpdir(), "isoline-peers-"));
try {
  const { version_info: _, ...asked } = JSON.parse(
    readFileSync("test/support/discovery-request.json", "utf8"),
  ) as Record<string, unknown>;
  const body = JSON.stringify(asked);
  const file = join(folder, "body.json");
  writeFileSync(file, body);
  const peer = buildPeer();
  const served = join(folder, "served");
  mkdirSync(served);
  const [own, theirs]: [Figures[], Figures[]] = [[], []];
  for (let i = 0; i < runs; i++) {
    const outside = await measureOutside(served, body, peer ? [peer, file] : undefined);
    own.push({ ...(await ours(body)), ...outside.isoline });
    if (peer)
      theirs.push({
        ...(JSON.parse(execFileSync(peer, [file], { encoding: "utf8" })) as Figures),
        ...outside.goControlPlane,
      });
  }
  const [isoline, goControlPlane] = [medians(own), medians(theirs)];
  console.log(
    JSON.stringify(
      {
        runs,
        body_bytes: body.length,
        isoline,
        ...(peer ? { go_control_plane: goControlPlane, ratio: ratios(isoline, goControlPlane) } : {}),
      },
      null,
      2,
    ),
  );
  await compareContour(folder);
} finally {
  rmSync(folder, { recursive: true });
}
