import { readFileSync, renameSync, writeFileSync } from "node:fs";
import type { Experiment } from "./support/experiment.js";
import { usual } from "./support/objects.js";
import { kubeconfigToken } from "./support/replica.js";

export const renewedToken: Experiment = {
  name: "renewed-token",
  what: "The token of the kubeconfig is no longer accepted, and the file gets another one",
  right: "The new token is read; edits are served",
  rig: { ...usual, staleMs: 70_000 },
  run: async (rig) => {
    rig.api.inject(({ token }) => (token === "renewed" ? undefined : { kind: "status", code: 401 }));
    rig.api.cut();
    const { kubeconfig } = rig.replica;
    const text = readFileSync(kubeconfig, "utf8").replaceAll(kubeconfigToken, "renewed");
    writeFileSync(`${kubeconfig}.new`, text);
    renameSync(`${kubeconfig}.new`, kubeconfig);
    return { edit_ms: await rig.moveHost("switched.test", "b", "b", 60_000) };
  },
  limits: { edit_ms: { max: 46_000 } },
  recovery: "edit_ms",
};
