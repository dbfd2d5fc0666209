import { expect, test } from "vitest";
import { hostProxy, type Load, startLoad } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { type Rig, startRig } from "../support/isoline.js";

const REQUESTS = 20_000;
const SWITCHES_AT_LEAST = 10;

/**
 * Switches between the two services until there were enough requests and switches; resolves with the number of
 * switches.
 */
async function switchUnderLoad(rig: Rig, load: Load): Promise<number> {
  let switches = 0;
  for (; load.total() < REQUESTS || switches < SWITCHES_AT_LEAST; switches += 1) {
    const next = switches % 2 === 0 ? "green" : "blue";
    await rig.isoline.apply("switched", hostProxy("blue-green.test", next));
    await eventually(async () => load.last() === next, `traffic is on ${next} (switch ${switches + 1})`);
  }
  return switches;
}

test.each(["eds", "inline"] as const)("%s: blue-green under load loses no request", async (endpoints) => {
  const rig = await startRig({
    backends: ["blue", "green"],
    objects: [hostProxy("steady.test", "blue")],
    endpoints,
  });
  await rig.isoline.apply("switched", hostProxy("blue-green.test", "blue"));
  const probe = startLoad(rig.httpPort, ["blue-green.test"], 1);
  await eventually(async () => probe.last() === "blue", "traffic is on blue");
  await probe.stop();

  const load = startLoad(rig.httpPort, ["blue-green.test"], 32);
  const switches = await switchUnderLoad(rig, load);
  const { total, bad } = await load.stop();

  expect(bad).toEqual({});
  expect(total).toBeGreaterThanOrEqual(REQUESTS);
  expect(switches).toBeGreaterThanOrEqual(SWITCHES_AT_LEAST);
  expect(await rig.envoy.rejected()).toEqual([]);
});
