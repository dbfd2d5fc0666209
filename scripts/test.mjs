import { build } from "./build.mjs";
import { run } from "./run.mjs";
import { setup } from "./setup.mjs";

const passes =
  (script, ...args) =>
  async () =>
    (await run(process.execPath, [`node_modules/${script}`, ...args])) === 0;

/** In order; the first that is not true ends the run. */
const STAGES = [
  ["setup", setup],
  ["build", builds],
  ["types", passes("typescript/bin/tsc")],
  ["lint and format", passes("@biomejs/biome/bin/biome", "check", "--error-on-warnings")],
  ["unused code", passes("knip/bin/knip.js")],
];

function builds() {
  return build().then(
    () => true,
    () => false,
  );
}

/** Runs every test (or those named on the command line); its last line is `N passed, N failed`. */
async function vitest() {
  let tail = "";
  const code = await run(
    process.execPath,
    ["node_modules/vitest/vitest.mjs", "run", ...process.argv.slice(2)],
    {
      env: process.stdout.isTTY ? { ...process.env, FORCE_COLOR: "1" } : process.env,
      onOutput: (chunk) => {
        tail = (tail + chunk).slice(-1000);
      },
    },
  );
  const failed = /^\d+ passed, (\d+) failed.*\n$/m.exec(tail)?.[1];
  if (failed !== undefined && (failed === "0") === (code === 0)) process.exitCode = code;
  else fail("tests");
}

function fail(stage) {
  console.log(`\nisoline: stage "${stage}" failed, see above\n0 passed, 1 failed`);
  process.exitCode = 1;
}

for (const [name, stage] of STAGES) {
  if (await stage()) continue;
  fail(name);
  break;
}
if (!process.exitCode) await vitest();
