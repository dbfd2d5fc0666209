import { type Command, Option } from "commander";
import type { GraphCommandOptions } from "../graph.js";
import { examples } from "./examples.js";
import { assumptions, input, server, settings } from "./options.js";

/** Adds `isoline graph`; `done` takes the exit code. */
export function addGraph(program: Command, done: (code: number) => void): void {
  server(
    examples(
      assumptions(
        input(
          program
            .command("graph")
            .description("show hosts with their routes, clusters and endpoints, as a picture or as text")
            .argument("[host]", "one host; without it all"),
        ),
      ),
      "isoline graph -f manifests/ echo.com",
      "isoline graph -f manifests/ echo.com --format svg -o echo.svg",
      "isoline graph -f manifests/ echo.com --gateway infra/edge",
      "isoline graph --xds https://isoline.example.com --token-file read-token --format dot | dot -Tpdf -o routes.pdf",
    ),
  )
    .addOption(settings())
    .option("--gateway <namespace/name>", "only the listeners of a Gateway")
    .option("--address <ip>", "only the listeners with an IP address")
    .addOption(
      new Option("--format <format>", "the output format")
        .choices(["text", "svg", "dot", "json"])
        .default("text"),
    )
    .option("-o, --output <file>", "where to write", "-")
    .action(async (host: string | undefined, options: GraphCommandOptions) => {
      const { graphCommand } = await import("../graph.js");
      done(await graphCommand(host, options));
    });
}
