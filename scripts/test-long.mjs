import { randomInt } from "node:crypto";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { build } from "./build.mjs";
import { root } from "./run.mjs";
import { setup } from "./setup.mjs";
import { check, program, runSteps, vitest } from "./steps.mjs";

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

/** Properties once more, with a seed that is printed, so that each run tries others. */
const properties = () => {
  const seed = process.env.SEED ?? String(randomInt(2 ** 31));
  return {
    name: `properties, SEED=${seed}`,
    run: () => vitest(["--project", "unit", "--project", "long"], { SEED: seed }),
  };
};

/** What takes too long for every change; a new suite is one line here. */
const STEPS = [
  { name: "documentation", run: () => vitest(["--project", "docs"]) },
  { name: "long tests", run: () => vitest(["--project", "long"]) },
  properties(),
  script("Envoy matrix", "scripts/envoy-matrix.mjs"),
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
  const first = [
    { name: "setup", needed: true, run: () => check(setup()) },
    {
      name: "build",
      needed: true,
      run: () =>
        check(
          build().then(
            () => true,
            () => false,
          ),
        ),
    },
  ];
  process.exitCode = await runSteps([...first, ...chosen]);
}
