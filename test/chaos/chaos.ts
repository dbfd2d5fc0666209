import { readFileSync, writeFileSync } from "node:fs";
import { parseArgs } from "node:util";
import { customResourceDefinitions } from "../../src/schema/crds.js";
import type { Manifest } from "../support/backend.js";
import { eventually } from "../support/envoy.js";
import { kubeBinaries, startKube, type TestKube } from "../support/kube.js";
import { enterNamespace } from "../support/netns.js";
import { experiments, soaks } from "./experiments.js";
import type { Experiment, Outcome } from "./support/experiment.js";
import { backends, hostTo, startBackends } from "./support/objects.js";
import { seedFrom } from "./support/random.js";
import { circumstances, readRows, writeRows } from "./support/report.js";
import { runExperiment } from "./support/run.js";
import { tableOf, withTable } from "./support/table.js";

const { values } = parseArgs({
  options: {
    short: { type: "boolean", default: false },
    only: { type: "string", multiple: true, default: [] },
    json: { type: "string" },
    write: { type: "boolean", default: false },
    seed: { type: "string" },
    list: { type: "boolean", default: false },
    table: { type: "boolean", default: false },
  },
});

/** The results of the last run with `--write`, and of a run on the commit before the suite. */
const [resultsFile, beforeFile] = ["test/chaos/results/now.json", "test/chaos/results/before.json"];
const document = "docs/reliability.md";

const seed = seedFrom(values.seed);
const all: readonly Experiment[] = [...experiments, ...soaks(seed, values.short)];

function chosen(): readonly Experiment[] {
  const unknown = values.only.filter((name) => !all.some((one) => one.name === name));
  if (unknown.length > 0) throw new Error(`no experiment is called ${unknown.join(", ")}; see --list`);
  if (values.only.length > 0) return all.filter(({ name }) => values.only.includes(name));
  return values.short ? all.filter(({ short }) => short) : all;
}

async function startCluster(binaries: { apiserver: string; etcd: string }): Promise<TestKube> {
  const kube = await startKube(binaries);
  await kube.apply(...(customResourceDefinitions() as readonly Manifest[]));
  await eventually(
    () => kube.apply(hostTo("first.test", "a")).then(() => true),
    "the CRDs are served",
    30_000,
  );
  return kube;
}

function print({ name, outcome, problems, requests, failed, measures, seconds, ...rest }: Outcome): void {
  const api = `${rest.apiRequests} requests to the API server, ${rest.apiBusiestSecond} in the busiest second`;
  console.error(
    `${outcome.padEnd(11)} ${name} (${seconds} s): ${failed} of ${requests} requests failed; ${api}`,
  );
  console.error(`            ${JSON.stringify(measures)}`);
  for (const problem of problems) console.error(`            ! ${problem}`);
}

async function run(): Promise<number> {
  const wanted = chosen();
  const binaries = await kubeBinaries();
  if ("reason" in binaries) {
    console.error(`isoline: NOT RUN, no experiment of ${wanted.length}: ${binaries.reason}`);
    return 1;
  }
  console.error(`isoline: ${wanted.length} experiments, seed ${seed}`);
  const closeBackends = await startBackends();
  const kube = await startCluster(binaries);
  const outcomes: Outcome[] = [];
  try {
    for (const experiment of wanted) {
      const outcome = await runExperiment(kube, experiment);
      outcomes.push(outcome);
      print(outcome);
      await write(outcome);
    }
  } finally {
    await kube.stop();
    closeBackends();
  }
  return conclude(outcomes);
}

/** Writes each outcome at once: a run that is stopped early keeps its results. */
async function write(outcome: Outcome): Promise<void> {
  const file = values.json ?? (values.write ? resultsFile : undefined);
  if (file) writeRows(file, [{ ...outcome, ...(await circumstances(seed)) }]);
  if (values.write) writeTable();
}

function writeTable(): void {
  const table = tableOf(all, readRows(resultsFile), readRows(beforeFile));
  writeFileSync(document, withTable(readFileSync(document, "utf8"), table));
}

/** The exit code. In CI, experiments that could not run are a failure, because their output is easily missed. */
function conclude(outcomes: readonly Outcome[]): number {
  const count = (wanted: Outcome["outcome"]): number =>
    outcomes.filter(({ outcome }) => outcome === wanted).length;
  const missing = outcomes.filter(({ outcome }) => outcome === "unavailable");
  for (const { name, problems } of missing)
    console.error(`isoline: NOT RUN: ${name}: ${problems.join("; ")}`);
  console.error(`${count("passed")} passed, ${count("failed")} failed, ${missing.length} not run`);
  return count("failed") > 0 || (missing.length > 0 && process.env.CI) ? 1 : 0;
}

if (values.list) for (const { name, what } of all) console.log(`${name.padEnd(24)} ${what}`);
else if (values.table) writeTable();
else {
  enterNamespace(Object.values(backends));
  process.exitCode = await run();
  process.exit();
}
