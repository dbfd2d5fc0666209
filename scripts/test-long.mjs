import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { conformance } from "./conformance.mjs";
import { root } from "./run.mjs";
import { PREPARE, program, runSteps, vitest } from "./steps.mjs";

/** A step that is there with its script. */
const script = (name, file, ...args) => ({
  name,
  run: () =>
    existsSync(join(root, file))
      ? program(file, ...args)
      : Promise.resolve({ passed: 0, failed: 0, why: `there is no ${file}` }),
});

/** Recorded answers of Contour are no part of this repository. */
function acceptance() {
  if (process.env.ISOLINE_ACCEPTANCE) return program("scripts/acceptance.mjs");
  return Promise.resolve({
    passed: 0,
    failed: 0,
    why: "ISOLINE_ACCEPTANCE names no folder with recorded answers",
  });
}

/** Test files whose inputs are random, with all of their runs and a seed that is printed, so that each run tries others. */
function properties() {
  const files = readdirSync(join(root, "test"), { recursive: true })
    .map((name) => join("test", name))
    .filter(
      (file) => file.endsWith(".test.ts") && /fast-check|SEED/.test(readFileSync(join(root, file), "utf8")),
    );
  const seed = process.env.SEED ?? String(randomInt(2 ** 31));
  return {
    name: `properties, SEED=${seed}`,
    run: () => vitest(["--project", "unit", ...files], { SEED: seed, RUNS: "1" }),
  };
}

/** The version of the npm package `node` that has the newest Node with long-term support. */
const newerNode = "24";

/** The tests of the core and of servers under a newer Node than the oldest one that is supported. */
async function withNewerNode() {
  const ask = promisify(execFile);
  const npm = ["exec", "--yes", `--package=node@${newerNode}`, "--", "node", "-p", "process.execPath"];
  try {
    const { stdout } = await ask("npm", npm, { cwd: tmpdir() });
    return vitest(["--project", "unit", "--project", "servers"], {}, stdout.trim());
  } catch (error) {
    console.error(`isoline: the npm package node@${newerNode} can't be installed: ${error.message}`);
    return { passed: 0, failed: 1 };
  }
}

/** What takes too long for every change; a new suite is one line here. */
const STEPS = [
  { name: "documentation", run: () => vitest(["--project", "docs"]) },
  { name: "long tests", run: () => vitest(["--project", "long"]) },
  properties(),
  { name: `Node ${newerNode}`, run: withNewerNode },
  script("Envoy matrix", "scripts/envoy-matrix.mjs"),
  conformance(false),
  script("chaos", "scripts/chaos.mjs", "--short"),
  { name: "acceptance", run: acceptance },
];

/** All steps, or those whose names begin as the command line says. */
const asked = process.argv.slice(2);
const chosen = STEPS.filter(
  ({ name }) => asked.length === 0 || asked.some((start) => name.startsWith(start)),
);
if (chosen.length === 0) {
  console.error(`isoline: no step begins so; there are ${STEPS.map(({ name }) => name).join(", ")}`);
  process.exitCode = 2;
} else {
  process.exitCode = await runSteps([...PREPARE, ...chosen]);
}
