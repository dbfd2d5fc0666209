import type { Experiment } from "./support/experiment.js";
import { usual } from "./support/objects.js";

export const silentConnections: Experiment = {
  name: "silent-connections",
  what: "All connections to the API server fall silent without a reset, as when a firewall or NAT drops them",
  right: "Watches are opened again within a minute; edits from before are served then",
  short: true,
  rig: { ...usual, staleMs: 90_000 },
  run: async (rig) => {
    rig.api.silence();
    const edit_ms = await rig.moveEndpoints("moving", "moving.test", "b", 90_000);
    return { edit_ms, after_ms: await rig.moveHost("switched.test", "b", "b", 10_000) };
  },
  // Changes of kinds that catch up are published together, after at most five seconds.
  limits: { edit_ms: { max: 60_000 }, after_ms: { max: 6000 } },
  recovery: "edit_ms",
};
