import { Argument, type Command } from "commander";
import { schemaNames } from "../schema-names.js";
import { examples } from "./examples.js";

/** Adds `isoline schema`. */
export function addSchema(program: Command): void {
  examples(
    program
      .command("schema")
      .description("print the JSON Schema of settings, or the OpenAPI document of the server")
      .addArgument(new Argument("<schema>", "the schema").choices(schemaNames)),
    "isoline schema settings > settings.schema.json",
    "isoline schema api > openapi.json",
  ).action(async (name: (typeof schemaNames)[number]) => {
    const { schemaCommand } = await import("../schema.js");
    const [version = ""] = (program.version() ?? "").split(" ");
    schemaCommand(name, version);
  });
}
