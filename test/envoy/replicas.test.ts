import { expect, test } from "vitest";
import { expectPausesWithoutLoss, expectSwitchesWithoutLoss } from "../support/switches.js";

// With more switches, stopped and hanging replicas, and wrong clocks: test/long/replicas.test.ts.
test.each([
  ["in one connection", "inline", false],
  ["in a connection each", "eds", true],
])(
  "two replicas, polls %s: no request fails during switches to new Services",
  async (_, endpoints, http1) => {
    const median = await expectSwitchesWithoutLoss(http1 ? 2 : 5, { endpoints, http1 });
    if (!http1) expect(median).toBeLessThan(1000);
  },
);

test("no request fails while a replica is paused", () => expectPausesWithoutLoss(1, 0));
