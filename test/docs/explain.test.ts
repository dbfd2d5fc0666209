import { untilPrinted } from "../support/machine.js";
import { startCluster, whyNoCluster } from "../support/machine-cluster.js";
import { certificateFor, walk } from "../support/walk.js";

walk(
  "docs/explain.md",
  {
    given: async (machine) => {
      await certificateFor(machine, "isoline.example.com");
      machine.trust(machine.read("ca.crt"));
      await machine.must("isoline token read --name reader --file tokens.txt > read-token");
      const flags = "--listen 0.0.0.0:443 --tokens tokens.txt --tls-cert-file tls.crt --tls-key-file tls.key";
      await untilPrinted(
        machine.start(`exec isoline serve -f examples/quickstart ${flags}`),
        /serves xDS on/,
      );
      await startCluster(machine);
    },
  },
  await whyNoCluster(),
);
