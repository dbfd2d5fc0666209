import { type Command, Option } from "commander";
import type { DiffCommandOptions } from "../diff.js";
import { examples } from "./examples.js";
import { assumptions, collect, settings } from "./options.js";

/** Adds `isoline diff`; `done` takes the exit code. */
export function addDiff(program: Command, done: (code: number) => void): void {
  const side = "a file, a folder, -, git:REF[:PATH], kube[:CONTEXT], xds:URL or snapshot:FILE";
  examples(
    assumptions(
      program
        .command("diff")
        .description("say what changes for traffic from one side to another")
        .argument("[before]", side)
        .argument("[after]"),
    ),
    "isoline diff git:origin/main manifests/",
    "isoline diff before.yaml after.yaml --format json --exit-code",
    "isoline diff --from kube --to kube --to manifests/",
    "isoline diff git:main manifests/ --format markdown > comment.md",
    "isoline diff xds:https://isoline.example.com manifests/ --token-file read-token",
  )
    .addOption(settings())
    .option("--settings-before <file>", "settings of the side before, where --settings is of the side after")
    .addOption(
      new Option("--from <side>", "what is before; more than once: each is applied over those before it")
        .argParser(collect)
        .default([]),
    )
    .addOption(new Option("--to <side>", "what is after, likewise").argParser(collect).default([]))
    .option("--kubeconfig <file>", "of kube: default: $KUBECONFIG, then ~/.kube/config")
    .option("--token-file <file>", "of xds: a token of the role read; default: $ISOLINE_TOKEN")
    .option("--ca-file <file>", "of xds: authorities (PEM) to trust for https beside the usual ones")
    .option("--insecure", "of xds: send the token over plain HTTP")
    .addOption(new Option("--format <format>").choices(["text", "json", "markdown"]).default("text"))
    .option("--step-summary", "also add the Markdown to $GITHUB_STEP_SUMMARY")
    .option("--exit-code", "exit with 1 when something changes or could not be compared")
    .action(async (before: string | undefined, after: string | undefined, options: DiffCommandOptions) => {
      const { diffCommand } = await import("../diff.js");
      done(await diffCommand(before, after, options));
    });
}
