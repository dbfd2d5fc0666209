import type { Experiment } from "./support/experiment.js";
import { usual } from "./support/objects.js";

export const oneClusterAway: Experiment = {
  name: "one-cluster-away",
  what: "One of two clusters can't be reached while the server restarts",
  right: "It is ready as soon as it runs; edits of the other cluster are served",
  rig: { ...usual, store: "sqlite", clusters: ["east", "west"], staleMs: 40_000 },
  run: async (rig) => {
    const west = rig.replica.apis[1];
    await rig.server.end("SIGKILL");
    west?.down();
    const { afterRunning: ready_after_running_ms, whole: ready_ms } = await rig.server.startTimed(30_000);
    const edit_ms = await rig.moveHost("switched.test", "b", "b", 30_000);
    west?.up();
    return { ready_after_running_ms, ready_ms, edit_ms };
  },
  limits: { ready_after_running_ms: { max: 1000 }, ready_ms: {}, edit_ms: { max: 5000 } },
  recovery: "edit_ms",
};
