import { setTimeout as sleep } from "node:timers/promises";
import { Edits, editedObjects } from "./support/edits.js";
import type { Experiment, Measures } from "./support/experiment.js";
import { injectFaults } from "./support/faults.js";
import { growthPercent, medianMb, watchMemory } from "./support/memory.js";
import { randomOf } from "./support/random.js";
import type { Rig } from "./support/rig.js";

/** Makes edits at a rate for some seconds, one after another. */
async function edit(rig: Rig, edits: Edits, seconds: number, perSecond: number): Promise<number> {
  const end = performance.now() + seconds * 1000;
  let made = 0;
  for (let next = performance.now(); next < end; next += 1000 / perSecond) {
    await sleep(Math.max(0, next - performance.now()));
    await edits.one(rig);
    made++;
  }
  return made;
}

const lastEdit = async (rig: Rig, withinMs: number): Promise<number | null> =>
  rig.newHost("last.test", "c", "c", withinMs);

const faulty =
  (seed: number, seconds: number): Experiment["run"] =>
  async (rig): Promise<Measures> => {
    const edits = new Edits(randomOf(seed));
    const [made, faults] = await Promise.all([
      edit(rig, edits, seconds, 5),
      injectFaults(rig, randomOf(seed + 1), seconds),
    ]);
    return { edits: made, faults, last_edit_ms: await lastEdit(rig, 70_000) };
  };

/** A watch on a silent connection is opened again within a minute, separately in each replica. */
const silentMs = 80_000;

/** Long experiments: minutes of edits and of random faults; shorter in the short form. */
export function soaks(seed: number, short: boolean): readonly Experiment[] {
  const [long, brief] = short ? [45, 30] : [600, 200];
  const faultLimits = { last_edit_ms: { max: 60_000 } };
  return [
    {
      name: "soak-edits",
      what: `${long} s of ordinary edits, ten a second`,
      right: "No request fails, and the server's memory has no trend",
      short: true,
      rig: { ...editedObjects, flags: ["--write-status", "--disable-leader-election"], staleMs: 5000 },
      run: async (rig) => {
        const memory = watchMemory(rig.server);
        rig.onClose(() => memory.stop());
        const edits = await edit(rig, new Edits(randomOf(seed)), long, 10);
        return {
          edits,
          memory_mb: medianMb(memory.samples),
          memory_growth_percent: growthPercent(memory.samples),
          last_edit_ms: await lastEdit(rig, 10_000),
        };
      },
      // The short form consists of the warm-up only.
      limits: { last_edit_ms: { max: 3000 }, ...(short ? {} : { memory_growth_percent: { max: 10 } }) },
      recovery: "last_edit_ms",
    },
    {
      name: "soak-faults",
      what: `${brief} s of random faults of the API server and the server, with five edits a second`,
      right: "No request fails; the last edit is served",
      short: true,
      rig: { ...editedObjects, store: "sqlite", staleMs: 70_000 },
      run: faulty(seed, brief),
      limits: faultLimits,
      finalMs: silentMs,
      recovery: "last_edit_ms",
    },
    {
      name: "soak-replicas",
      what: `${brief} s of the same, over two replicas`,
      right: "No request fails; the last edit is served",
      short: true,
      rig: {
        ...editedObjects,
        store: "sqlite",
        replicas: 2,
        balancer: { policy: "spread", readiness: true },
        staleMs: 70_000,
      },
      run: faulty(seed, brief),
      limits: faultLimits,
      finalMs: silentMs,
      recovery: "last_edit_ms",
    },
  ];
}
