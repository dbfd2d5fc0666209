import { setTimeout as sleep } from "node:timers/promises";
import type { Experiment } from "./support/experiment.js";
import { usual } from "./support/objects.js";

export const hungPoll: Experiment = {
  name: "hung-poll",
  what: "With --poll, the API server accepts the requests of one poll and never answers them",
  right: "That poll ends at its deadline, and the next ones work",
  rig: { ...usual, flags: ["--poll", "2"], staleMs: 90_000 },
  run: async (rig) => {
    const remove = rig.api.inject(() => ({ kind: "hang" }));
    await sleep(4000);
    remove();
    return { edit_ms: await rig.moveEndpoints("moving", "moving.test", "b", 90_000) };
  },
  limits: { edit_ms: { max: 65_000 } },
  recovery: "edit_ms",
};
