import { defineConfig } from "vitest/config";
import { PlainLine } from "./test/support/plain-line.js";

/** For suites that start processes: one file at a time, after the other suites, with time for a slow machine. */
const processes = (groupOrder: number) => ({
  fileParallelism: false,
  sequence: { groupOrder },
  testTimeout: 120_000,
  hookTimeout: 120_000,
});

const projects = [
  {
    test: {
      name: "unit",
      include: ["test/unit/**/*.test.ts", "test/golden/*.test.ts", "test/property/**/*.test.ts"],
      // No test is about time: on a busy machine, property tests and compiles of thousands of objects take their time.
      testTimeout: 60_000,
    },
  },
  { test: { name: "worker", include: ["test/worker/**/*.test.ts"], ...processes(1) } },
  { test: { name: "envoy", include: ["test/envoy/**/*.test.ts"], ...processes(2) } },
  { test: { name: "kubernetes", include: ["test/kubernetes/**/*.test.ts"], ...processes(3) } },
  { test: { name: "docs", include: ["test/docs/**/*.test.ts"], ...processes(4) } },
];

export default defineConfig({
  test: { projects, passWithNoTests: false, reporters: ["default", new PlainLine()] },
});
