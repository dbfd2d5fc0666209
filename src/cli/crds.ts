import { writeYaml } from "../documents/write.js";
import { customResourceDefinitions } from "../schema/crds.js";

/** `isoline crds`: prints the definitions as YAML documents. Returns the exit code. */
export function crdsCommand(): number {
  process.stdout.write(customResourceDefinitions().map(writeYaml).join("---\n"));
  return 0;
}
