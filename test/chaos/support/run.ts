import type { TestKube } from "../../support/kube.js";
import { Unavailable } from "./clock.js";
import { type Experiment, type Measures, type Outcome, overruns } from "./experiment.js";
import { Rig } from "./rig.js";

/** Objects that experiments create and leave behind. */
const collections = [
  "/apis/projectcontour.io/v1/namespaces/default/httpproxies",
  "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices",
  "/apis/coordination.k8s.io/v1/namespaces/default/leases",
  "/api/v1/namespaces/default/services",
  "/api/v1/namespaces/default/secrets",
];

async function empty(kube: TestKube): Promise<void> {
  for (const path of collections) {
    const { body } = await kube.admin.send({ method: "DELETE", path, signal: AbortSignal.timeout(30_000) });
    for await (const _ of body);
  }
}

/** Runs one experiment against an API server without objects of other experiments, and evaluates it. */
export async function runExperiment(kube: TestKube, experiment: Experiment): Promise<Outcome> {
  const began = performance.now();
  const problems: string[] = [];
  let rig: Rig | undefined;
  let measures: Measures = {};
  let unavailable = false;
  try {
    await empty(kube);
    rig = await Rig.start(kube, experiment.rig);
    await rig.begin();
    measures = await experiment.run(rig);
    problems.push(...overruns(measures, experiment.limits));
    problems.push(...(await rig.finalProblems(experiment.finalMs)));
  } catch (error) {
    unavailable = error instanceof Unavailable;
    problems.push(
      error instanceof Error
        ? `${error.message}${error.cause ? ` (${String(error.cause)})` : ""}`
        : String(error),
    );
  }
  await rig?.load.stop();
  const { total = 0, failed = 0, failures = {} } = rig?.load ?? {};
  if (failed > 0) problems.push(`${failed} of ${total} requests failed: ${JSON.stringify(failures)}`);
  if (problems.length > 0 && process.env.CHAOS_LOG)
    for (const { server } of rig?.replicas ?? []) console.error(`--- server\n${server.log.slice(-6000)}`);
  const apis = (rig?.replicas ?? []).flatMap((replica) => replica.apis);
  const outcome: Outcome = {
    name: experiment.name,
    outcome: unavailable ? "unavailable" : problems.length > 0 ? "failed" : "passed",
    problems,
    requests: total,
    failed,
    failures: { ...failures },
    measures,
    apiRequests: apis.reduce((sum, api) => sum + api.requests(), 0),
    apiBusiestSecond: Math.max(0, ...apis.map((api) => api.busiestSecond())),
    seconds: Math.round((performance.now() - began) / 1000),
  };
  await rig?.close();
  return outcome;
}
