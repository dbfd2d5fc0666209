import { build } from "./build.mjs";
import { run } from "./run.mjs";
import { setup } from "./setup.mjs";

/**
 * @typedef {object} Result of a step; `passed` and `failed` count tests, or the step itself.
 * @property {number} passed
 * @property {number} failed
 * @property {number} [skipped]
 * @property {string} [why] the reason why the step was skipped
 *
 * @typedef {object} Step
 * @property {string} name
 * @property {boolean} [needed] whether later steps do not run after its failure
 * @property {() => Promise<Result>} run
 */

/** A step that is one check. @returns {Promise<Result>} */
const check = async (isGood) => ((await isGood) ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });

/** Runs a Node program in the root of the checkout. */
export const program = (file, ...args) =>
  check(run(process.execPath, [file, ...args]).then((code) => code === 0));

const builds = () =>
  build().then(
    () => true,
    () => false,
  );

/** The steps before all tests. @type {readonly Step[]} */
export const PREPARE = [
  { name: "setup", needed: true, run: () => check(setup()) },
  { name: "build", needed: true, run: () => check(builds()) },
];

/**
 * Runs test files or projects, and reads the counts from the last line of the reporter.
 *
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {string} node the path of a Node binary
 * @returns {Promise<Result>}
 */
export async function vitest(args, env = {}, node = process.execPath) {
  let tail = "";
  const code = await run(node, ["node_modules/vitest/vitest.mjs", "run", ...args], {
    env: { ...process.env, ...(process.stdout.isTTY ? { FORCE_COLOR: "1" } : {}), ...env },
    onOutput: (chunk) => {
      tail = (tail + chunk).slice(-1000);
    },
  });
  const [, passed, failed, skipped] = /^(\d+) passed, (\d+) failed(?:, (\d+) skipped)?\n$/m.exec(tail) ?? [];
  if (failed === undefined || (failed === "0") !== (code === 0)) return { passed: 0, failed: 1 };
  return { passed: Number(passed), failed: Number(failed), skipped: Number(skipped ?? 0) };
}

/**
 * Runs steps in order, and prints a table of them with their seconds. The last line is `N passed, N failed` for all
 * steps, in the form of the Vitest reporter; a skipped step counts as one.
 *
 * @param {readonly Step[]} steps
 * @returns {Promise<number>} the exit code
 */
export async function runSteps(steps) {
  const rows = [];
  const total = { passed: 0, failed: 0, skipped: 0 };
  for (const { name, needed = false, run: act } of steps) {
    console.log(`\n=== ${name}`);
    const start = performance.now();
    const { passed, failed, skipped = 0, why } = await act();
    const seconds = ((performance.now() - start) / 1000).toFixed(0);
    const verdict = why === undefined ? (failed > 0 ? "failed" : "passed") : `skipped: ${why}`;
    rows.push(`${seconds.padStart(5)} s  ${name.padEnd(30)} ${verdict}${counts(passed, failed, skipped)}`);
    console.log(rows.at(-1));
    total.passed += passed;
    total.failed += failed;
    total.skipped += skipped + (why === undefined ? 0 : 1);
    if (needed && failed > 0) break;
  }
  const { passed, failed, skipped } = total;
  console.log(
    `\n${rows.join("\n")}\n\n${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`,
  );
  return failed > 0 ? 1 : 0;
}

const counts = (passed, failed, skipped) =>
  passed + failed + skipped > 1 ? ` (${passed} passed, ${failed} failed, ${skipped} skipped)` : "";
