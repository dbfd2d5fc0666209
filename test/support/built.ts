import { execFile } from "node:child_process";
import { join } from "node:path";
import { promisify } from "node:util";

/** The build of this run, which all projects share. */
const built = globalThis as { isolineBuild?: Promise<unknown> };

/**
 * Builds the command line and the Worker before the tests that start them. Tests do not build: other tests run `dist`
 * at the same time.
 */
export async function setup(): Promise<void> {
  const script = join(import.meta.dirname, "../../scripts/build.mjs");
  built.isolineBuild ??= promisify(execFile)(process.execPath, [script]);
  await built.isolineBuild;
}
