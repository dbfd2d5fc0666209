import type { Command } from "commander";
import type { AcceptShrinkCommandOptions } from "../accept-shrink.js";
import { examples } from "./examples.js";

/** Adds `isoline accept-shrink`; `done` takes the exit code. */
export function addAcceptShrink(program: Command, done: (code: number) => void): void {
  examples(
    program
      .command("accept-shrink")
      .description("confirm deletions of a kind that a server holds, as a list of its cluster lacked much")
      .argument("<kind>", "such as HTTPProxy or Secret; GET /status has what is held"),
    "isoline accept-shrink Secret --xds https://isoline.example.com --token-file admin-token",
    "isoline accept-shrink HTTPProxy --xds http://127.0.0.1:18000 --cluster east --expect 12",
  )
    .requiredOption("--xds <url>", "the server")
    .option("--cluster <name>", "of several clusters the one that is meant")
    .option("--expect <count>", "only if so many deletions are held")
    .option("--token-file <file>", "a token of the role admin; default: $ISOLINE_TOKEN")
    .option("--ca-file <file>", "authorities (PEM) to trust for https beside the usual ones")
    .option("--insecure", "send the token over plain HTTP")
    .action(async (kind: string, options: AcceptShrinkCommandOptions) => {
      const { acceptShrinkCommand } = await import("../accept-shrink.js");
      done(await acceptShrinkCommand(kind, options));
    });
}
