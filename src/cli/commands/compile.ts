import { type Command, Option } from "commander";
import type { CompileCommandOptions } from "../compile.js";
import { examples } from "./examples.js";
import { input, settings } from "./options.js";

/** Adds `isoline compile`; `done` receives the exit code. */
export function addCompile(program: Command, done: (code: number) => void): void {
  examples(
    input(program.command("compile").description("compile manifests or a cluster's objects to xDS")),
    "isoline compile -f manifests/ -o xds.json",
    "isoline compile -f a.yaml -f b.yaml --format yaml --strict",
    "isoline compile --kube --context production -o xds.json",
    "kubectl get httpproxies,services,endpointslices -A -o json | isoline compile -f - --stats",
  )
    .addOption(settings())
    .option("-o, --output <path>", "the output file; a folder for envoy-files", "-")
    .addOption(
      new Option("--format <format>", "the output format")
        .choices(["json", "yaml", "envoy-files"])
        .default("json"),
    )
    .option("--strict", "exit with 1 when an object is not valid")
    .option("--status", "print the status of every object instead of xDS")
    .option("--stats", "print one line of JSON with sizes and times on standard error")
    .action(async (options: CompileCommandOptions) => {
      const { compileCommand } = await import("../compile.js");
      done(await compileCommand(options));
    });
}
