#!/usr/bin/env node
import nodeModule from "node:module";
import { join } from "node:path";
import { Command, CommanderError } from "commander";
import { cacheFolder } from "../platform/cache-folder.js";
import { messageOf } from "../schema/words.js";
import { BootstrapError } from "../xds/bootstrap-error.js";
import { addAcceptShrink } from "./commands/accept-shrink.js";
import { addBootstrap } from "./commands/bootstrap.js";
import { addCheck } from "./commands/check.js";
import { addCompile } from "./commands/compile.js";
import { addCost } from "./commands/cost.js";
import { addCrds } from "./commands/crds.js";
import { addDemo } from "./commands/demo.js";
import { addDiff } from "./commands/diff.js";
import { addExplain } from "./commands/explain.js";
import { addFleet } from "./commands/fleet.js";
import { addHistory } from "./commands/history.js";
import { withoutKubeNames } from "./commands/kube-names.js";
import { addManifests } from "./commands/manifests.js";
import { addPublish } from "./commands/publish.js";
import { addServe } from "./commands/serve.js";
import { addTest } from "./commands/test.js";
import { addToken } from "./commands/token.js";
import { UsageError } from "./usage.js";

/** Set by the build. */
declare const ISOLINE_VERSION: string;

/**
 * The commands in the order of `--help`, each from a file of `commands/`. The code of a command is loaded when it
 * runs.
 */
const commands: readonly ((program: Command, done: (code: number) => void) => void)[] = [
  addCompile,
  addCheck,
  addExplain,
  addTest,
  addDiff,
  addServe,
  addPublish,
  addHistory,
  addAcceptShrink,
  addFleet,
  addToken,
  addCrds,
  addManifests,
  addCost,
  addBootstrap,
  addDemo,
];

function createProgram(done: (code: number) => void): Command {
  const program = new Command("isoline")
    .description("An Envoy control plane without pods: Kubernetes routing objects in, REST-JSON xDS out.")
    .version(ISOLINE_VERSION)
    .exitOverride()
    .showHelpAfterError("(isoline --help lists the commands)");
  for (const add of commands) add(program, done);
  return program;
}

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
