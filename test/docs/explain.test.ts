import { startCluster, whyNoCluster } from "../support/machine-cluster.js";
import { serveQuickstart, walk } from "../support/walk.js";

walk(
  "docs/explain.md",
  {
    given: async (machine) => {
      await serveQuickstart(machine);
      await startCluster(machine);
    },
  },
  await whyNoCluster(),
);
