import { spawnSync } from "node:child_process";
import { createReadStream, mkdtempSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import { encodeResponse } from "../../src/link/respond.js";
import { selectVersion, serveSet } from "../../src/link/served.js";
import { link, type Snapshot } from "../../src/link/snapshot.js";
import { checkKeyPair } from "../../src/platform/key-pair.js";
import { parseObject } from "../../src/schema/object.js";
import { Hub } from "../../src/server/hub.js";
import { createMemoryStore } from "../../src/store/memory.js";
import { createSqliteStore } from "../../src/store/sqlite.js";
import type { Store } from "../../src/store/store.js";
import { type Change, update } from "../../src/update.js";
import { encodeBody } from "../support/body.js";
import { application, applications } from "./apps.js";
import { certificateText } from "./certificates.js";

type Figures = Record<string, number>;
type Kind = "memory" | "sqlite";

const repeats = 11;
/** Beyond some 40,000 applications one route table is more than Envoy can be sent. */
const optionsFor = (count: number) =>
  ({ endpoints: "auto", xdsCluster: "isoline", routeShards: count > 20_000 ? 16 : 1 }) as const;
const platform = { checkKeyPair };
/** Objects that are put into a store in one transaction. */
const batch = 500;

const round = (value: number): number => Math.round(value * 100) / 100;
const median = (values: readonly number[]): number =>
  round([...values].sort((a, b) => a - b)[values.length >> 1] ?? 0);

async function openStore(kind: Kind, folder: string): Promise<Store> {
  return kind === "memory" ? createMemoryStore() : createSqliteStore(join(folder, "store.db"));
}

const parsed = (raw: object): Change => {
  const found = parseObject(raw);
  if (!("object" in found)) throw new Error("the bench's object is not valid");
  return found.object;
};

/** Reads JSON Lines into a store, so many objects at a time: never all of them in memory. */
async function build(store: Store, file: string): Promise<void> {
  let some: Change[] = [];
  const put = (): void => {
    update(store, some, platform);
    some = [];
  };
  for await (const line of createInterface(createReadStream(file))) {
    const found = parseObject(JSON.parse(line));
    if ("object" in found) some.push(found.object);
    if (some.length >= batch) put();
  }
  put();
}

/** Edits of one object of each kind, the `n`th time. */
const edits: Readonly<Record<string, (n: number, count: number) => object | undefined>> = {
  route: (n, count) => application(n, `team-${n % (count / 50)}`, `${20 + n}s`)[2],
  service: (n, count) => {
    const [service] = application(n, `team-${n % (count / 50)}`) as [Record<string, object>];
    const metadata = {
      ...service.metadata,
      annotations: { "projectcontour.io/max-requests": String(100 + n) },
    };
    return { ...service, metadata };
  },
  endpoint: (n, count) => {
    const slice = application(n, `team-${n % (count / 50)}`)[1] as { endpoints: object[] };
    return { ...slice, endpoints: slice.endpoints.slice(0, 2) };
  },
  secret: (n) => ({
    apiVersion: "v1",
    kind: "Secret",
    type: "kubernetes.io/tls",
    metadata: { namespace: "team-0", name: "pair" },
    data: certificateText(n % 2 === 0 ? "tcp" : "secure"),
  }),
};

const withTls = (): object => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: { namespace: "team-0", name: "with-tls" },
  spec: {
    virtualhost: { fqdn: "with-tls.test", tls: { secretName: "pair" } },
    routes: [{ directResponsePolicy: { statusCode: 200 } }],
  },
});

/** Writes out the answers of all route tables, chunk by chunk; their bytes. */
function encodeTables({ sets }: Snapshot): number {
  const served = serveSet(sets.routes, 1);
  let bytes = 0;
  for (const name of served.set.names()) {
    const selection = selectVersion(served, [name]);
    if (selection) bytes += encodeBody(encodeResponse("routes", selection, { xdsCluster: "isoline" }));
  }
  return bytes;
}

