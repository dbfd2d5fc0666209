import { relative } from "node:path";
import type { Reporter, TestModule } from "vitest/node";

/**
 * Prints `N passed, N failed` at the end of a run, plus `, N skipped` if any, after the names of skipped tests. A file
 * that does not load counts as one failure.
 */
export class PlainLine implements Reporter {
  onTestRunEnd(modules: readonly TestModule[], errors: readonly unknown[]): void {
    const count = { passed: 0, failed: errors.length, skipped: 0, pending: 0 };
    const skips: string[] = [];
    for (const module of modules) {
      count.failed += module.errors().length;
      for (const test of module.children.allTests()) {
        const { state } = test.result();
        count[state]++;
        if (state !== "passed" && state !== "failed")
          skips.push(`skipped: ${relative(process.cwd(), module.moduleId)} > ${test.fullName}\n`);
      }
    }
    const skipped = count.skipped + count.pending;
    const line = `\n${skips.join("")}${count.passed} passed, ${count.failed} failed${skipped ? `, ${skipped} skipped` : ""}\n`;
    process.on("exit", () => process.stdout.write(line));
  }
}
