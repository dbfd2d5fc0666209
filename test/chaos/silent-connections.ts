import type { Experiment } from "./support/experiment.js";
import { usual } from "./support/objects.js";

export const silentConnections: Experiment = {
  name: "silent-connections",
  what: "All connections to the API server die without a reset, as when a firewall or NAT forgets them",
  right: "Watches are opened again within a minute; edits from before are served then",
  short: true,
  rig: { ...usual, staleMs: 90_000 },
  run: async (rig) => {
    rig.api.silence();
    const edit_ms = await rig.moveEndpoints("moving", "moving.test", "b", 90_000);
    return { edit_ms, after_ms: await rig.moveHost("switched.test", "b", "b", 10_000) };
  },
  // Kinds that come back are waited for, five seconds at most, as what they say goes together.
  limits: { edit_ms: { max: 60_000 }, after_ms: { max: 6000 } },
  recovery: "edit_ms",
};