/** From an edit to its publication: updated, linked, published. */
function measureEdits(store: Store, count: number): Figures {
  update(store, [withTls(), edits.secret?.(1, count) ?? {}].map(parsed), platform);
  const hub = new Hub({ now: Date.now, log: () => undefined });
  const options = optionsFor(count);
  let snapshot: Snapshot = link(store, options);
  hub.publish(snapshot, 1);
  let sequence = 1;
  const figures: Figures = {};
  for (const [name, edit] of Object.entries(edits)) {
    const times = Array.from({ length: repeats }, (_, n) => {
      const change = parsed(edit(n, count) ?? {});
      const start = performance.now();
      if (!update(store, [change], platform).edited) throw new Error(`${name}: no change`);
      snapshot = link(store, options, snapshot);
      hub.publish(snapshot, ++sequence);
      return performance.now() - start;
    });
    figures[`${name}_ms`] = median(times);
  }
  const start = performance.now();
  figures.answer_mb = round(encodeTables(snapshot) / 1e6);
  figures.answer_ms = round(performance.now() - start);
  return figures;
}

/** One process: a store of so many applications is built, and edited. */
async function measureStore(kind: Kind, file: string, folder: string, count: number): Promise<Figures> {
  const store = await openStore(kind, folder);
  const start = performance.now();
  await build(store, file);
  const built = performance.now() - start;
  const figures = measureEdits(store, count);
  return {
    build_ms: round(built),
    ...figures,
    peak_rss_mb: Math.round(process.resourceUsage().maxRSS / 1024),
    ...(kind === "sqlite" ? { database_mb: Math.round(statSync(join(folder, "store.db")).size / 1e6) } : {}),
  };
}

/** One process: a store that is there already, opened and served. */
async function measureStart(folder: string, count: number): Promise<Figures> {
  const start = performance.now();
  const store = await openStore("sqlite", folder);
  const bytes = encodeTables(link(store, optionsFor(count)));
  return { cold_start_ms: round(performance.now() - start), route_bytes: bytes };
}

function inProcess(nodeOptions: readonly string[], ...args: readonly string[]): Figures {
  const node = [...process.execArgv, ...nodeOptions, fileURLToPath(import.meta.url), ...args];
  const { stdout, status, signal, stderr } = spawnSync(process.execPath, node, { encoding: "utf8" });
  if (status !== 0) return { failed: 1, ...(process.env.DEBUG ? { [`${signal}: ${stderr}`]: 1 } : {}) };
  return JSON.parse(stdout) as Figures;
}

const [mode, kind, file = "", folder = "", size] = process.argv.slice(2);
if (mode === "--store")
  console.log(JSON.stringify(await measureStore(kind as Kind, file, folder, Number(size))));
else if (mode === "--start") console.log(JSON.stringify(await measureStart(folder, Number(size))));
else {
  const sizes = process.argv.slice(2).map(Number);
  for (const count of sizes.length > 0 ? sizes : [1000, 10_000, 33_400]) {
    const work = mkdtempSync(join(tmpdir(), "isoline-stores-"));
    try {
      const path = join(work, "objects.jsonl");
      writeFileSync(path, applications(count));
      for (const store of ["memory", "sqlite"] as const) {
        const figures = inProcess([], "--store", store, path, work, String(count));
        console.log(JSON.stringify({ applications: count, routes: 3 * count, store, ...figures }));
      }
      console.log(
        JSON.stringify({
          applications: count,
          ...inProcess([], "--start", "sqlite", "", work, String(count)),
        }),
      );
      rmSync(join(work, "store.db"), { force: true });
      const capped = inProcess(["--max-old-space-size=100"], "--store", "sqlite", path, work, String(count));
      console.log(JSON.stringify({ applications: count, store: "sqlite", heap_cap_mb: 100, ...capped }));
    } finally {
      rmSync(work, { recursive: true });
    }
  }
}
