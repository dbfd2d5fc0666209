import { build } from "./build.mjs";
import { run } from "./run.mjs";
import { setup } from "./setup.mjs";

/**
 * @typedef {object} Result of a step; `passed` and `failed` count tests, or the step itself.
 * @property {number} passed
 * @property {number} failed
 * @property {number} [skipped]
 * @property {string} [why] the step was skipped
 *
 * @typedef {object} Step
 * @property {string} name
 * @property {boolean} [needed] nothing after it runs when it fails
 * @property {() => Promise<Result>} run
 */

/** A step that is one check. @returns {Promise<Result>} */
const check = async (isGood) => ((await isGood) ? { passed: 1, failed: 0 } : { passed: 0, failed: 1 });

/** A program of Node, from the root of the checkout. */
export const program = (file, ...args) =>
  check(run(process.execPath, [file, ...args]).then((code) => code === 0));

const builds = () =>
  build().then(
    () => true,
    () => false,
  );

/** What all tests need. @type {readonly Step[]} */
export const PREPARE = [
  { name: "setup", needed: true, run: () => check(setup()) },
  { name: "build", needed: true, run: () => check(builds()) },
];

/**
 * Runs test files or projects. The counts come from the last line of the reporter.
 *
 * @param {readonly string[]} args
 * @param {NodeJS.ProcessEnv} env
 * @param {string} node the program of Node
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
 * Runs steps in order, and prints a table of them with their seconds. The last line is `N passed, N failed`, as that of Vitest's
 * runs, for all steps; a step that is skipped counts as one.
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
