import type { Command } from "commander";
import type { DemoCommandOptions } from "../demo.js";

/** Adds `isoline demo`. */
export function addDemo(program: Command): void {
  program
    .command("demo")
    .description("run the quickstart: backends, Isoline and a real Envoy")
    .option("--port <port>", "Envoy's HTTP port", "8080")
    .option("--admin-port <port>", "Envoy's admin interface", "9001")
    .action(async (options: DemoCommandOptions) => {
      const { demoCommand } = await import("../demo.js");
      await demoCommand(options);
    });
}
