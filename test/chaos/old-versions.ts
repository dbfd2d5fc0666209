import { setTimeout as sleep } from "node:timers/promises";
import type { Experiment } from "./support/experiment.js";
import { usual } from "./support/objects.js";

const seconds = 10;

export const oldVersions: Experiment = {
  name: "old-versions",
  what: "The API server answers 410 to every watch for 10 s, then ends every watch at once for 10 s",
  right:
    "Each kind is requested at most about once a second; the next edit is served at once when the fault ends",
  rig: { ...usual, staleMs: 40_000 },
  run: async (rig) => {
    const during = async (kind: "gone" | "end"): Promise<number> => {
      const before = rig.api.requests();
      const remove = rig.api.inject(({ verb }) => (verb === "watch" ? { kind } : undefined));
      rig.api.cut();
      await sleep(seconds * 1000);
      remove();
      return Math.round((rig.api.requests() - before) / seconds);
    };
    const gone_requests_per_s = await during("gone");
    const ended_requests_per_s = await during("end");
    return {
      gone_requests_per_s,
      ended_requests_per_s,
      edit_ms: await rig.moveEndpoints("moving", "moving.test", "b", 40_000),
      synced_ms: await rig.untilSynced(40_000),
    };
  },
  limits: {
    gone_requests_per_s: { max: 20 },
    ended_requests_per_s: { max: 20 },
    edit_ms: { max: 5000 },
    synced_ms: { max: 5000 },
  },
  recovery: "edit_ms",
};
