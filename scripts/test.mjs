import { conformance } from "./conformance.mjs";
import { PREPARE, program, runSteps, vitest } from "./steps.mjs";

/** The checks before the tests. */
const CHECKS = [
  { name: "types", needed: true, run: () => program("node_modules/typescript/bin/tsc") },
  {
    name: "types of the page",
    needed: true,
    run: () => program("node_modules/typescript/bin/tsc", "-p", "src/page"),
  },
  {
    name: "lint and format",
    needed: true,
    run: () => program("node_modules/@biomejs/biome/bin/biome", "check", "--error-on-warnings"),
  },
  { name: "unused code", needed: true, run: () => program("node_modules/knip/bin/knip.js") },
];

/** The projects of one step run in parallel, because their tests wait for processes. */
const STEPS = [
  ["unit", "parts"],
  ["servers", "worker", "envoy", "kubernetes"],
];

/** Every project, or the arguments for Vitest. */
const args = process.argv.slice(2);
const tests =
  args.length > 0
    ? [{ name: `tests ${args.join(" ")}`, run: () => vitest(args) }]
    : [
        ...STEPS.map((projects) => ({
          name: `${projects.join(", ")} tests`,
          run: () => vitest(projects.flatMap((project) => ["--project", project])),
        })),
        conformance(true),
      ];

process.exitCode = await runSteps([...PREPARE, ...CHECKS, ...tests]);
