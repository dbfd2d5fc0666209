import type { Manifest } from "../support/backend.js";
import { request } from "../support/http.js";
import { kubeBinaries, type TestKube } from "../support/kube.js";
import { serveCluster, startCluster } from "./cluster.js";
import { type Figures, spread, until } from "./spread.js";

const changes = 50;

const answering = (host: string, body: string): Manifest => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: { name: host.replaceAll(".", "-"), namespace: "default" },
  spec: { virtualhost: { fqdn: host }, routes: [{ directResponsePolicy: { statusCode: 200, body } }] },
});

/** From a write to the API server, answered, to the first answer from Envoy that shows it. */
const measure = (kube: TestKube, port: number, host: string, body: string): Promise<number> =>
  until(
    () => kube.apply(answering(host, body)),
    async () => {
      const answer = await request({ port, host });
      return answer.status === 200 && answer.body === body;
    },
  );

/** API write to Envoy's answer at so many applications, none of which has a status at first; all get theirs meanwhile. */
async function measureSize(
  binaries: { apiserver: string; etcd: string },
  count: number,
  routeShards: number,
  writesStatus: boolean,
): Promise<Figures> {
  const kube = await startCluster(binaries, count);
  try {
    const { http, envoy, firstSyncMs, stop } = await serveCluster(
      kube,
      { routeShards },
      undefined,
      writesStatus,
    );
    const hosts: number[] = [];
    const routes: number[] = [];
    for (let i = 0; i < changes; i++) hosts.push(await measure(kube, http, `new-${i}.test`, "one"));
    for (let i = 0; i < changes; i++) routes.push(await measure(kube, http, `new-${i}.test`, "two"));
    const rejected = (await envoy.rejected()).length;
    await stop();
    return {
      first_sync_ms: firstSyncMs,
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
  const args = process.argv.slice(2);
  const writesStatus = !args.includes("--no-status");
  const sizes = args.filter((arg) => arg !== "--no-status").map(Number);
  for (const count of sizes.length > 0 ? sizes : [0, 1000, 5000]) {
    for (const routeShards of [1, 16]) {
      const figures = await measureSize(binaries, count, routeShards, writesStatus);
      console.log(JSON.stringify({ applications: count, route_shards: routeShards, changes, ...figures }));
    }
  }
}
