import { startServer } from "../../src/runtime/node/serve.js";
import { customResourceDefinitions } from "../../src/schema/crds.js";
import type { Manifest } from "../support/backend.js";
import { eventually, startEnvoy, type TestEnvoy } from "../support/envoy.js";
import { freePort } from "../support/http.js";
import { startKube, type TestKube } from "../support/kube.js";
import { application } from "./apps.js";

/** A real API server with so many applications in it, and the CRDs. */
export async function startCluster(
  binaries: { apiserver: string; etcd: string },
  count: number,
): Promise<TestKube> {
  const kube = await startKube(binaries);
  await kube.apply(...(customResourceDefinitions() as readonly Manifest[]));
  const first = { apiVersion: "projectcontour.io/v1", kind: "HTTPProxy" };
  const metadata = { name: "first", namespace: "default" };
  const routes = [{ directResponsePolicy: { statusCode: 200, body: "x" } }];
  const spec = { virtualhost: { fqdn: "first.test" }, routes };
  await eventually(() => kube.apply({ ...first, metadata, spec }).then(() => true), "the CRDs are served");
  await fill(kube, count);
  return kube;
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

export interface Served {
  readonly url: string;
  readonly http: number;
  readonly https: number;
  readonly envoy: TestEnvoy;
  /** From the start of the server until it was ready. */
  readonly firstSyncMs: number;
  stop(): Promise<void>;
}

/** A server that follows a cluster and writes its statuses, and an Envoy of it. */
export async function serveCluster(
  kube: TestKube,
  overrides: Readonly<Record<string, unknown>>,
  pollSeconds?: number,
  writesStatus = true,
): Promise<Served> {
  const [http, https] = [await freePort(), await freePort()];
  const began = performance.now();
  const server = await startServer({
    paths: [],
    kube: {
      targets: [{ name: "", kubeconfig: kube.adminConfig }],
      acceptShrink: false,
      ...(writesStatus ? { status: {} } : {}),
      ...(pollSeconds === undefined ? {} : { pollSeconds }),
    },
    overrides: {
      httpAddress: "127.0.0.1",
      httpPort: http,
      httpsAddress: "127.0.0.1",
      httpsPort: https,
      statsPort: await freePort(),
      ...overrides,
    },
    host: "127.0.0.1",
    port: await freePort(),
    log: () => undefined,
  });
  const { url } = server;
  await eventually(async () => (await fetch(`${url}/readyz`)).ok, "it is ready", 120_000);
  const firstSyncMs = Math.round(performance.now() - began);
  const envoy = await startEnvoy({ xdsPort: Number(new URL(url).port) });
  await eventually(() => envoy.ready(), "Envoy is ready", 120_000);
  const stop = async (): Promise<void> => {
    await envoy.stop();
    await server.close();
  };
  return { url, http, https, envoy, firstSyncMs, stop };
}
