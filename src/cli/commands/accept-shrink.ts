import type { Command } from "commander";
import type { AcceptShrinkCommandOptions } from "../accept-shrink.js";
import { examples } from "./examples.js";

/** Adds `isoline accept-shrink`; `done` receives the exit code. */
export function addAcceptShrink(program: Command, done: (code: number) => void): void {
  examples(
    program
      .command("accept-shrink")
      .description("confirm held deletions of a kind, whose list lacked many objects")
      .argument("<kind>", "such as HTTPProxy or Secret; GET /status lists held deletions"),
    "isoline accept-shrink Secret --xds https://isoline.example.com --token-file admin-token",
    "isoline accept-shrink HTTPProxy --xds http://127.0.0.1:18000 --cluster east --expect 12",
  )
    .requiredOption("--xds <url>", "the server")
    .option("--cluster <name>", "the Kubernetes cluster, if the server follows several")
    .option("--expect <count>", "only if exactly this many deletions are held")
    .option("--token-file <file>", "a token of the role admin; default: $ISOLINE_TOKEN")
    .option("--ca-file <file>", "authorities (PEM) to trust for https in addition to the usual ones")
    .option("--insecure", "send the token over plain HTTP")
    .action(async (kind: string, options: AcceptShrinkCommandOptions) => {
      const { acceptShrinkCommand } = await import("../accept-shrink.js");
      done(await acceptShrinkCommand(kind, options));
    });
}
