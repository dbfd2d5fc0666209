import { type Command, Option } from "commander";
import type { ExplainCommandOptions } from "../explain.js";
import { examples } from "./examples.js";
import { assumptions, collect, input, server, settings } from "./options.js";

/** Adds `isoline explain`; `done` receives the exit code. */
export function addExplain(program: Command, done: (code: number) => void): void {
  server(
    examples(
      assumptions(
        input(
          program
            .command("explain")
            .description("report which route handles a request, and why")
            .argument("<method>", "such as GET; left out for a URL with tcp://, tls:// or udp://")
            .argument("[url]", "http:// or https://, with any port at which clients reach Envoy"),
        ),
      ),
      "isoline explain -f manifests/ GET http://echo.com/api",
      "isoline explain -f manifests/ -H 'x-canary: yes' POST https://echo.com/orders?id=7",
      "isoline explain -f manifests/ --gateway infra/edge GET http://echo.com/",
      "isoline explain -f manifests/ tls://db.example.com:5432",
      "isoline explain --xds https://isoline.example.com --token-file read-token GET http://echo.com/",
    ),
  )
    .addOption(settings())
    .addOption(
      new Option("-H, --header <header>", "'name: value' (may be given more than once)")
        .argParser(collect)
        .default([]),
    )
    .addOption(
      new Option(
        "--gateway <namespace/name>",
        "the Gateway that gets the request, if several serve the host",
      ),
    )
    .addOption(new Option("--address <ip>", "an IP address of the listener, instead of a Gateway"))
    .addOption(new Option("--format <format>", "the output format").choices(["text", "json"]).default("text"))
    .action(async (method: string, url: string | undefined, options: ExplainCommandOptions) => {
      const { explainCommand } = await import("../explain.js");
      done(await explainCommand(method, url, options));
    });
}
