import { execFile } from "node:child_process";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { promisify } from "node:util";
import { beforeAll, describe, expect, onTestFinished, test } from "vitest";
import { hostProxy, type Load, startBackends, startLoad } from "../support/backend.js";
import { eventually, startEnvoy, type TestEnvoy } from "../support/envoy.js";
import { freePort, onLoopback } from "../support/http.js";
import { type Replicas, startReplicas } from "../support/replicas.js";

beforeAll(async () => {
  const build = join(import.meta.dirname, "../../scripts/build.mjs");
  await promisify(execFile)(process.execPath, [build]);
});

const host = "switched.test";

interface Rig {
  readonly replicas: Replicas;
  readonly envoy: TestEnvoy;
  readonly load: Load;
  /** Sends the host to another Service, which is new, and waits until it answers. Returns how long that took (ms). */
  switchTo(i: number): Promise<number>;
}

interface RigOptions {
  readonly services: number;
  readonly endpoints?: string;
  readonly http1?: boolean;
  readonly clocks?: readonly number[];
}

/** Two replicas, an Envoy that polls them, backends of as many Services, and requests without a pause to the host on the first. */
async function startRig({
  services,
  endpoints = "inline",
  http1 = false,
  clocks = [0, 0],
}: RigOptions): Promise<Rig> {
  const folder = await mkdtemp(join(tmpdir(), "isoline-replicas-"));
  onTestFinished(() => rm(folder, { recursive: true, force: true }));
  const backends = await startBackends(...Array.from({ length: services }, (_, i) => `s${i}`));
  onTestFinished(() => backends.close());
  const httpPort = await freePort();
  const settings = { ...(await onLoopback(httpPort)), endpoints };
  const objects = [...backends.objects, hostProxy(host, "s0")];
  const replicas = await startReplicas({ folder, settings, objects, clocks });
  const envoy = await startEnvoy({ xdsPort: replicas.port, http1 });
  onTestFinished(async ({ task }) => {
    if (task.result?.state === "fail")
      console.error(await envoy.log(), ...replicas.all.map(({ log }) => log().slice(-3000)));
    await envoy.stop();
  });
  await eventually(() => envoy.ready(), "Envoy is ready", 45_000);
  const load = startLoad(httpPort, [host], 8);
  await eventually(async () => load.last() === "s0", "requests are answered");
  return {
    replicas,
    envoy,
    load,
    switchTo: async (i) => {
      const began = Date.now();
      await replicas.apply("objects", ...backends.objects, hostProxy(host, `s${i}`));
      await eventually(async () => load.last() === `s${i}`, `s${i} answers`, 45_000);
      return Date.now() - began;
    },
  };
}

const median = (times: readonly number[]): number => [...times].sort((a, b) => a - b)[times.length >> 1] ?? 0;

describe.each([
  ["in one connection", false],
  ["in a connection each", true],
])("two replicas, polls %s", (_, http1) => {
  test.each(["eds", "inline"])("%s: switches to new Services lose no request", async (endpoints) => {
    const switches = 24;
    const { load, switchTo, envoy } = await startRig({ services: switches + 1, endpoints, http1 });
    const times: number[] = [];
    for (let i = 1; i <= switches; i++) times.push(await switchTo(i));
    const { bad } = await load.stop();
    expect(bad).toEqual({});
    // By the time of two seconds that replicas would otherwise wait for each other.
    if (!http1) expect(median(times)).toBeLessThan(1000);
    expect(await envoy.rejected()).toEqual([]);
  });

  test.each([0, 1])("with replica %i stopped for a while, no request is lost", async (stopped) => {
    const { load, switchTo, replicas } = await startRig({ services: 4, http1 });
    for (let i = 1; i < 4; i++) {
      replicas.all[stopped]?.pause();
      const switching = switchTo(i);
      await sleep(4000);
      replicas.all[stopped]?.resume();
      await switching;
      await sleep(500);
    }
    expect((await load.stop()).bad).toEqual({});
  });
});

test("an Envoy whose replica hangs without a reset moves on within 10 seconds", async () => {
  const { load, switchTo, replicas } = await startRig({ services: 2 });
  // The first connection: that of the Envoy.
  replicas.all[0]?.pause();
  // The balancer gives every second connection to the one that hangs.
  expect(await switchTo(1)).toBeLessThan(20_000);
  expect(replicas.connections()).toBeGreaterThan(1);
  expect((await load.stop()).bad).toEqual({});
});

test("edits are seen after a replica whose clock is 90 s ahead is gone", async () => {
  const { load, switchTo, replicas } = await startRig({ services: 3, clocks: [90, 0] });
  await switchTo(1);
  await replicas.all[0]?.kill();
  expect(await switchTo(2)).toBeLessThan(15_000);
  expect((await load.stop()).bad).toEqual({});
});
