import { setTimeout as sleep } from "node:timers/promises";
import type { Experiment } from "./support/experiment.js";
import { hostTo, serviceTo, usual } from "./support/objects.js";
import type { Rig } from "./support/rig.js";

export const twoReplicas = {
  ...usual,
  replicas: 2,
  balancer: { policy: "spread", readiness: false },
  staleMs: 12_000,
} as const;

/** Moves a host to a Service that is created at the same moment. */
export async function switchToNew(
  rig: Rig,
  name: string,
  backend: "b" | "c",
  withinMs: number,
): Promise<number | null> {
  const began = performance.now();
  rig.load.expect("switched.test", backend);
  await rig.kube.apply(...serviceTo(name, backend), hostTo("switched.test", name));
  return rig.until(async () => (await rig.answer("switched.test")) === backend, withinMs, began);
}

export const switchOverReplicas: Experiment = {
  name: "switch-over-replicas",
  what: "A host moves to a new Service, ten times, while Envoy's polls are spread over two replicas",
  right: "No request meets a route without its cluster, and a switch takes as long as with one server",
  short: true,
  rig: twoReplicas,
  run: async (rig) => {
    const times: (number | null)[] = [];
    for (let i = 0; i < 10; i++) {
      times.push(await switchToNew(rig, `new-${i}`, i % 2 === 0 ? "b" : "c", 10_000));
      await sleep(1000);
    }
    if (times.includes(null)) return { switch_ms: null };
    return { switch_ms: times.map((ms) => ms ?? 0).sort((a, b) => a - b)[5] ?? null };
  },
  limits: { switch_ms: { max: 300 } },
  recovery: "switch_ms",
};
