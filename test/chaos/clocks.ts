import { setTimeout as sleep } from "node:timers/promises";
import type { Experiment } from "./support/experiment.js";
import { usual } from "./support/objects.js";
import { twoReplicas } from "./switch-over-replicas.js";

export const clockAhead: Experiment = {
  name: "clock-ahead",
  what: "The clock of the server is 90 s ahead; it restarts, without its store, with the right time",
  right: "Its versions continue from those that Envoy reports; edits are served at once",
  short: true,
  rig: { ...usual, clocks: [90], staleMs: 70_000 },
  run: async (rig) => {
    await rig.moveHost("switched.test", "b", "b", 10_000);
    await rig.server.end("SIGKILL");
    rig.replica.clock?.set(0);
    await rig.server.startReady();
    return {
      edit_ms: await rig.moveHost("switched.test", "a", "a", 60_000),
      endpoints_ms: await rig.moveEndpoints("moving", "moving.test", "b", 60_000),
    };
  },
  limits: { edit_ms: { max: 5000 }, endpoints_ms: { max: 5000 } },
  recovery: "edit_ms",
};

export const aheadReplicaDies: Experiment = {
  name: "ahead-replica-dies",
  what: "One of two replicas has a clock that is 90 s ahead, and is stopped for good",
  right: "The other one raises its versions above those that Envoy reports; edits are served",
  rig: { ...twoReplicas, clocks: [90, 0], staleMs: 70_000 },
  run: async (rig) => {
    await rig.moveHost("switched.test", "b", "b", 10_000);
    await sleep(1000);
    await rig.server.end("SIGKILL");
    return {
      edit_ms: await rig.moveHost("switched.test", "a", "a", 60_000),
      endpoints_ms: await rig.moveEndpoints("moving", "moving.test", "b", 60_000),
    };
  },
  limits: { edit_ms: { max: 12_000 }, endpoints_ms: { max: 5000 } },
  recovery: "edit_ms",
};

export const clockJumps: Experiment = {
  name: "clock-jumps",
  what: "The clock of a running server jumps an hour ahead, then two hours back",
  right: "Held polls, phases and versions continue; each edit is served at once",
  rig: { ...usual, clocks: [0], staleMs: 40_000 },
  run: async (rig) => {
    rig.replica.clock?.set(3600);
    await sleep(2500);
    const ahead_ms = await rig.moveHost("switched.test", "b", "b", 30_000);
    rig.replica.clock?.set(-3600);
    await sleep(2500);
    const back_ms = await rig.moveHost("switched.test", "a", "a", 30_000);
    const endpoints_ms = await rig.moveEndpoints("moving", "moving.test", "b", 30_000);
    return { ahead_ms, back_ms, endpoints_ms };
  },
  limits: { ahead_ms: { max: 5000 }, back_ms: { max: 5000 }, endpoints_ms: { max: 5000 } },
  recovery: "back_ms",
};
