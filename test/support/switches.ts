import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, onTestFinished } from "vitest";
import { hostProxy, type Load, startBackends, startLoad } from "./backend.js";
import { eventually, startEnvoy, type TestEnvoy } from "./envoy.js";
import { freePort, onLoopback } from "./http.js";
import { type Replicas, startReplicas } from "./replicas.js";

const host = "switched.test";

interface SwitchRig {
  readonly replicas: Replicas;
  readonly envoy: TestEnvoy;
  readonly load: Load;
  /** Switches the host to a new Service, and waits for its first response. Returns the time (ms). */
  switchTo(i: number): Promise<number>;
}

interface RigOptions {
  readonly services: number;
  readonly endpoints?: string;
  readonly http1?: boolean;
  readonly clocks?: readonly number[];
}

/**
 * Two replicas, an Envoy that polls them, backends of several Services, and continuous requests to the host, which
 * starts on the first Service.
 */
export async function startSwitchRig({
  services,
  endpoints = "inline",
  http1 = false,
  clocks = [0, 0],
}: RigOptions): Promise<SwitchRig> {
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

/**
 * Switches a host to a new Service `switches` times, under load: no request fails, and Envoy refuses no response.
 * Returns the median time (ms).
 */
export async function expectSwitchesWithoutLoss(
  switches: number,
  options: Pick<RigOptions, "endpoints" | "http1">,
): Promise<number> {
  const { load, switchTo, envoy } = await startSwitchRig({ services: switches + 1, ...options });
  const times: number[] = [];
  for (let i = 1; i <= switches; i++) times.push(await switchTo(i));
  expect((await load.stop()).bad).toEqual({});
  expect(await envoy.rejected()).toEqual([]);
  return median(times);
}

/** The same while a replica is paused for some seconds at each switch. */
export async function expectPausesWithoutLoss(
  switches: number,
  stopped: number,
  options: Pick<RigOptions, "http1"> = {},
): Promise<void> {
  const { load, switchTo, replicas } = await startSwitchRig({ services: switches + 1, ...options });
  for (let i = 1; i <= switches; i++) {
    replicas.all[stopped]?.pause();
    const switching = switchTo(i);
    await sleep(4000);
    replicas.all[stopped]?.resume();
    await switching;
    await sleep(500);
  }
  expect((await load.stop()).bad).toEqual({});
}
