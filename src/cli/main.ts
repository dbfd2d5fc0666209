#!/usr/bin/env node
import nodeModule from "node:module";
import { join } from "node:path";
import { CommanderError } from "commander";
import { cacheFolder } from "../platform/cache-folder.js";
import { messageOf } from "../schema/words.js";
import { BootstrapError } from "../xds/bootstrap-error.js";
import { withoutKubeNames } from "./commands/kube-names.js";
import { createProgram } from "./program.js";
import { UsageError } from "./usage.js";

/** Exit codes: 0 success, 1 invalid objects, 2 wrong usage, 3 failure to connect or read. */
async function main(): Promise<number> {
  // Node 22.8 and later keep the compiled chunks for the next start, in a folder that other users can't write.
  const { enableCompileCache } = nodeModule as { enableCompileCache?: (folder: string) => void };
  enableCompileCache?.(join(cacheFolder(), "compiled"));
  let code = 0;
  try {
    await createProgram((result) => {
      code = result;
    }).parseAsync(withoutKubeNames(process.argv));
    return code;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    console.error(`isoline: ${messageOf(error)}`);
    return error instanceof UsageError || error instanceof BootstrapError ? 2 : 3;
  }
}

process.exitCode = await main();
