import { existsSync, writeFileSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import type { Experiment } from "./support/experiment.js";
import { hostTo, serviceTo, usual } from "./support/objects.js";
import type { Rig } from "./support/rig.js";

const other = [...serviceTo("other", "b"), hostTo("other.test", "other")];
const changed = [...usual.objects, hostTo("late.test", "b")];

/** Two sources; after `lose` only the first one is pushed for a while, then also the second one. */
const losing =
  (lose: (rig: Rig) => Promise<void>): Experiment["run"] =>
  async (rig) => {
    await rig.push("two", other);
    await rig.until(async () => (await rig.answer("other.test")) === "b", 10_000);
    rig.load.expect("other.test", "b");
    await lose(rig);
    // A refusal is correct, too: only the answers of clients count.
    await rig.push("one", changed);
    await sleep(5000);
    await rig.push("two", other);
    await rig.push("one", changed);
    return { edit_ms: await rig.until(async () => (await rig.answer("late.test")) === "b", 20_000) };
  };

export const pushAfterRestart: Experiment = {
  name: "push-after-restart",
  what: "With --push and the store in memory, the server restarts and one of two sources is pushed again",
  right: "The hosts of the other source stay; new objects are served once both are pushed",
  short: true,
  rig: { ...usual, push: true },
  run: losing(async ({ server }) => {
    await server.end("SIGKILL");
    server.start();
  }),
  limits: { edit_ms: { max: 5000 } },
};

export const pushAfterDamage: Experiment = {
  name: "push-after-damage",
  what: "With --push, the SQLite file is damaged while the server is down, and one of two sources is pushed again",
  right: "The file is put aside with a line in the log; the hosts of the other source stay",
  rig: { ...usual, push: true, store: "sqlite" },
  run: losing(async ({ server, replica }) => {
    await server.end("SIGKILL");
    for (const file of ["", "-wal"].map((end) => `${replica.storeFile}${end}`).filter(existsSync))
      writeFileSync(file, Buffer.alloc(8192, 0x5a), { flag: "r+" });
    server.start();
  }),
  limits: { edit_ms: { max: 5000 } },
};
