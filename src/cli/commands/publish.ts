import { type Command, Option } from "commander";
import { checkFormats } from "../check-formats.js";
import type { PublishCommandOptions } from "../publish.js";
import { examples } from "./examples.js";
import { build, collect, files, settings } from "./options.js";

/** Adds `isoline publish`; `done` takes the exit code. */
export function addPublish(program: Command, done: (code: number) => void): void {
  examples(
    program
      .command("publish")
      .description("send manifests to functions that have no API server, as the whole of one source"),
    "isoline publish -f manifests/ --to https://xds.example.com --source web --revision git --token-file ci.token",
    "isoline publish -f manifests/ --to https://xds.example.com --source web --dry-run --format github",
    "isoline publish -f manifests/ --to https://eu.example.com --to https://us.example.com --source web --token-file ci.token",
    "isoline publish --rollback 128 --to https://xds.example.com --source web --token-file ci.token",
  )
    .addOption(files())
    .addOption(settings())
    .addOption(build())
    .option("--default-settings", "publish without settings although the source has some: they go")
    .addOption(
      new Option(
        "--to <url>",
        "a function; of several each is asked with a dry run before the first is changed",
      )
        .argParser(collect)
        .makeOptionMandatory(),
    )
    .requiredOption("--source <name>", "which source of the function this is all of")
    .option(
      "--revision <number>",
      "higher at each push: a CI run's number, or `git` for the time of the commit",
    )
    .option("--rollback <number>", "instead of files: the content of this revision, as a new one")
    .option("--expect <number>", "the revision that must be there now; 0 for none")
    .option("--strict", "publish nothing when an object is not valid")
    .option("--dry-run", "say what would change, and change nothing")
    .option("--accept-shrink", "publish even if much of what is there would go")
    .addOption(
      new Option(
        "--token-file <file>",
        "holds the token to show, for all servers or for each in the order of --to (default: $ISOLINE_TOKEN)",
      ).argParser(collect),
    )
    .option("--ca-file <file>", "authorities (PEM) to trust for https beside the usual ones")
    .option("--insecure", "send over http:// to another machine")
    .addOption(new Option("--format <format>").choices(checkFormats).default("text"))
    .action(async (options: PublishCommandOptions) => {
      const { publishCommand } = await import("../publish.js");
      done(await publishCommand(options));
    });
}
