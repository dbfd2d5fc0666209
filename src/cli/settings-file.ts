import { readFileSync } from "node:fs";
import { parse } from "yaml";
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
  const input: unknown = file ? parse(readFileSync(file, "utf8"), { maxAliasCount: 100 }) : {};
  return parseSettings(input, overrides);
}
