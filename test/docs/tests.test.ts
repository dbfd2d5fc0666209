import { startCluster, whyNoCluster } from "../support/machine-cluster.js";
import { serveQuickstart, walk } from "../support/walk.js";

walk(
  "docs/tests.md",
  {
    given: async (machine) => {
      await serveQuickstart(machine);
      await startCluster(machine);
      await machine.must("isoline crds > crds.yaml && kubectl apply --server-side -f crds.yaml");
      await machine.must("kubectl wait --for condition=Established -f crds.yaml");
      await machine.must("kubectl apply -f examples/quickstart/namespaces.yaml");
      await machine.must("kubectl apply -f examples/quickstart");
    },
  },
  await whyNoCluster(),
);
