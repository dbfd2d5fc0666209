import { setTimeout as sleep } from "node:timers/promises";
import { type Experiment, slowest } from "./support/experiment.js";
import { usual } from "./support/objects.js";

export const restartIdle: Experiment = {
  name: "restart-idle",
  what: "The server is killed and starts again, three times; nothing changes in the cluster",
  right: "With SQLite it is ready as soon as it runs, without an edit",
  short: true,
  rig: { ...usual, store: "sqlite", staleMs: 5000 },
  run: async (rig) => {
    const times: (number | null)[] = [];
    const whole: (number | null)[] = [];
    for (let i = 0; i < 3; i++) {
      await rig.server.end("SIGKILL");
      await sleep(1000);
      const started = await rig.server.startTimed(70_000);
      times.push(started.afterRunning);
      whole.push(started.whole);
    }
    return {
      ready_after_running_ms: slowest(times),
      ready_ms: slowest(whole),
      edit_ms: await rig.moveEndpoints("moving", "moving.test", "b", 10_000),
    };
  },
  limits: { ready_after_running_ms: { max: 1000 }, ready_ms: {}, edit_ms: { max: 3000 } },
  recovery: "ready_ms",
};
