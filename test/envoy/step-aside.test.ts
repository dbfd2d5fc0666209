import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, onTestFinished, test } from "vitest";
import { startServer } from "../../src/runtime/node/serve.js";
import { hostProxy, type Manifest, startBackends, startLoad } from "../support/backend.js";
import { type DroppingProxy, startDroppingProxy } from "../support/dropping-proxy.js";
import { eventually, startEnvoy, type TestEnvoy } from "../support/envoy.js";
import { freePort, onLoopback, request } from "../support/http.js";
import { HttpKube } from "../support/http-kube.js";

const plurals: Readonly<Record<string, string>> = {
  EndpointSlice: "endpointslices",
  HTTPProxy: "httpproxies",
  Service: "services",
};

interface Replica {
  readonly port: number;
  /** The way to the API server. */
  readonly api: DroppingProxy;
  isReady(query?: string): Promise<boolean>;
  polls(): Promise<number>;
  log(): string;
}

async function startReplica(
  kube: HttpKube,
  folder: string,
  { port, peer, settingsFile }: { port: number; peer: number; settingsFile: string },
): Promise<Replica> {
  const config = await readFile(kube.kubeconfig, "utf8");
  const direct = Number(/127\.0\.0\.1:(\d+)/.exec(config)?.[1]);
  const api = await startDroppingProxy(() => direct);
  const kubeconfig = join(folder, `kubeconfig-${port}`);
  await writeFile(kubeconfig, config.replace(`:${direct}`, `:${api.port}`));
  const lines: string[] = [];
  const server = await startServer({
    paths: [],
    kube: {
      targets: [{ name: "", kubeconfig }],
      acceptShrink: false,
      staleSeconds: 3,
      peers: [new URL(`http://127.0.0.1:${peer}`)],
    },
    settingsFile,
    host: "127.0.0.1",
    port,
    log: (line) => lines.push(line),
  });
  onTestFinished(() => server.close());
  return {
    port,
    api,
    isReady: async (query = "") => (await request({ port, path: `/readyz${query}` })).status === 200,
    polls: async () => {
      const { body } = await request({ port, path: "/metrics" });
      return Number(/isoline_polls_held (\d+)/.exec(body)?.[1]);
    },
    log: () => lines.join("\n"),
  };
}

/** As a Service does: connections go in turn to replicas that are ready, and nowhere where none is. */
async function startBalancer(replicas: readonly Replica[]): Promise<DroppingProxy> {
  const ready = new Map(replicas.map((replica) => [replica, false]));
  let turn = 0;
  const timer = setInterval(() => {
    for (const replica of replicas)
      replica.isReady().then(
        (isReady) => ready.set(replica, isReady),
        () => ready.set(replica, false),
      );
  }, 200);
  onTestFinished(() => clearInterval(timer));
  return startDroppingProxy(() => {
    const able = replicas.filter((replica) => ready.get(replica));
    return able[turn++ % Math.max(1, able.length)]?.port;
  });
}

/** With a connection for each held poll, so that its polls are spread over replicas. */
async function envoyOn(xdsPort: number, nodeId: string): Promise<TestEnvoy> {
  const envoy = await startEnvoy({ xdsPort, nodeId, http1: true });
  onTestFinished(() => envoy.stop());
  return envoy;
}

test("a replica that is cut off from its API server sends its Envoys to the other, and serves on where there is none", async () => {
  const folder = await mkdtemp(join(tmpdir(), "isoline-aside-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const backends = await startBackends("a", "b");
  onTestFinished(() => backends.close());
  const httpPort = await freePort();
  const settingsFile = join(folder, "settings.json");
  await writeFile(settingsFile, JSON.stringify({ ...(await onLoopback(httpPort)), endpoints: "eds" }));
  const kube = await HttpKube.start();
  onTestFinished(() => kube.end());
  const put = (object: Manifest): void => kube.put(plurals[String(object.kind)] ?? "", object);
  for (const object of backends.objects) put(object);
  put(hostProxy("app.test", "a"));
  // Something always changes, as with the bookmarks of an API server.
  const tick = { metadata: { name: "tick", namespace: "other" }, spec: { ports: [{ port: 1 }] } };
  const ticks = setInterval(() => kube.put("services", tick), 500);
  onTestFinished(() => clearInterval(ticks));

  const [one, two] = [await freePort(), await freePort()];
  const first = await startReplica(kube, folder, { port: one, peer: two, settingsFile });
  const second = await startReplica(kube, folder, { port: two, peer: one, settingsFile });
  const balancer = await startBalancer([first, second]);
  await eventually(async () => (await first.isReady()) && (await second.isReady()), "both are ready");
  const service = async (host: string): Promise<string> => {
    const answer = await request({ port: httpPort, host });
    return answer.status === 200 ? answer.echo().service : "";
  };
  const envoy = await envoyOn(balancer.port, "edge");
  await eventually(async () => (await service("app.test")) === "a", "traffic goes to the first backend");
  const load = startLoad(httpPort, ["app.test"], 4);
  await eventually(async () => (await first.polls()) > 0 && (await second.polls()) > 0, "polls are at both");

  first.api.cut();
  await eventually(async () => !(await first.isReady()), "the replica that is cut off is not ready");
  expect(await second.isReady()).toBe(true);
  expect(first.log()).toContain(
    "127.0.0.1 is up to date, so this server is not ready and sends its Envoys away",
  );
  await eventually(async () => (await first.polls()) === 0, "its Envoy has left it");
  put(hostProxy("soon.test", "b"));
  await eventually(async () => (await service("soon.test")) === "b", "an edit arrives by the other", 5000);

  second.api.cut();
  await eventually(async () => !(await second.isReady("?fresh")), "the other is cut off, too");
  await eventually(async () => (await first.isReady()) && (await second.isReady()), "both serve on", 20_000);
  expect(first.log()).toContain("this server continues to serve its last state");
  const late = await envoyOn(balancer.port, "late");
  await eventually(
    async () =>
      ((await late.stats(/\.cds\.update_success$/)).get("cluster_manager.cds.update_success") ?? 0) > 0,
    "an Envoy that starts now is served",
  );

  first.api.mend();
  second.api.mend();
  put(hostProxy("late.test", "a"));
  await eventually(async () => (await service("late.test")) === "a", "edits arrive again", 60_000);
  await eventually(
    async () => (await first.isReady("?fresh")) && (await second.isReady("?fresh")),
    "both are up to date",
    60_000,
  );
  const { total, bad } = await load.stop();
  expect(bad).toEqual({});
  expect(total).toBeGreaterThan(100);
  expect(await envoy.rejected()).toEqual([]);
});
