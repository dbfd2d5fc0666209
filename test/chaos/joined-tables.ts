import { setTimeout as sleep } from "node:timers/promises";
import type { Experiment } from "./support/experiment.js";
import { hostTo, serviceTo, usual } from "./support/objects.js";

/** Numbers of hosts above the split threshold, between the split and join thresholds, and below both. */
const [many, between, few] = [410, 350, 280];
const numbers = Array.from({ length: many }, (_, i) => i);
const host = (i: number): string => `h${i}.test`;
const asked = numbers.slice(0, 30);

export const joinedTables: Experiment = {
  name: "joined-tables",
  what: "A sharded route table gets small, with a restart, is joined again, and hosts move to another Service",
  right: "Connections with keep-alive always get the right answers",
  rig: {
    objects: [
      ...usual.objects,
      ...serviceTo("first", "a"),
      ...numbers.map((i) => hostTo(host(i), asked.includes(i) ? "first" : "a")),
    ],
    asked: {
      ...usual.asked,
      ...Object.fromEntries(asked.map((i) => [host(i), "a" as const])),
    },
    store: "sqlite",
    staleMs: 5000,
    // Shards are requested while the old listener drains: ten minutes without this flag.
    envoyFlags: ["--drain-time-s", "20"],
  },
  run: async (rig) => {
    const shrink = async (from: number, to: number): Promise<void> => {
      for (let i = from - 1; i >= to; i -= 10)
        await Promise.all(
          numbers.slice(Math.max(to, i - 9), i + 1).map((n) => rig.kube.remove(hostTo(host(n), "a"))),
        );
    };
    const parts = (await rig.server.status()).types["scoped-routes"]?.resources ?? 0;
    await shrink(many, between);
    await sleep(2000);
    await rig.server.end("SIGKILL");
    await rig.server.startReady();
    await sleep(3000);
    await shrink(between, few);
    await sleep(3000);
    // The old Service is deleted: routes of remaining shards would have no cluster.
    for (const i of asked) rig.load.expect(host(i), "b");
    await rig.kube.apply(...asked.map((i) => hostTo(host(i), "b")));
    for (const object of serviceTo("first", "a")) await rig.kube.remove(object);
    await sleep(15_000);
    const edit_ms = await rig.moveHost("switched.test", "b", "b", 10_000);
    // One minute after the last request for shards, the next publication omits them.
    await sleep(90_000);
    return { parts, edit_ms, later_ms: await rig.moveHost("switched.test", "a", "a", 10_000) };
  },
  limits: { parts: { min: 1 }, edit_ms: { max: 5000 }, later_ms: { max: 5000 } },
};
