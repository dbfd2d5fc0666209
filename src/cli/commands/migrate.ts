import { type Command, Option } from "commander";
import type { MigrateCommandOptions } from "../migrate.js";
import { peerNames } from "../peer-names.js";
import { examples } from "./examples.js";
import { collect, input } from "./options.js";

/** Adds `isoline migrate`; `done` takes the exit code. */
export function addMigrate(program: Command, done: (code: number) => void): void {
  examples(
    input(
      program
        .command("migrate")
        .description(
          "convert objects of other ingress controllers to HTTPProxy or the Gateway API; exit with 1 where something is lost that must not be",
        ),
    ),
    "isoline migrate -f ingresses/ > httpproxies.yaml",
    "helm template shop ./chart | isoline migrate -f - --to gateway",
    "isoline migrate --kube --from nginx --verify --output out.yaml --format markdown",
  )
    .addOption(
      new Option("--to <api>", "what to write").choices(["httpproxy", "gateway"]).default("httpproxy"),
    )
    .addOption(
      new Option(
        "--from <controller>",
        "convert objects of this controller alone, and Ingresses without a class as its own",
      ).choices(peerNames),
    )
    .addOption(
      new Option("--class <name>", "a class that the controller of --from has, beside its usual one")
        .argParser(collect)
        .default([]),
    )
    .option("--config-map <namespace/name>", "the ConfigMap of ingress-nginx; with --kube it is read alone")
    .option("--ingress-class <name>", "ingressClassName of the HTTPProxies that are written")
    .option("--gateway <namespace/name>", "the Gateway that --to gateway writes", "isoline/isoline")
    .option("--output <file>", "write the objects into this file, and not to standard output")
    .addOption(
      new Option("--format <format>", "of the report on standard error")
        .choices(["text", "markdown", "json"])
        .default("text"),
    )
    .option("--report <file>", "write the report into this file, and not to standard error")
    .option("--verify", "compare what comes of the source and of the result, where Isoline serves the source")
    .option("--strict", "warnings count as errors")
    .action(async (options: MigrateCommandOptions) => {
      const { migrateCommand } = await import("../migrate.js");
      done(await migrateCommand(options));
    });
}
