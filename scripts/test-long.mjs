import { execFile } from "node:child_process";
import { randomInt } from "node:crypto";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { conformance } from "./conformance.mjs";
import { root } from "./run.mjs";
import { PREPARE, program, runSteps, vitest } from "./steps.mjs";

/** A step that runs a script; it is skipped without the file. */
const script = (name, file, ...args) => ({
  name,
  run: () =>
    existsSync(join(root, file))
      ? program(file, ...args)
      : Promise.resolve({ passed: 0, failed: 0, why: `there is no ${file}` }),
});

/** Compares with recorded answers of Contour, which are not part of this repository. */
function acceptance() {
  if (process.env.ISOLINE_ACCEPTANCE) return program("scripts/acceptance.mjs");
  return Promise.resolve({
    passed: 0,
    failed: 0,
    why: "ISOLINE_ACCEPTANCE is not set to a folder with recorded answers",
  });
}

/** Test files with random inputs, with all their runs and a new seed, which is printed. */
function properties() {
  const files = readdirSync(join(root, "test"), { recursive: true })
    .map((name) => join("test", name))
    .filter(
      (file) => file.endsWith(".test.ts") && /fast-check|SEED/.test(readFileSync(join(root, file), "utf8")),
    );
  const seed = process.env.SEED ?? String(randomInt(2 ** 31));
  return {
    name: `properties, SEED=${seed}`,
    run: () => vitest(["--project", "unit", "--project", "parts", ...files], { SEED: seed, RUNS: "1" }),
  };
}

/** The version of the npm package `node` with the newest long-term support release. */
const newerNode = "24";

/** Runs the tests of the core and of servers with a newer Node than the oldest supported one. */
async function withNewerNode() {
  const ask = promisify(execFile);
  const npm = ["exec", "--yes", `--package=node@${newerNode}`, "--", "node", "-p", "process.execPath"];
  try {
    const { stdout } = await ask("npm", npm, { cwd: tmpdir() });
    return vitest(["--project", "unit", "--project", "parts", "--project", "servers"], {}, stdout.trim());
  } catch (error) {
    console.error(`isoline: the npm package node@${newerNode} can't be installed: ${error.message}`);
    return { passed: 0, failed: 1 };
  }
}

/** The suites that take too long for every change; a new suite is one line here. */
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

/** All steps, or those whose names begin with an argument. */
const prefixes = process.argv.slice(2);
const chosen = STEPS.filter(
  ({ name }) => prefixes.length === 0 || prefixes.some((start) => name.startsWith(start)),
);
if (chosen.length === 0) {
  console.error(`isoline: no step has this name; the steps are ${STEPS.map(({ name }) => name).join(", ")}`);
  process.exitCode = 2;
} else {
  process.exitCode = await runSteps([...PREPARE, ...chosen]);
}
