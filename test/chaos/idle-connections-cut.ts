import { setTimeout as sleep } from "node:timers/promises";
import { type Experiment, slowest } from "./support/experiment.js";
import { usual } from "./support/objects.js";

const backends = ["b", "a"] as const;

export const idleConnectionsCut: Experiment = {
  name: "idle-connections-cut",
  what: "A load balancer in front of the API server cuts each connection that is idle for 6 s",
  right: "Watches are opened again at once; an edit waits no longer than one cut",
  rig: { ...usual, staleMs: 40_000 },
  run: async (rig) => {
    rig.api.cutIdleAfter(6000);
    // Long enough for a doubling pause to become long.
    await sleep(50_000);
    const seen: (number | null)[] = [];
    for (let i = 0; i < 4; i++) {
      seen.push(await rig.moveEndpoints("moving", "moving.test", backends[i % 2] ?? "a", 40_000));
      await sleep(4000);
    }
    rig.api.cutIdleAfter(0);
    return { slowest_edit_ms: slowest(seen), synced_ms: await rig.untilSynced(40_000) };
  },
  limits: { slowest_edit_ms: { max: 3000 }, synced_ms: { max: 5000 } },
  recovery: "slowest_edit_ms",
};
