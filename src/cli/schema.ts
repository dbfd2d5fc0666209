import { settingsJsonSchema } from "../schema/settings-json-schema.js";
import { openApi } from "../server/openapi.js";
import type { schemaNames } from "./schema-names.js";

/** `isoline schema`: prints a schema as JSON. */
export function schemaCommand(name: (typeof schemaNames)[number], version: string): void {
  const schema = name === "settings" ? settingsJsonSchema() : openApi(version);
  process.stdout.write(`${JSON.stringify(schema, null, 2)}\n`);
}
