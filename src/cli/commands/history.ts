import { type Command, Option } from "commander";
import type { HistoryCommandOptions } from "../history.js";
import { examples } from "./examples.js";

/** Adds `isoline history`; `done` receives the exit code. */
export function addHistory(program: Command, done: (code: number) => void): void {
  examples(
    program
      .command("history")
      .description("list the kept revisions of a source: who pushed each, when, and the changed objects"),
    "isoline history --xds https://xds.example.com --source web --token-file ci.token",
    "isoline history --xds https://xds.example.com --source web --last 3 --format json",
  )
    .requiredOption("--xds <url>", "the server")
    .requiredOption("--source <name>", "the source")
    .option("--last <count>", "maximum number of revisions, newest first")
    .option("--token-file <file>", "a token of the role publish or admin; default: $ISOLINE_TOKEN")
    .option("--ca-file <file>", "authorities (PEM) to trust for https in addition to the usual ones")
    .option("--insecure", "send the token over http:// to another machine")
    .addOption(new Option("--format <format>", "the output format").choices(["text", "json"]).default("text"))
    .action(async (options: HistoryCommandOptions) => {
      const { historyCommand } = await import("../history.js");
      done(await historyCommand(options));
    });
}
