import { readFileSync } from "node:fs";
import { readOne } from "../documents/documents.js";
import type { Finding } from "../schema/meta.js";
import { parseSettings, type Settings } from "../schema/settings.js";

/**
 * Reads a settings file (YAML or JSON; Contour's configuration file or a ContourConfiguration will do). `overrides` are keys that win over it.
 * Throws when the file can't be read, is not YAML, or asks for protection that is not compiled yet.
 */
export function readSettings(
  file: string | undefined,
  overrides: Readonly<Record<string, unknown>> = {},
): { settings: Settings; findings: readonly Finding[] } {
  return parseSettings(file ? readSettingsText(file) : {}, overrides);
}

/** @throws Error that names the file and the line for what can't be read. */
export function readSettingsText(file: string): unknown {
  try {
    return readOne(readFileSync(file, "utf8"))?.value ?? null;
  } catch (error) {
    throw new Error(`${file}: ${error instanceof Error ? error.message : String(error)}`);
  }
}
