import { type Command, Option } from "commander";
import { checkFormats } from "../check-formats.js";
import type { PublishCommandOptions } from "../publish.js";
import { examples } from "./examples.js";
import { build, collect, files, settings } from "./options.js";

/** Adds `isoline publish`; `done` receives the exit code. */
export function addPublish(program: Command, done: (code: number) => void): void {
  examples(
    program
      .command("publish")
      .description("send manifests to servers without an API server, as the complete content of one source"),
    "isoline publish -f manifests/ --to https://xds.example.com --source web --revision git --token-file ci.token",
    "isoline publish -f manifests/ --to https://xds.example.com --source web --dry-run --format github",
    "isoline publish -f manifests/ --to https://eu.example.com --to https://us.example.com --source web --token-file ci.token",
    "isoline publish --rollback 128 --to https://xds.example.com --source web --token-file ci.token",
  )
    .addOption(files())
    .addOption(settings())
    .addOption(build())
    .option("--default-settings", "publish without settings although the source has some, and remove these")
    .addOption(
      new Option("--to <url>", "the server; may be repeated: a dry run on each comes before the first change")
        .argParser(collect)
        .makeOptionMandatory(),
    )
    .requiredOption("--source <name>", "the source whose complete content this is")
    .option(
      "--revision <number>",
      "increases with each push: the number of a CI run, or `git` for the time of the commit",
    )
    .option("--rollback <number>", "publish the content of this revision again, instead of files")
    .option("--expect <number>", "the revision that the source must have now; 0 for none")
    .option(
      "--commit <sha>",
      "the commit of the files, for the history (default: $GITHUB_SHA or $CI_COMMIT_SHA)",
    )
    .option("--strict", "publish nothing when an object is not valid")
    .option("--dry-run", "report what would change, and change nothing")
    .option("--accept-shrink", "publish even if a large share of the hosts would be removed")
    .addOption(
      new Option(
        "--token-file <file>",
        "the token, for all servers or for each in the order of --to; default: $ISOLINE_TOKEN",
      ).argParser(collect),
    )
    .option("--ca-file <file>", "authorities (PEM) to trust for https in addition to the usual ones")
    .option("--insecure", "send over http:// to another machine")
    .addOption(new Option("--format <format>", "the output format").choices(checkFormats).default("text"))
    .action(async (options: PublishCommandOptions) => {
      const { publishCommand } = await import("../publish.js");
      done(await publishCommand(options));
    });
}
