import { expect } from "vitest";
import { eventually } from "../support/envoy.js";
import { type Machine, untilPrinted } from "../support/machine.js";
import { runPod, startCluster, whyNoCluster } from "../support/machine-cluster.js";
import { certificateFor, ownManifests, untilAnswered, untilShopIsServed, walk } from "../support/walk.js";

const reason = await whyNoCluster();
const namespace = "projectcontour";

/** What a load balancer does: the name outside the cluster leads to the server. */
const forwarder = `
const { connect, createServer } = require("node:net");
createServer((from) => {
  const to = connect(18000, "127.0.0.1");
  for (const [one, other] of [[from, to], [to, from]]) one.pipe(other).on("error", () => one.destroy());
}).listen(443, () => console.log("listens"));
`;

/** What the cluster does with the printed workloads, on this machine. */
async function runPods(machine: Machine): Promise<void> {
  await runPod(machine, namespace, "deployment/isoline", "isoline", /serves xDS on/);
  await runPod(machine, namespace, "daemonset/envoy", "envoy", /.*/);
  await untilShopIsServed(machine);
  await untilAnswered(machine, "http://127.0.0.1:8002/ready", /LIVE/);
  await untilAnswered(machine, "--unix-socket /run/envoy/admin.sock http://envoy/ready", /LIVE/);
  await eventually(
    async () =>
      (await machine.must("kubectl get httpproxy shop -o json")).includes('"currentStatus": "valid"'),
    "the status is written",
  );
}

async function expectDenials(machine: Machine): Promise<void> {
  // The CRD can't see what is wrong with it.
  const bad = machine
    .read("manifests/shop.yaml")
    .replace("routes: [{", "routes: [{conditions: [{regex: /a(}], ");
  machine.write("bad.yaml", bad);
  await eventually(async () => {
    const { code, output } = await machine.run("kubectl apply -f bad.yaml");
    expect([code, output]).toEqual([
      1,
      expect.stringMatching(/shop" is invalid: spec.routes.*is not valid RE2/),
    ]);
    return true;
  }, "an object that is not valid is denied");
}

walk(
  "docs/kubernetes.md",
  {
    given: async (machine) => {
      await ownManifests(machine);
      await certificateFor(machine, "isoline.projectcontour.svc", "xds.example.com");
      await startCluster(machine);
    },
    after: {
      "isoline manifests --image": (machine) =>
        eventually(
          async () => (await machine.run("kubectl apply -f manifests/")).code === 0,
          "the CRDs are served",
        ),
      "kubectl create secret generic isoline-envoy": runPods,
      "isoline manifests webhook": expectDenials,
    },
    before: {
      "isoline manifests webhook": async (machine) => {
        machine.write("forwarder.cjs", forwarder);
        await untilPrinted(machine.start("exec node forwarder.cjs"), /listens/);
      },
    },
    interrupt: { "isoline token node": "serve" },
  },
  reason,
);
