import { type Command, Option } from "commander";
import type { TestCommandOptions } from "../test.js";
import { examples } from "./examples.js";
import { assumptions, input, server, settings } from "./options.js";

/** Adds `isoline test`; `done` receives the exit code. */
export function addTest(program: Command, done: (code: number) => void): void {
  const command = examples(
    assumptions(
      input(
        program
          .command("test")
          .description("run files of route tests; exit with 1 when one fails")
          .argument("[tests...]", "files or folders of tests, or -"),
      ),
    ),
    "isoline test -f manifests/ route-tests/",
    "isoline test -f manifests/ --envoy --format junit route-tests/ > report.xml",
    "isoline test --kube --record route-tests/all.yaml",
    "isoline test --xds https://isoline.example.com --token-file read-token route-tests/",
  ).addOption(settings());
  server(command)
    .option(
      "--record <file>",
      "write a test for each route of the current configuration, instead of running tests; - for standard output",
    )
    .option("--overwrite", "with --record: replace an existing file")
    .option("--envoy", "send the requests to a real Envoy on 127.0.0.1, with echo servers as backends")
    .addOption(
      new Option("--format <format>", "the output format")
        .choices(["text", "json", "junit", "tap"])
        .default("text"),
    )
    .action(async (tests: readonly string[], options: TestCommandOptions) => {
      const { testCommand } = await import("../test.js");
      done(await testCommand(tests, options));
    });
}
