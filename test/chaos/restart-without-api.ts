import type { Experiment } from "./support/experiment.js";
import { usual } from "./support/objects.js";

export const restartWithoutApi: Experiment = {
  name: "restart-without-api",
  what: "The server is killed and starts again while the API server is down; an Envoy restarts, too",
  right: "With SQLite it serves the state before as soon as it runs; the new Envoy has its hosts",
  short: true,
  rig: { ...usual, store: "sqlite", staleMs: 70_000 },
  run: async (rig) => {
    await rig.server.end("SIGKILL");
    rig.api.down();
    const { afterRunning: ready_after_running_ms, whole: ready_ms } = await rig.server.startTimed(30_000);
    const envoy_ms = ready_ms === null ? null : await rig.restartEnvoy();
    rig.api.up();
    const edit_ms = await rig.moveEndpoints("moving", "moving.test", "b", 70_000);
    return { ready_after_running_ms, ready_ms, envoy_ms, edit_ms };
  },
  limits: {
    ready_after_running_ms: { max: 1000 },
    ready_ms: {},
    envoy_ms: { max: 10_000 },
    edit_ms: { max: 46_000 },
  },
  recovery: "ready_ms",
};
