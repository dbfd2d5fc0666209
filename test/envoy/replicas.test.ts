import { expect, test } from "vitest";
import { expectPausesWithoutLoss, expectSwitchesWithoutLoss } from "../support/switches.js";

// More switches, each replica stopped, hanging replicas and wrong clocks: test/long/replicas.test.ts.
test.each([
  ["in one connection", "inline", false],
  ["in a connection each", "eds", true],
])("two replicas, polls %s: switches to new Services lose no request", async (_, endpoints, http1) => {
  const median = await expectSwitchesWithoutLoss(http1 ? 2 : 5, { endpoints, http1 });
  if (!http1) expect(median).toBeLessThan(1000);
});

test("a replica that is stopped for a while loses no request", () => expectPausesWithoutLoss(1, 0));
