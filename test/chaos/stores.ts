import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { freePort } from "../support/http.js";
import { changeDatabase } from "./support/database.js";
import type { Experiment } from "./support/experiment.js";
import { slowest } from "./support/experiment.js";
import { usual } from "./support/objects.js";
import { pidNamespace } from "./support/replica.js";
import { ServerProcess } from "./support/server.js";

const withFile = { ...usual, store: "sqlite", staleMs: 50_000 } as const;

export const locksLeftBehind: Experiment = {
  name: "locks-left-behind",
  what: "A killed server leaves lock files: empty, invalid, or with the number of another running process",
  right: "No such file prevents the next server from opening its store",
  rig: withFile,
  run: async (rig) => {
    const { server, storeFile } = rig.replica;
    const times: (number | null)[] = [];
    for (const left of ["", "junk\n", `${process.pid}\n`]) {
      await server.end("SIGKILL");
      writeFileSync(`${storeFile}.owner`, left);
      mkdirSync(`${storeFile}.lock`, { recursive: true });
      const ready = await server.startReady(15_000);
      times.push(ready);
      if (ready !== null) continue;
      // As the message of such a server states.
      await server.end("SIGKILL");
      rmSync(`${storeFile}.owner`, { force: true });
      await server.startReady(15_000);
    }
    return {
      ready_ms: slowest(times),
      edit_ms: await rig.moveEndpoints("moving", "moving.test", "b", 10_000),
    };
  },
  limits: { ready_ms: {}, edit_ms: { max: 5000 } },
  recovery: "ready_ms",
};

export const twoServersOneFile: Experiment = {
  name: "two-servers-one-file",
  what: "A second server is started on the file of the first, each as PID 1 of its container",
  right: "The second one refuses to start, and the file stays intact: the first one starts again from it",
  rig: { ...withFile, ownPids: true },
  run: async (rig) => {
    const { server } = rig.replica;
    const second = new ServerProcess(await freePort(), server.args, {}, pidNamespace);
    rig.onClose(() => second.end("SIGKILL"));
    const second_ready = (await second.startReady(6000)) === null ? 0 : 1;
    const edit_ms = await rig.moveEndpoints("moving", "moving.test", "b", 10_000);
    await second.end("SIGKILL");
    await server.end("SIGKILL");
    return { second_ready, edit_ms, ready_ms: await server.startReady(20_000) };
  },
  limits: { second_ready: { max: 0 }, edit_ms: { max: 5000 }, ready_ms: {} },
  recovery: "ready_ms",
};

/** Columns with JSON. */
const damages = [
  "UPDATE object SET json = '{\"kind\":' WHERE ref LIKE 'HTTPProxy/%'",
  "UPDATE unit SET resources = 'x'",
  "UPDATE resource SET json = substr(json, 1, length(json) / 2)",
];

export const damagedRows: Experiment = {
  name: "damaged-rows",
  what: "Objects, then units, then resources in the SQLite file are no longer JSON, in intact pages",
  right: "The file is put aside with a line in the log, and rebuilt from the cluster",
  short: true,
  rig: withFile,
  run: async (rig) => {
    const { server, storeFile } = rig.replica;
    const times: (number | null)[] = [];
    const lines = (): number => count(server.log, /put aside|damaged|corrupt/i);
    for (const damage of damages) {
      await server.end("SIGKILL");
      changeDatabase(storeFile, damage);
      const before = lines();
      times.push(await server.startReady(20_000));
      // Damage that does not prevent the start may be found later.
      await rig.until(async () => lines() > before, 10_000);
      if (times.at(-1) !== null) continue;
      await server.end("SIGKILL");
      rmSync(dirname(storeFile), { recursive: true });
      await server.startReady(30_000);
    }
    const edit_ms = await rig.moveEndpoints("moving", "moving.test", "b", 20_000);
    return { ready_ms: slowest(times), edit_ms, log_lines: lines() };
  },
  limits: { ready_ms: {}, edit_ms: { max: 5000 }, log_lines: { min: damages.length } },
  recovery: "ready_ms",
};

export const fullDisk: Experiment = {
  name: "full-disk",
  what: "The disk of the SQLite file is full for 10 s",
  right: "The log names the disk, not the API server; edits are served once there is space",
  rig: { ...withFile, storeDiskMb: 3 },
  run: async (rig) => {
    const { server, storeFile } = rig.replica;
    const ballast = join(dirname(storeFile), "ballast");
    fill(ballast);
    const before = server.log.length;
    // More than the free space in the pages of the file.
    for (let i = 0; i < 10; i++)
      await rig.moveEndpoints("moving", "moving.test", i % 2 === 0 ? "b" : "a", 500);
    await sleep(5000);
    const log = server.log.slice(before);
    rmSync(ballast);
    const edit_ms = await rig.moveHost("switched.test", "b", "b", 50_000);
    return {
      edit_ms,
      disk_lines: count(log, /disk|no space|full/i),
      wrong_lines: count(log, /can't reach the API server/),
    };
  },
  limits: { edit_ms: { max: 46_000 }, disk_lines: { min: 1 }, wrong_lines: { max: 0 } },
  recovery: "edit_ms",
};

const count = (log: string, what: RegExp): number => log.split("\n").filter((line) => what.test(line)).length;

/** Fills a file system with a file; the last bytes are written one page at a time. */
function fill(file: string): void {
  for (const size of [65_536, 4096]) {
    try {
      for (;;) writeFileSync(file, Buffer.alloc(size), { flag: "a" });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
    }
  }
}
