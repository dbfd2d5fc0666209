import { resourcePath, resources } from "../../src/kubernetes/resources.js";
import { startServer } from "../../src/runtime/node/serve.js";
import type { Manifest } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { freePort, onLoopback } from "../support/http.js";
import { kubeBinaries, type TestKube } from "../support/kube.js";
import { startCluster } from "./cluster.js";
import { type Figures, spread, until } from "./spread.js";

const changes = 50;
const teams = 100;

/** One of as many hosts as there are objects; the broken ones serve nothing new. */
const proxy = (i: number, to: string): Manifest => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: { name: `proxy-${i}`, namespace: `team-${i % teams}` },
  spec: {
    virtualhost: { fqdn: `proxy-${i}.test` },
    routes: [{ conditions: [{ prefix: "/" }], services: [{ name: to, port: 80 }] }],
  },
});

interface Judged {
  readonly metadata: { readonly generation: number };
  readonly status?: { readonly conditions?: readonly { readonly observedGeneration: number }[] };
}

const isJudged = ({ metadata, status }: Judged): boolean =>
  status?.conditions?.[0]?.observedGeneration === metadata.generation;

async function fill(kube: TestKube, count: number): Promise<void> {
  const namespace = (k: number): Manifest => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: `team-${k}` },
  });
  await kube.apply(...Array.from({ length: teams }, (_, k) => namespace(k)));
  for (let i = 0; i < count; i += 20)
    await kube.apply(...Array.from({ length: Math.min(20, count - i) }, (_, n) => proxy(i + n, "nowhere")));
}

/** How many objects have no status of their generation yet. */
async function unjudged(kube: TestKube): Promise<number> {
  const resource = resources.find(({ kind }) => kind === "HTTPProxy") as (typeof resources)[number];
  const { body } = await kube.admin.send({
    method: "GET",
    path: resourcePath(resource),
    headers: { accept: "application/json" },
    signal: AbortSignal.timeout(60_000),
  });
  let text = "";
  for await (const chunk of body) text += Buffer.from(chunk).toString("latin1");
  const { items } = JSON.parse(text) as { readonly items: readonly Judged[] };
  return items.filter((one) => !isJudged(one)).length;
}

/** From a write to the API server, answered, to the status of what was written: of changed objects, nothing else being edited. */
async function measureChanges(kube: TestKube, count: number, to: string): Promise<number[]> {
  const times: number[] = [];
  for (let n = 0; n < changes; n++) {
    const changed = proxy(Math.floor((n * count) / changes), to);
    times.push(
      await until(
        () => kube.apply(changed),
        async () => isJudged((await kube.get(changed)) as unknown as Judged),
      ),
    );
  }
  return times;
}

async function measureSize(binaries: { apiserver: string; etcd: string }, count: number): Promise<Figures> {
  const kube = await startCluster(binaries, 0);
  try {
    await fill(kube, count);
    const server = await startServer({
      paths: [],
      kube: { targets: [{ name: "", kubeconfig: kube.adminConfig }], acceptShrink: false, status: {} },
      overrides: await onLoopback(await freePort()),
      host: "127.0.0.1",
      port: await freePort(),
      log: () => undefined,
    });
    await eventually(async () => (await fetch(`${server.url}/readyz`)).ok, "it is ready", 120_000);
    const began = performance.now();
    const meanwhile = await measureChanges(kube, count, "elsewhere");
    await eventually(async () => (await unjudged(kube)) === 0, "all have a status", 600_000);
    const allMs = Math.round(performance.now() - began);
    const later = await measureChanges(kube, count, "nowhere");
    await server.close();
    return { all_ms: allMs, ...spread("meanwhile", meanwhile), ...spread("later", later) };
  } finally {
    await kube.stop();
  }
}

const binaries = await kubeBinaries();
if ("reason" in binaries) {
  console.error(`isoline: skipped: ${binaries.reason}`);
} else {
  const sizes = process.argv.slice(2).map(Number);
  for (const count of sizes.length > 0 ? sizes : [1000, 5000])
    console.log(JSON.stringify({ objects: count, changes, ...(await measureSize(binaries, count)) }));
}
