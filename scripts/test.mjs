import { PREPARE, program, runSteps, vitest } from "./steps.mjs";

/** What every change passes before anything is tested. */
const CHECKS = [
  { name: "types", needed: true, run: () => program("node_modules/typescript/bin/tsc") },
  {
    name: "lint and format",
    needed: true,
    run: () => program("node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings"),
  },
  { name: "unused code", needed: true, run: () => program("node_modules/knip/bin/knip.js") },
];

const PROJECTS = ["unit", "worker", "envoy", "kubernetes"];

/** Every project, or what the command line names for Vitest. */
const args = process.argv.slice(2);
const tests =
  args.length > 0
    ? [{ name: `tests ${args.join(" ")}`, run: () => vitest(args) }]
    : PROJECTS.map((name) => ({ name: `${name} tests`, run: () => vitest(["--project", name]) }));

process.exitCode = await runSteps([...PREPARE, ...CHECKS, ...tests]);
