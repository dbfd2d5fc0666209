import { type Command, Option } from "commander";
import type { CostCommandOptions } from "../cost.js";
import { examples } from "./examples.js";

/** Adds `isoline cost`. */
export function addCost(program: Command): void {
  examples(
    program
      .command("cost")
      .description("estimate the requests of a fleet of Envoys per month and their price, by mode"),
    "isoline cost --envoys 10",
    "isoline cost --envoys 10 --services 200 --changes 500",
  )
    .requiredOption("--envoys <count>", "number of Envoys")
    .option(
      "--services <count>",
      "number of Services that routes use: each is a subscription in the mode eds",
      "0",
    )
    .option("--certificates <count>", "number of certificates with a subscription each", "0")
    .option("--changes <count>", "publications per day", "0")
    .option("--refresh-delay <seconds>", "the pause between two polls", "0.1")
    .option("--hold <seconds>", "how long a poll is held; 0: it is answered at once", "25")
    .addOption(
      new Option("--platform <platform>", "what the server runs on: it decides the price")
        .choices(["cloudflare", "cloudflare-free", "node"])
        .default("cloudflare"),
    )
    .addOption(new Option("--format <format>", "the output format").choices(["text", "json"]).default("text"))
    .action(async (options: CostCommandOptions) => {
      const { costCommand } = await import("../cost.js");
      costCommand(options);
    });
}
