import { Command } from "commander";
import { addAcceptShrink } from "./commands/accept-shrink.js";
import { addBootstrap } from "./commands/bootstrap.js";
import { addCheck } from "./commands/check.js";
import { addCompile } from "./commands/compile.js";
import { addCompletion } from "./commands/completion.js";
import { addCost } from "./commands/cost.js";
import { addCrds } from "./commands/crds.js";
import { addDemo } from "./commands/demo.js";
import { addDiff } from "./commands/diff.js";
import { addEnvoy } from "./commands/envoy.js";
import { addExplain } from "./commands/explain.js";
import { addFleet } from "./commands/fleet.js";
import { addGraph } from "./commands/graph.js";
import { addHistory } from "./commands/history.js";
import { addManifests } from "./commands/manifests.js";
import { addMigrate } from "./commands/migrate.js";
import { addPublish } from "./commands/publish.js";
import { addSchema } from "./commands/schema.js";
import { addServe } from "./commands/serve.js";
import { addStatus } from "./commands/status.js";
import { addTest } from "./commands/test.js";
import { addToken } from "./commands/token.js";

/** Set by the build: the version of the package. */
declare const ISOLINE_VERSION: string;
/** Set by the build: the commit of the checkout, with `-dirty` after changes; empty if it is unknown. */
declare const ISOLINE_COMMIT: string;

/** The commands, each from a file of `commands/`. The code of a command is loaded when it runs. */
const commands: readonly ((program: Command, done: (code: number) => void) => void)[] = [
  addCompile,
  addCheck,
  addExplain,
  addGraph,
  addTest,
  addDiff,
  addMigrate,
  addServe,
  addStatus,
  addEnvoy,
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
  addCompletion,
  addSchema,
];

/** The command line; `done` receives the exit code of a command. */
export function createProgram(done: (code: number) => void): Command {
  const program = new Command("isoline")
    .description("An Envoy control plane without pods: Kubernetes routing objects in, REST-JSON xDS out.")
    .configureHelp({ sortSubcommands: true, sortOptions: true })
    .version(ISOLINE_COMMIT === "" ? ISOLINE_VERSION : `${ISOLINE_VERSION} (${ISOLINE_COMMIT})`)
    .exitOverride()
    .showHelpAfterError("(isoline --help lists the commands)");
  for (const add of commands) add(program, done);
  return program;
}
