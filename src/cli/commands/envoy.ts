import { type Command, Option } from "commander";
import type { EnvoyCommandOptions } from "../envoy.js";
import { examples } from "./examples.js";
import { server } from "./options.js";

/** Adds `isoline envoy`; `done` takes the exit code. */
export function addEnvoy(program: Command, done: (code: number) => void): void {
  server(
    examples(
      program
        .command("envoy")
        .description(
          "compare what a running Envoy has with what the server serves, and say why it answers errors",
        )
        .argument("[admin]", "its admin interface: http://127.0.0.1:9001 or unix:PATH"),
      "isoline envoy http://127.0.0.1:9001 --xds https://isoline.example.com --token-file read-token",
      "isoline envoy unix:/run/envoy/admin.sock",
      "isoline envoy --flags",
    ),
  )
    .option("--flags", "print Envoy's response flags with what to look at")
    .addOption(new Option("--format <format>", "the output format").choices(["text", "json"]).default("text"))
    .action(async (admin: string | undefined, options: EnvoyCommandOptions) => {
      const { envoyCommand } = await import("../envoy.js");
      done(await envoyCommand(admin, options));
    });
}
