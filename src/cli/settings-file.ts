import { readFileSync } from "node:fs";
import { readOne, type TextDocument } from "../documents/documents.js";
import { positionOf } from "../documents/locate.js";
import { isRecord } from "../schema/issues.js";
import type { Finding } from "../schema/meta.js";
import { parseSettings, type Settings } from "../schema/settings.js";
import { messageOf } from "../schema/words.js";
import type { Located } from "./objects.js";

/** What a settings file says. */
export interface SettingsFile {
  readonly settings: Settings;
  readonly findings: readonly Finding[];
  /** The place in the file that a finding about settings speaks of. */
  locate(finding: Finding): Located;
}

/**
 * Reads a settings file (YAML or JSON; Contour's configuration file or a ContourConfiguration will do). `overrides` are keys that win over it.
 *
 * @throws Error when the file can't be read, is not YAML, or is another Kubernetes object.
 */
export function readSettings(
  file: string | undefined,
  overrides: Readonly<Record<string, unknown>> = {},
): SettingsFile {
  const document = file === undefined ? undefined : readDocument(file);
  return {
    ...parseSettings(file === undefined ? {} : (document?.value ?? null), overrides),
    locate: (finding) => ({
      finding,
      file: file ?? "",
      ...(document && finding.path ? positionOf(document.part, finding.path) : { line: 0 }),
    }),
  };
}

/** The value of a settings file, not judged. @throws as `readSettings` does. */
export const readSettingsValue = (file: string): unknown => readDocument(file)?.value ?? null;

function readDocument(file: string): TextDocument | undefined {
  const document = named(file, () => readOne(readFileSync(file, "utf8")));
  const value = document?.value;
  if (isRecord(value) && typeof value.kind === "string" && value.kind !== "ContourConfiguration")
    throw new Error(
      `${file}: is of kind ${JSON.stringify(value.kind)} and no settings; give the settings alone, such as the text under "contour.yaml" of a ConfigMap`,
    );
  return document;
}

function named<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${file}: ${messageOf(error)}`);
  }
}
