import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { expect, it, onTestFinished } from "vitest";
import { parseSettings } from "../../src/schema/settings.js";
import { hostProxy, startBackends } from "../support/backend.js";
import { startCuttingProxy } from "../support/cutting-proxy.js";
import { eventually, startEnvoy } from "../support/envoy.js";
import { freePort, request } from "../support/http.js";
import { startIsoline } from "../support/isoline.js";

interface Status {
  readonly polls: {
    readonly held: number;
    readonly perMinute: number;
    readonly shortened: readonly { readonly cutMs: number; readonly holdMs: number }[];
  };
}

it.each([
  ["closes the connection to the server", false],
  ["keeps the connection to the server", true],
])(
  "a proxy that cuts polls, and %s, is found: they are held for less time and are no longer cut",
  async (_, keeps) => {
    const cutMs = 3000;
    const folder = await mkdtemp(join(tmpdir(), "isoline-holds-"));
    onTestFinished(() => rm(folder, { recursive: true, force: true }));
    const backends = await startBackends("a");
    onTestFinished(() => backends.close());
    const [http, https, stats] = [await freePort(), await freePort(), await freePort()];
    const settings = {
      allowLoopbackEndpoints: true,
      polls: { hold: "60s" },
      http: { address: "127.0.0.1", port: http },
      https: { address: "127.0.0.1", port: https },
      stats: { address: "127.0.0.1", port: stats },
    };
    const isoline = await startIsoline(folder, settings);
    await isoline.apply("objects", ...backends.objects, hostProxy("a.test", "a"));
    await isoline.start();
    onTestFinished(() => isoline.stop());
    const proxy = await startCuttingProxy(isoline.port, cutMs, keeps);
    const envoy = await startEnvoy({
      xdsPort: proxy.port,
      http1: true,
      settings: parseSettings(settings).settings.spec,
    });
    onTestFinished(() => envoy.stop());
    await eventually(() => envoy.ready(), "Envoy is ready");
    const status = async (): Promise<Status> => {
      const answer = await request({ port: isoline.port, path: "/status", host: "localhost" });
      return JSON.parse(answer.body) as Status;
    };
    await eventually(async () => (await status()).polls.shortened.length > 0, "the cuts are found");
    const [found] = (await status()).polls.shortened;
    expect(Math.abs((found?.cutMs ?? 0) - cutMs)).toBeLessThan(600);
    expect(found?.holdMs).toBeLessThan(cutMs);
    expect(isoline.log()).toContain("are cut after 3");
    // Polls that were held before still get cut.
    await sleep(cutMs);
    const before = proxy.cuts();
    await sleep(3 * cutMs);
    expect(proxy.cuts() - before).toBe(0);
    expect((await status()).polls.held).toBeGreaterThan(0);
    await isoline.apply("more", hostProxy("b.test", "a"));
    await eventually(
      async () => (await request({ port: http, host: "b.test" })).status === 200,
      "a change arrives",
    );
  },
);
