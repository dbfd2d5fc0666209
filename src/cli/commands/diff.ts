import { type Command, Option } from "commander";
import type { DiffCommandOptions } from "../diff.js";
import { examples } from "./examples.js";
import { assumptions, collect, settings } from "./options.js";

/** Adds `isoline diff`; `done` receives the exit code. */
export function addDiff(program: Command, done: (code: number) => void): void {
  const side = "a file, a folder, -, git:REF[:PATH], kube[:CONTEXT], xds:URL or snapshot:FILE";
  examples(
    assumptions(
      program
        .command("diff")
        .description("report the changes for traffic between two sides")
        .argument("[before]", side)
        .argument("[after]", "the other side, likewise"),
    ),
    "isoline diff git:origin/main manifests/",
    "isoline diff before.yaml after.yaml --format json --exit-code",
    "isoline diff --from kube --to kube --to manifests/",
    "isoline diff git:main manifests/ --format markdown > comment.md",
    "isoline diff xds:https://isoline.example.com manifests/ --token-file read-token",
  )
    .addOption(settings())
    .option("--settings-before <file>", "settings of the side before; --settings is then for the side after")
    .addOption(
      new Option(
        "--from <side>",
        "the side before; may be repeated: each one is applied over the ones before it",
      )
        .argParser(collect)
        .default([]),
    )
    .addOption(new Option("--to <side>", "the side after, likewise").argParser(collect).default([]))
    .option("--kubeconfig <file>", "for kube; default: $KUBECONFIG, then ~/.kube/config")
    .option("--token-file <file>", "for xds: a token of the role read; default: $ISOLINE_TOKEN")
    .option("--ca-file <file>", "for xds: authorities (PEM) to trust for https in addition to the usual ones")
    .option("--insecure", "for xds: send the token over plain HTTP")
    .addOption(
      new Option("--format <format>", "the output format")
        .choices(["text", "json", "markdown"])
        .default("text"),
    )
    .option("--step-summary", "also add the Markdown to $GITHUB_STEP_SUMMARY")
    .option("--exit-code", "exit with 1 on changes, and on objects that could not be compared")
    .action(async (before: string | undefined, after: string | undefined, options: DiffCommandOptions) => {
      const { diffCommand } = await import("../diff.js");
      done(await diffCommand(before, after, options));
    });
}
