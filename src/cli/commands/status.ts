import { type Command, Option } from "commander";
import type { StatusCommandOptions } from "../status.js";
import { examples } from "./examples.js";

/** Adds `isoline status`; `done` takes the exit code. */
export function addStatus(program: Command, done: (code: number) => void): void {
  examples(
    program
      .command("status")
      .description(
        "say whether a running server is well, whether every Envoy has what is served, and what is wrong",
      ),
    "isoline status --xds https://isoline.example.com --token-file read-token",
    "isoline status --xds https://isoline.example.com --watch",
    "isoline status --xds https://isoline.example.com --fail-on warning --format json",
  )
    .requiredOption("--xds <url>", "the server")
    .option("--watch", "print it again whenever it changes, until it is interrupted")
    .addOption(
      new Option("--fail-on <level>", "exit with 1 from this level on")
        .choices(["warning", "bad", "never"])
        .default("bad"),
    )
    .option("--token-file <file>", "a token of the role read; default: $ISOLINE_TOKEN")
    .option("--ca-file <file>", "authorities (PEM) to trust for https beside the usual ones")
    .option("--insecure", "send the token over plain HTTP")
    .addOption(new Option("--format <format>", "the output format").choices(["text", "json"]).default("text"))
    .action(async (options: StatusCommandOptions) => {
      const { statusCommand } = await import("../status.js");
      done(await statusCommand(options));
    });
}
