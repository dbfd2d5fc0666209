import { setTimeout as sleep } from "node:timers/promises";
import { startServer } from "../../src/cli/serve.js";
import { customResourceDefinitions } from "../../src/schema/crds.js";
import type { Manifest } from "../support/backend.js";
import { eventually, startEnvoy } from "../support/envoy.js";
import { freePort, request } from "../support/http.js";
import { kubeBinaries, startKube, type TestKube } from "../support/kube.js";
import { application } from "./apps.js";

const changes = 50;
/** Between two changes, so that Envoy's polls are held again. */
const pauseMs = 400;

type Figures = Record<string, number>;

const answering = (host: string, body: string): Manifest => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: { name: host.replaceAll(".", "-"), namespace: "default" },
  spec: { virtualhost: { fqdn: host }, routes: [{ directResponsePolicy: { statusCode: 200, body } }] },
});

const at = (sorted: readonly number[], share: number): number =>
  Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 10) / 10;

function spread(name: string, values: readonly number[]): Figures {
  const sorted = [...values].sort((a, b) => a - b);
  return {
    [`${name}_p50_ms`]: at(sorted, 0.5),
    [`${name}_p95_ms`]: at(sorted, 0.95),
    [`${name}_max_ms`]: at(sorted, 1),
  };
}

/** Creates the objects of so many applications, a few at a time. */
async function fill(kube: TestKube, count: number): Promise<void> {
  const namespaces = Math.max(1, Math.floor(count / 50));
  const namespace = (k: number): Manifest => ({
    apiVersion: "v1",
    kind: "Namespace",
    metadata: { name: `team-${k}` },
  });
  if (count > 0) await kube.apply(...Array.from({ length: namespaces }, (_, k) => namespace(k)));
  for (let i = 0; i < count; i += 20) {
    const some = Array.from({ length: Math.min(20, count - i) }, (_, n) =>
      application(i + n, `team-${(i + n) % namespaces}`),
    );
    await kube.apply(...(some.flat() as Manifest[]).map(withoutAddress));
  }
}

/** The API server gives Services their addresses. */
function withoutAddress(object: Manifest): Manifest {
  if (object.kind !== "Service") return object;
  const { clusterIP: _, ...spec } = object.spec as Manifest;
  return { ...object, spec };
}

/** From a write to the API server, answered, to the first answer from Envoy that shows it. */
async function measure(kube: TestKube, port: number, host: string, body: string): Promise<number> {
  await sleep(pauseMs * (0.75 + Math.random() / 2));
  const start = performance.now();
  await kube.apply(answering(host, body));
  const written = performance.now();
  for (;;) {
    const answer = await request({ port, host });
    if (answer.status === 200 && answer.body === body) break;
    if (performance.now() - start > 30_000) throw new Error(`${host} does not answer after 30 s`);
    await sleep(1);
  }
  return performance.now() - written;
}

/** API write to Envoy's answer at so many applications, none of which has a status at first. */
async function measureSize(
  binaries: { apiserver: string; etcd: string },
  count: number,
  routeShards: number,
): Promise<Figures> {
  const kube = await startKube(binaries);
  const http = await freePort();
  try {
    await kube.apply(...(customResourceDefinitions() as readonly Manifest[]));
    await eventually(() => kube.apply(answering("first.test", "x")).then(() => true), "the CRDs are served");
    await fill(kube, count);
    const began = performance.now();
    const server = await startServer({
      paths: [],
      kube: { kubeconfig: kube.adminConfig, acceptShrink: false, status: {} },
      overrides: {
        routeShards,
        httpAddress: "127.0.0.1",
        httpPort: http,
        httpsPort: await freePort(),
        statsPort: await freePort(),
      },
      host: "127.0.0.1",
      port: await freePort(),
      log: () => undefined,
    });
    const ready = await eventually(
      async () => (await fetch(`${server.url}/readyz`)).ok,
      "it is ready",
      120_000,
    ).then(() => performance.now() - began);
    const envoy = await startEnvoy({ xdsPort: Number(new URL(server.url).port) });
    await eventually(() => envoy.ready(), "Envoy is ready", 120_000);
    const hosts: number[] = [];
    const routes: number[] = [];
    for (let i = 0; i < changes; i++) hosts.push(await measure(kube, http, `new-${i}.test`, "one"));
    for (let i = 0; i < changes; i++) routes.push(await measure(kube, http, `new-${i}.test`, "two"));
    const rejected = (await envoy.rejected()).length;
    await envoy.stop();
    await server.close();
    return {
      first_sync_ms: Math.round(ready),
      ...spread("new_host", hosts),
      ...spread("route_change", routes),
      rejected,
    };
  } finally {
    await kube.stop();
  }
}

const binaries = await kubeBinaries();
if ("reason" in binaries) {
  console.error(`isoline: skipped: ${binaries.reason}`);
} else {
  const sizes = process.argv.slice(2).map(Number);
  for (const count of sizes.length > 0 ? sizes : [0, 1000, 5000]) {
    for (const routeShards of [1, 16]) {
      const figures = await measureSize(binaries, count, routeShards);
      console.log(JSON.stringify({ applications: count, route_shards: routeShards, changes, ...figures }));
    }
  }
}
