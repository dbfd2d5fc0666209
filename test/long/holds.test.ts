import { setTimeout as sleep } from "node:timers/promises";
import { expect, it } from "vitest";
import { hostProxy } from "../support/backend.js";
import { tokenLine } from "../support/cluster-worker.js";
import { eventually } from "../support/envoy.js";
import { request } from "../support/http.js";
import { startRig } from "../support/isoline.js";
import { startCappedWorker } from "../support/workerd.js";

const holdMs = 75_000;

it("a real Envoy has its polls held for more than a minute, and gets a change at once", async () => {
  const rig = await startRig({
    backends: ["a"],
    objects: [hostProxy("a.test", "a")],
    settings: { polls: { hold: `${holdMs / 1000}s` } },
  });
  const polled = async (): Promise<number> => {
    const { body } = await request({ port: rig.isoline.port, path: "/metrics", host: "localhost" });
    return [...body.matchAll(/^isoline_polls_total\{.*\} (\d+)$/gm)].reduce(
      (sum, [, n]) => sum + Number(n),
      0,
    );
  };
  await sleep(2000);
  const before = await polled();
  await sleep(65_000);
  expect((await polled()) - before).toBe(0);
  const since = performance.now();
  await rig.isoline.apply("more", hostProxy("b.test", "a"));
  await eventually(
    async () => (await request({ port: rig.httpPort, host: "b.test" })).status === 200,
    "a change arrives",
  );
  expect(performance.now() - since).toBeLessThan(5000);
  expect(await rig.envoy.rejected()).toEqual([]);
});

it("a Worker holds polls as long as the settings of its fleet have it, and finds what cuts them", async () => {
  const { url } = await startCappedWorker(104, {
    ISOLINE_INSECURE: "1",
    ISOLINE_TOKENS: ["publish", "read", "node"].map((role) => tokenLine(role, role)).join("\n"),
  });
  const push = async (hold: string): Promise<void> => {
    const settings = {
      apiVersion: "isoline.dev/v1",
      kind: "IsolineSettings",
      metadata: { name: "settings" },
      spec: { polls: { hold } },
    };
    const body = [settings, hostProxy("a.test", "a")].map((object) => JSON.stringify(object)).join("\n");
    const headers = { authorization: "Bearer publish" };
    const answer = await fetch(`${url}/sources/main`, { method: "PUT", headers, body });
    expect([answer.status, await answer.text()]).toEqual([200, expect.any(String)]);
  };
  interface Status {
    readonly types: { readonly listeners: { readonly version: string } };
    readonly polls: { readonly holdMs: number; readonly shortened: readonly { readonly holdMs: number }[] };
  }
  const status = async (): Promise<Status> => {
    const headers = { authorization: "Bearer read" };
    return (await (await fetch(`${url}/status`, { headers })).json()) as Status;
  };
  const poll = async (
    signal: AbortSignal | null,
  ): Promise<{ readonly status: number; readonly ms: number }> => {
    const since = performance.now();
    const body = JSON.stringify({
      node: { id: "e" },
      version_info: (await status()).types.listeners.version,
    });
    const headers = { authorization: "Bearer node", "x-envoy-expected-rq-timeout-ms": "130000" };
    const answer = await fetch(`${url}/v3/discovery:listeners`, { method: "POST", headers, body, signal });
    await answer.arrayBuffer();
    return { status: answer.status, ms: performance.now() - since };
  };
  await push(`${holdMs / 1000}s`);
  expect((await status()).polls.holdMs).toBe(holdMs);
  const held = await poll(null);
  expect(held.status).toBe(304);
  expect(held.ms).toBeGreaterThan(0.89 * holdMs);
  for (let i = 0; i < 4; i++) await poll(AbortSignal.timeout(3000)).catch(() => undefined);
  expect((await status()).polls.shortened).toHaveLength(1);
  const shorter = await poll(null);
  expect([shorter.status, shorter.ms < 3000]).toEqual([304, true]);
});
