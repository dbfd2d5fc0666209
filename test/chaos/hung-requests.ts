import type { Experiment } from "./support/experiment.js";
import type { Asked } from "./support/kube-proxy.js";
import { hostTo, usual } from "./support/objects.js";

const seconds = 90;

export const hungRequests: Experiment = {
  name: "hung-requests",
  what: "The API server accepts a list, a status write and a Lease request, and never answers them",
  right: "Each request has a deadline and is repeated; statuses are written within about a minute",
  rig: {
    ...usual,
    flags: ["--write-status", "--leader-election-resource-namespace", "default"],
    staleMs: 5000,
  },
  run: async (rig) => {
    const once = (match: (asked: Asked) => boolean): void => {
      const remove = rig.api.inject((asked) => {
        if (!match(asked)) return undefined;
        remove();
        return { kind: "hang" };
      });
    };
    once(({ plural, verb }) => plural === "leases" && verb !== "watch");
    once(({ path, verb }) => verb === "write" && path.includes("/status"));
    once(({ plural, verb }) => plural === "httpproxies" && verb === "list");
    // The next request for HTTPProxies is a list.
    const remove = rig.api.inject(({ plural, verb }) =>
      plural === "httpproxies" && verb === "watch" ? { kind: "gone" } : undefined,
    );
    rig.api.cut();
    await new Promise((done) => setTimeout(done, 1500));
    remove();
    const object = hostTo("late.test", "b");
    const began = performance.now();
    const edit_ms = await rig.newHost("late.test", "b", "b", seconds * 1000);
    const status_ms = await rig.until(
      async () => (await rig.kube.get(object)).status !== undefined,
      seconds * 1000,
      began,
    );
    return { edit_ms, status_ms };
  },
  limits: { edit_ms: { max: 65_000 }, status_ms: { max: 75_000 } },
  recovery: "status_ms",
};
