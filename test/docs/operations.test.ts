import { startCluster, whyNoCluster } from "../support/machine-cluster.js";
import { walk } from "../support/walk.js";

walk("docs/operations.md", { given: startCluster }, await whyNoCluster());
