import { setTimeout as sleep } from "node:timers/promises";
import { type Experiment, slowest } from "./support/experiment.js";
import { switchToNew, twoReplicas } from "./switch-over-replicas.js";

export const stoppedReplica: Experiment = {
  name: "stopped-replica",
  what: "One of two replicas is stopped for 4 s (SIGSTOP) while hosts move to new Services, six times",
  right: "No request meets a route without its cluster",
  rig: twoReplicas,
  run: async (rig) => {
    const times: (number | null)[] = [];
    for (let i = 0; i < 6; i++) {
      const { server } = rig.replicas[i % 2] ?? rig.replica;
      server.signal("SIGSTOP");
      const switched = switchToNew(rig, `new-${i}`, i % 2 === 0 ? "b" : "c", 30_000);
      await sleep(4000);
      server.signal("SIGCONT");
      times.push(await switched);
      await sleep(3000);
    }
    return { slowest_switch_ms: slowest(times) };
  },
  limits: { slowest_switch_ms: { max: 10_000 } },
  recovery: "slowest_switch_ms",
};

export const hungReplica: Experiment = {
  name: "hung-replica",
  what: "One of two replicas is stopped for good (SIGSTOP), with held polls of Envoy",
  right: "Envoy goes to the other one and gets edits within 10 s",
  short: true,
  rig: { ...twoReplicas, balancer: { policy: "spread", readiness: true }, staleMs: 40_000 },
  run: async (rig) => {
    rig.replicas[1]?.server.signal("SIGSTOP");
    await sleep(500);
    const edit_ms = await rig.moveHost("switched.test", "b", "b", 60_000);
    const endpoints_ms = await rig.moveEndpoints("moving", "moving.test", "b", 60_000);
    rig.replicas[1]?.server.signal("SIGCONT");
    return { edit_ms, endpoints_ms };
  },
  limits: { edit_ms: { max: 12_000 }, endpoints_ms: { max: 12_000 } },
  recovery: "edit_ms",
};
