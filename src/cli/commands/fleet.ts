import type { Command } from "commander";
import type { FleetCommandOptions } from "../fleet.js";
import { examples } from "./examples.js";

/** Adds `isoline fleet export` and `isoline fleet import`; `done` receives the exit code. */
export function addFleet(program: Command, done: (code: number) => void): void {
  const fleet = examples(
    program
      .command("fleet")
      .description("copy all sources of a server, with the kept contents of earlier pushes"),
    "isoline fleet export https://xds.example.com -o fleet.jsonl --token-file admin.token",
    "isoline fleet import fleet.jsonl --to https://new.example.com --token-file admin.token",
    "isoline fleet export sqlite:isoline.db -o fleet.jsonl",
  );
  const server = (command: Command): Command =>
    command
      .option("--token-file <file>", "a token of the role admin; default: $ISOLINE_TOKEN")
      .option("--ca-file <file>", "authorities (PEM) to trust for https in addition to the usual ones")
      .option("--insecure", "send over http:// to another machine");
  server(
    fleet
      .command("export")
      .description("write all sources with their revisions, including keys")
      .argument("<from>", "a server's URL, or sqlite:FILE of a stopped server"),
  )
    .option("-o, --output <file>", "the output file, readable only by its owner", "-")
    .action(async (from: string, options: FleetCommandOptions) => {
      const { exportCommand } = await import("../fleet.js");
      done(await exportCommand(from, options));
    });
  server(
    fleet
      .command("import")
      .description("send the sources of an export to a server; existing ones stay")
      .argument("<file>", "the output of export, or -"),
  )
    .requiredOption("--to <server>", "a server's URL, or sqlite:FILE of a stopped server")
    .action(async (file: string, options: FleetCommandOptions & { readonly to: string }) => {
      const { importCommand } = await import("../fleet.js");
      done(await importCommand(file, options.to, options));
    });
}
