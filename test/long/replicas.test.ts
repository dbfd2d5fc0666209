import { describe, expect, test } from "vitest";
import { expectPausesWithoutLoss, expectSwitchesWithoutLoss, startSwitchRig } from "../support/switches.js";

describe.each([
  ["in one connection", false],
  ["in a connection each", true],
])("two replicas, polls %s", (_, http1) => {
  test.each(["eds", "inline"])("%s: switches to new Services lose no request", async (endpoints) => {
    const median = await expectSwitchesWithoutLoss(24, { endpoints, http1 });
    // Replicas that did not know of each other would wait two seconds.
    if (!http1) expect(median).toBeLessThan(1000);
  });

  test.each([0, 1])("with replica %i stopped for a while, no request is lost", async (stopped) => {
    await expectPausesWithoutLoss(3, stopped, { http1 });
  });
});

test("an Envoy whose replica hangs without a reset moves on within 10 seconds", async () => {
  const { load, switchTo, replicas } = await startSwitchRig({ services: 2 });
  // The first connection: that of the Envoy.
  replicas.all[0]?.pause();
  // The balancer gives every second connection to the one that hangs.
  expect(await switchTo(1)).toBeLessThan(20_000);
  expect(replicas.connections()).toBeGreaterThan(1);
  expect((await load.stop()).bad).toEqual({});
});

test("edits are seen after a replica whose clock is 90 s ahead is gone", async () => {
  const { load, switchTo, replicas } = await startSwitchRig({ services: 3, clocks: [90, 0] });
  await switchTo(1);
  await replicas.all[0]?.kill();
  expect(await switchTo(2)).toBeLessThan(15_000);
  expect((await load.stop()).bad).toEqual({});
});
