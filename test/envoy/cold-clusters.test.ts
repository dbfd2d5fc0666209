import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished, test } from "vitest";
import { startServer } from "../../src/runtime/node/serve.js";
import { hostProxy, type Manifest, startBackends, startLoad } from "../support/backend.js";
import { eventually, startEnvoy } from "../support/envoy.js";
import { freePort, onLoopback, request } from "../support/http.js";

const backends = ["a", "b", "c", "d"];
/** Envoy reports clusters 4 to 8 s after their answer. */
const refreshDelay = "4s";
const longestDelayMs = 8000;

async function start({ http1 = false, count = 0 } = {}) {
  const echoes = await startBackends(...backends);
  const httpPort = await freePort();
  const port = await freePort();
  const server = await startServer({ paths: [], push: true, host: "127.0.0.1", port, log: () => undefined });
  const push = async (...objects: readonly Manifest[]): Promise<void> => {
    const settings = { kind: "IsolineSettings", spec: await settingsOf(httpPort) };
    const many = Array.from({ length: count }, (_, i) => filler(i)).flat();
    const body = [settings, ...echoes.objects, ...many, ...objects]
      .map((one) => JSON.stringify(one))
      .join("\n");
    const answer = await fetch(`${server.url}/sources/all`, { method: "PUT", body });
    expect(answer.status).toBe(200);
  };
  await push(hostProxy("first.test", "a"));
  const envoy = await startEnvoy({ xdsPort: port, http1, refreshDelay });
  onTestFinished(async () => {
    await envoy.stop();
    await server.close();
    await echoes.close();
  });
  const answers = async (host: string, name: string): Promise<boolean> => {
    const answer = await request({ port: httpPort, host });
    return answer.status === 200 && answer.echo().service === name;
  };
  await eventually(
    () => envoy.ready().then((is) => is && answers("first.test", "a")),
    "Envoy is ready",
    60_000,
  );
  // Its polls are held again.
  await sleep(longestDelayMs + 500);
  const bytesOfClusters = async (): Promise<number> => {
    const text = await (await fetch(`${server.url}/metrics`)).text();
    return Number(/^isoline_poll_bytes_total\{type="clusters"\} (\d+)$/m.exec(text)?.[1]);
  };
  return { push, answers, httpPort, envoy, bytesOfClusters };
}

const settings = new Map<number, Manifest>();
async function settingsOf(port: number): Promise<Manifest> {
  const known = settings.get(port) ?? (await onLoopback(port));
  settings.set(port, known);
  return known;
}

/** A host with a Service without endpoints. */
const filler = (i: number): readonly Manifest[] => [
  {
    apiVersion: "v1",
    kind: "Service",
    metadata: { namespace: "default", name: `filler-${i}` },
    spec: { clusterIP: "10.0.0.1", ports: [{ name: "http", port: 80, protocol: "TCP" }] },
  },
  hostProxy(`filler-${i}.test`, `filler-${i}`),
];

async function timed(work: () => Promise<void>): Promise<number> {
  const since = performance.now();
  await work();
  return performance.now() - since;
}

test.each([
  ["by EDS", 0],
  ["inline", 250],
])("a new cluster with endpoints %s gets its routes before Envoy's next poll", async (_, count) => {
  const { push, answers, envoy } = await start({ count });
  const ms = await timed(async () => {
    await push(hostProxy("first.test", "a"), hostProxy("new.test", "b"));
    await eventually(() => answers("new.test", "b"), "the host answers");
  });
  expect(ms).toBeLessThan(3500);
  expect(await envoy.rejected()).toEqual([]);
});

test("over HTTP/1.1 routes wait for Envoy's report", async () => {
  const { push, answers } = await start({ http1: true });
  const ms = await timed(async () => {
    await push(hostProxy("first.test", "a"), hostProxy("new.test", "b"));
    await eventually(() => answers("new.test", "b"), "the host answers", 30_000);
  });
  expect(ms).toBeGreaterThan(3500);
});

test("switches lose no request, and a switch back sends no clusters", async () => {
  const { push, answers, httpPort, envoy, bytesOfClusters } = await start();
  const load = startLoad(httpPort, ["first.test"], 8);
  const switchTo = async (name: string): Promise<void> => {
    await push(hostProxy("first.test", name));
    await eventually(() => answers("first.test", name), `${name} answers`, 30_000);
  };
  await switchTo("b");
  const before = await bytesOfClusters();
  for (const name of ["a", "b", "a", "b"]) await switchTo(name);
  expect(await bytesOfClusters()).toBe(before);
  for (const name of ["c", "d", "a"]) await switchTo(name);
  expect((await load.stop()).bad).toEqual({});
  expect(await bytesOfClusters()).toBeGreaterThan(before);
  expect(await envoy.rejected()).toEqual([]);
});
