import { setTimeout as sleep } from "node:timers/promises";
import { expect, test } from "vitest";
import { hostProxy, startLoad } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { isOpen, request } from "../support/http.js";
import { startRig } from "../support/isoline.js";

test("traffic continues while Isoline is stopped, and changes arrive after its restart", async () => {
  const rig = await startRig({ backends: ["a", "b"], objects: [hostProxy("steady.test", "a")] });
  const load = startLoad(rig.httpPort, ["steady.test"], 8);
  await rig.isoline.stop();
  await rig.isoline.apply("late", hostProxy("late.test", "b"));
  await sleep(2000);
  expect((await request({ port: rig.httpPort, host: "late.test" })).status).toBe(404);

  await rig.isoline.start();
  await eventually(
    async () => (await request({ port: rig.httpPort, host: "late.test" })).status === 200,
    "the change that was made meanwhile is served",
  );
  const { total, bad } = await load.stop();
  expect(bad).toEqual({});
  expect(total).toBeGreaterThan(100);
  expect(await rig.envoy.rejected()).toEqual([]);
});

test("an Envoy that restarts while Isoline is stopped stays not ready, then recovers", async () => {
  const rig = await startRig({ backends: ["a"], objects: [hostProxy("steady.test", "a")] });
  await rig.isoline.stop();
  const envoy = await rig.restartEnvoy();
  for (let i = 0; i < 20; i += 1) {
    expect(await envoy.ready()).toBe(false);
    await sleep(100);
  }
  expect(await isOpen(rig.httpPort)).toBe(false);

  await rig.isoline.start();
  await eventually(() => envoy.ready(), "Envoy is ready again");
  expect((await request({ port: rig.httpPort, host: "steady.test" })).status).toBe(200);
  expect(await envoy.rejected()).toEqual([]);
});
