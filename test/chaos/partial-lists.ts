import { setTimeout as sleep } from "node:timers/promises";
import type { Manifest } from "../support/backend.js";
import type { Experiment } from "./support/experiment.js";
import { hostTo, otherServices, usual } from "./support/objects.js";

const hosts = Array.from({ length: 12 }, (_, i) => `extra-${i}.test`);

export const partialLists: Experiment = {
  name: "partial-lists",
  what: "Lists lack every other object, then are empty, while a host is added",
  right: "Missing objects are still served; new ones are served, too",
  rig: {
    objects: [...usual.objects, ...otherServices, ...hosts.map((host) => hostTo(host, "a"))],
    asked: { ...usual.asked, ...Object.fromEntries(hosts.map((host) => [host, "a" as const])) },
    staleMs: 15_000,
  },
  run: async (rig) => {
    const isNew = ({ metadata }: Manifest): boolean => (metadata as Manifest).name === "late-test";
    const listing = async (keep: (item: Manifest, i: number) => boolean): Promise<() => void> => {
      const old = rig.api.inject(({ verb }) => (verb === "watch" ? { kind: "gone" } : undefined));
      const lists = rig.api.inject(({ verb }) =>
        verb === "list" ? { kind: "items", change: (items) => items.filter(keep) } : undefined,
      );
      rig.api.cut();
      await sleep(3000);
      old();
      return lists;
    };
    const whole = await listing((item, i) => i % 2 === 1 || isNew(item));
    const new_host_ms = await rig.newHost("late.test", "b", "b", 20_000);
    whole();
    const again = await listing(() => false);
    await sleep(2000);
    again();
    return { new_host_ms, edit_ms: await rig.moveEndpoints("moving", "moving.test", "b", 30_000) };
  },
  limits: { new_host_ms: { max: 15_000 }, edit_ms: { max: 15_000 } },
  recovery: "edit_ms",
};
