import { setTimeout as sleep } from "node:timers/promises";
import type { Experiment } from "./support/experiment.js";
import { usual } from "./support/objects.js";

const sticky = {
  ...usual,
  replicas: 2,
  balancer: { policy: "sticky", readiness: true },
  staleAfter: 20,
} as const;

export const cutOffReplica: Experiment = {
  name: "cut-off-replica",
  what: "The replica of an Envoy is cut off from the API server; the other one is not",
  right: "It reports not ready and ends its held polls; Envoy goes to the other replica and gets edits",
  rig: { ...sticky, staleMs: 70_000 },
  run: async (rig) => {
    rig.replica.apis[0]?.down();
    const edit_ms = await rig.moveHost("switched.test", "b", "b", 60_000);
    rig.replica.apis[0]?.up();
    return { edit_ms, synced_ms: await rig.untilSynced(60_000) };
  },
  // 20 s without an answer, the interval of the checks, and a held poll.
  limits: { edit_ms: { max: 45_000 }, synced_ms: { max: 46_000 } },
  recovery: "edit_ms",
};

export const allCutOff: Experiment = {
  name: "all-cut-off",
  what: "Every replica is cut off from the API server for 40 s, and an Envoy restarts",
  right: "The Envoy gets the last good configuration: a fleet without a good replica continues to serve",
  rig: { ...sticky, staleMs: 70_000 },
  run: async (rig) => {
    for (const { apis } of rig.replicas) apis[0]?.down();
    await sleep(40_000);
    const envoy_ms = await rig.restartEnvoy();
    for (const { apis } of rig.replicas) apis[0]?.up();
    return { envoy_ms, edit_ms: await rig.moveHost("switched.test", "b", "b", 60_000) };
  },
  limits: { envoy_ms: { max: 10_000 }, edit_ms: { max: 46_000 } },
  recovery: "envoy_ms",
};
