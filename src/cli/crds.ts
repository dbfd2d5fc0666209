import { stringify } from "yaml";
import { customResourceDefinitions } from "../schema/crds.js";

/** `isoline crds`: prints them as YAML documents. Returns the exit code. */
export function crdsCommand(): number {
  const documents = customResourceDefinitions().map((definition) =>
    stringify(definition, { aliasDuplicateObjects: false, lineWidth: 0 }),
  );
  process.stdout.write(documents.join("---\n"));
  return 0;
}
