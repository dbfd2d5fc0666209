import { type Command, Option } from "commander";
import type { CheckCommandOptions } from "../check.js";
import { checkFormats } from "../check-formats.js";
import { examples } from "./examples.js";
import { assumptions, collect, input, settings } from "./options.js";

/** Adds `isoline check`; `done` receives the exit code. */
export function addCheck(program: Command, done: (code: number) => void): void {
  examples(
    assumptions(
      input(
        program
          .command("check")
          .description(
            "report errors and warnings about manifests or a cluster's objects; exit with 1 on errors",
          ),
      ),
    ),
    "isoline check -f manifests/",
    "isoline check -f manifests/ --format github",
  )
    .addOption(settings())
    .addOption(new Option("--format <format>", "the output format").choices(checkFormats).default("text"))
    .option("--strict", "warnings count as errors")
    .option(
      "--base-dir <folder>",
      "paths in the output are relative to this folder; default for github, gitlab and sarif: the root of the repository",
    )
    .addOption(
      new Option("--suppress <file>", "accepted warnings, each with a reason (may be given more than once)")
        .argParser(collect)
        .default([]),
    )
    .option("--sarif-file <file>", "also write the findings as SARIF into this file")
    .option("--docs-url <url>", "the URL of Isoline's docs/, for the links of rules in SARIF")
    .action(async (options: CheckCommandOptions) => {
      const { checkCommand } = await import("../check.js");
      done(await checkCommand(options));
    });
}
