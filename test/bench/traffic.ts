import { createServer, type Server } from "node:http";
import { connect } from "node:tls";
import type { Manifest } from "../support/backend.js";
import { startLoad } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { request } from "../support/http.js";
import { kubeBinaries, type TestKube } from "../support/kube.js";
import { enterNamespace } from "../support/netns.js";
import { certificateText } from "./certificates.js";
import { type Served, serveCluster, startCluster } from "./cluster.js";
import { type Figures, spread, until } from "./spread.js";

const changes = 50;
const switches = 20;
const addresses = ["10.99.0.1", "10.99.0.2"] as const;
const backendPort = 8080;

/** A backend on each address that answers with it, in the form of an echo. */
const startBackends = (): Promise<Server[]> =>
  Promise.all(
    addresses.map(
      (address) =>
        new Promise<Server>((done) => {
          const server = createServer({ keepAliveTimeout: 60_000 }, (asked, response) => {
            asked.resume();
            response.end(JSON.stringify({ service: address }));
          });
          server.listen(backendPort, address, () => done(server));
        }),
    ),
  );

const metadata = (name: string): Manifest => ({ namespace: "default", name });
const service = (name: string): Manifest => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: metadata(name),
  spec: { ports: [{ name: "http", port: 80, targetPort: backendPort, protocol: "TCP" }] },
});
const slice = (name: string, address: string): Manifest => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { ...metadata(name), labels: { "kubernetes.io/service-name": name } },
  addressType: "IPv4",
  ports: [{ name: "http", port: backendPort, protocol: "TCP" }],
  endpoints: [{ addresses: [address], conditions: { ready: true } }],
});
const proxy = (host: string, to: string, tls: Manifest = {}): Manifest => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: metadata(host.replaceAll(".", "-")),
  spec: { virtualhost: { fqdn: host, ...tls }, routes: [{ services: [{ name: to, port: 80 }] }] },
});
const keyPair = (name: string): Manifest => ({
  apiVersion: "v1",
  kind: "Secret",
  type: "kubernetes.io/tls",
  metadata: metadata("certificate"),
  data: certificateText(name),
});

const objects = [
  service("a"),
  slice("a", addresses[0]),
  service("b"),
  slice("b", addresses[1]),
  service("moving"),
  slice("moving", addresses[0]),
  proxy("switched.test", "a"),
  proxy("moving.test", "moving"),
  proxy("secure.test", "a", { tls: { secretName: "certificate" } }),
  keyPair("secure"),
];

/** The subject of the certificate that Envoy shows. */
const subjectAt = (port: number): Promise<string> =>
  new Promise((done, fail) => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      servername: "secure.test",
      rejectUnauthorized: false,
      ALPNProtocols: ["http/1.1"],
    });
    socket.once("error", fail);
    socket.once("secureConnect", () => {
      done(String(socket.getPeerCertificate().subject?.CN));
      socket.destroy();
    });
  });

const bodyAt = async (port: number, host: string): Promise<string> => {
  const answer = await request({ port, host });
  return answer.status === 200 ? answer.body : String(answer.status);
};

async function times(count: number, change: (i: number) => Promise<number>): Promise<number[]> {
  const all: number[] = [];
  for (let i = 0; i < count; i++) all.push(await change(i));
  return all;
}

/** Changes of endpoints and of a certificate, and switches under load, with watches open. */
async function measureWatching(kube: TestKube, served: Served): Promise<Figures> {
  const endpoints = await times(changes, (i) => {
    const address = addresses[(i + 1) % 2] ?? "";
    return until(
      () => kube.apply(slice("moving", address)),
      async () => (await bodyAt(served.http, "moving.test")).includes(address),
    );
  });
  const certificates = await times(changes, (i) => {
    const name = ["tcp", "secure"][i % 2] ?? "";
    return until(
      () => kube.apply(keyPair(name)),
      async () => (await subjectAt(served.https)) === `${name}.test`,
    );
  });
  const load = startLoad(served.http, ["switched.test"], 16);
  const switched = await times(switches, (i) => {
    const [to, address] = i % 2 === 0 ? ["b", addresses[1]] : ["a", addresses[0]];
    return until(
      () => kube.apply(proxy("switched.test", to)),
      async () => (await bodyAt(served.http, "switched.test")).includes(address),
    );
  });
  const { total, bad } = await load.stop();
  return {
    ...spread("endpoints", endpoints),
    ...spread("certificate", certificates),
    ...spread("switch_under_load", switched),
    load_requests: total,
    load_failed: Object.values(bad).reduce((sum, n) => sum + n, 0),
  };
}

/** New hosts, of which the server learns as `ring` tells it. */
const measureTold = (
  kube: TestKube,
  served: Served,
  name: string,
  count: number,
  ring: () => Promise<unknown>,
): Promise<Figures> =>
  times(count, (i) =>
    until(
      async () => {
        await kube.apply(proxy(`${name}-${i}.test`, "a"));
        void ring();
      },
      async () => (await bodyAt(served.http, `${name}-${i}.test`)).includes(addresses[0]),
    ),
  ).then((values) => spread(name, values));

async function measureSize(
  binaries: { apiserver: string; etcd: string },
  count: number,
  routeShards: number,
): Promise<Figures> {
  const kube = await startCluster(binaries, count);
  try {
    await kube.apply(...objects);
    const serve = async <T>(poll: number | undefined, work: (served: Served) => Promise<T>): Promise<T> => {
      const served = await serveCluster(kube, { routeShards }, poll);
      try {
        const { http, https } = served;
        await eventually(async () => (await bodyAt(http, "moving.test")) !== "404", "hosts answer");
        await eventually(() => subjectAt(https).then(() => true), "TLS is served");
        return await work(served);
      } finally {
        await served.stop();
      }
    };
    const watching = await serve(undefined, async (served) => ({
      ...(await measureWatching(kube, served)),
      first_sync_ms: served.firstSyncMs,
    }));
    const rung = await serve(3600, (served) =>
      measureTold(kube, served, "doorbell", changes, () =>
        fetch(`${served.url}/hooks/refresh`, { method: "POST" }),
      ),
    );
    const polled = await serve(1, (served) =>
      measureTold(kube, served, "poll-1s", switches, () => Promise.resolve()),
    );
    return { ...watching, ...rung, ...polled };
  } finally {
    await kube.stop();
  }
}

enterNamespace(addresses);
const binaries = await kubeBinaries();
if ("reason" in binaries) {
  console.error(`isoline: skipped: ${binaries.reason}`);
} else {
  const backends = await startBackends();
  const sizes = process.argv.slice(2).map(Number);
  for (const count of sizes.length > 0 ? sizes : [0, 1000, 5000]) {
    for (const routeShards of count === 0 ? [1] : [1, 16]) {
      const figures = await measureSize(binaries, count, routeShards);
      console.log(JSON.stringify({ applications: count, route_shards: routeShards, changes, ...figures }));
    }
  }
  for (const backend of backends) backend.close();
}
