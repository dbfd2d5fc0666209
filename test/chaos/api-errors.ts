import { setTimeout as sleep } from "node:timers/promises";
import type { Experiment } from "./support/experiment.js";
import { usual } from "./support/objects.js";

export const apiErrors: Experiment = {
  name: "api-errors",
  what: "The API server refuses connections for 15 s, then answers 500 to everything for 15 s",
  right:
    "The known state is served; edits follow, and every kind is `synced`, within seconds of its first answer",
  rig: { ...usual, staleMs: 70_000 },
  run: async (rig) => {
    rig.api.down();
    await sleep(15_000);
    rig.api.up();
    const remove = rig.api.inject(() => ({ kind: "status", code: 500 }));
    await sleep(15_000);
    remove();
    const edit_ms = await rig.moveEndpoints("moving", "moving.test", "b", 70_000);
    return { edit_ms, synced_ms: await rig.untilSynced(70_000) };
  },
  // The pause between attempts is up to 30 s, plus up to 50 % jitter.
  limits: { edit_ms: { max: 46_000 }, synced_ms: { max: 46_000 } },
  recovery: "edit_ms",
};
