import { startCluster, whyNoCluster } from "../support/machine-cluster.js";
import { ownManifests, walk } from "../support/walk.js";

walk(
  "docs/diff.md",
  {
    given: async (machine) => {
      await ownManifests(machine);
      const commit = "git -c user.name=a -c user.email=a@example.com commit -qm manifests";
      await machine.must(`git init -q -b main && git add manifests && ${commit}`);
      await startCluster(machine);
    },
  },
  await whyNoCluster(),
);
