import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { buildPage } from "./scripts/page.mjs";
import { PlainLine } from "./test/support/plain-line.js";

/** No test is about time: on a busy machine everything takes many times as long. */
const patient = { testTimeout: 300_000, hookTimeout: 300_000, expect: { poll: { timeout: 60_000 } } };

/** For suites that start processes, after the unit tests. Their tests wait more than they compute: there is one file more than cores. */
const processes = (groupOrder: number) => ({
  maxWorkers: availableParallelism() + 1,
  globalSetup: "test/support/built.ts",
  sequence: { groupOrder },
  ...patient,
});

const page = JSON.stringify(await buildPage());
/** What the build puts in; an object for each project, as Vitest empties it. */
const define = (): Record<string, string> => ({
  ISOLINE_VERSION: '"0.0.0"',
  ISOLINE_COMMIT: '""',
  ISOLINE_PAGE: page,
});

/** For tests in one process, which compute more than they wait. */
const inProcess = (name: string, ...folders: readonly string[]) => ({
  define: define(),
  test: {
    name,
    include: folders.map((folder) => `test/${folder}/**/*.test.ts`),
    // Vitest leaves one core to itself, which is half of a small machine.
    maxWorkers: availableParallelism(),
    // A worker reads src once, not once for each file: no test leaves anything behind.
    isolate: false,
    ...patient,
  },
});

const projects = [
  // The quick part: the core, file by file, and the golden cases.
  inProcess("unit", "unit", "golden"),
  // What surrounds the core, and random or many inputs.
  inProcess("parts", "parts", "property", "migrate"),
  { define: define(), test: { name: "servers", include: ["test/servers/**/*.test.ts"], ...processes(1) } },
  { define: define(), test: { name: "worker", include: ["test/worker/**/*.test.ts"], ...processes(1) } },
  { define: define(), test: { name: "envoy", include: ["test/envoy/**/*.test.ts"], ...processes(1) } },
  {
    define: define(),
    test: { name: "kubernetes", include: ["test/kubernetes/**/*.test.ts"], ...processes(1) },
  },
  // The rest is for `npm run test:long`.
  { define: define(), test: { name: "docs", include: ["test/docs/**/*.test.ts"], ...processes(2) } },
  { define: define(), test: { name: "long", include: ["test/long/**/*.test.ts"], ...processes(3) } },
];

export default defineConfig({
  test: { projects, passWithNoTests: false, reporters: ["default", new PlainLine()] },
});
