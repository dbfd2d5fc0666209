import { readFileSync } from "node:fs";
import { readNow, readOne, type TextDocument } from "../../documents/documents.js";
import { isRecord } from "../../schema/issues.js";
import type { Finding } from "../../schema/meta.js";
import { parseSettings, type Settings } from "../../schema/settings.js";
import { messageOf } from "../../schema/words.js";
import type { ManifestPlace } from "./load.js";
import type { Located } from "./objects.js";
import { contentOf, type SettingsContent, settingsObjectOf } from "./settings-content.js";

/** The content of a settings file. */
export interface SettingsFile {
  readonly settings: Settings;
  readonly findings: readonly Finding[];
  /** Adds the place in the file to a finding about settings. */
  locate(finding: Finding): Located;
}

/**
 * Reads a settings file (YAML or JSON): settings, Contour's configuration file, or an object that holds one of them,
 * alone or among other documents. `overrides` are keys that take precedence over it.
 *
 * @throws Error when the file can't be read, is not YAML, holds two such objects, or is another Kubernetes object.
 */
export function readSettings(
  file: string | undefined,
  overrides: Readonly<Record<string, unknown>> = {},
): SettingsFile {
  if (file === undefined)
    return { ...parseSettings({}, overrides), locate: (finding) => ({ finding, file: "", line: 0 }) };
  return settingsFileOf(file, readContent(file), overrides);
}

/** The value of a settings file, not validated. @throws the errors of `readSettings`. */
export const readSettingsValue = (file: string): unknown => readContent(file)?.content ?? null;

/** Parses the settings that a file, or an object in it, holds; undefined for a file without a document. */
export function settingsFileOf(
  file: string,
  read: SettingsContent | undefined,
  overrides: Readonly<Record<string, unknown>> = {},
): SettingsFile {
  return {
    ...parseSettings(read?.content ?? null, overrides),
    locate: (finding) => ({ finding, file, line: read && finding.path ? read.lineOf(finding.path) : 0 }),
  };
}

function readContent(file: string): SettingsContent | undefined {
  return named(file, () => {
    const document = chosen(readFileSync(file, "utf8"));
    if (!document) return undefined;
    const { value, line, part } = document;
    if (isRecord(value) && typeof value.kind === "string" && !settingsObjectOf(value))
      throw new Error(
        `has kind ${JSON.stringify(value.kind)} and has no settings; give only the settings, a ConfigMap with contour.yaml, or a ContourConfiguration`,
      );
    const place: ManifestPlace = { file, line, part, within: "" };
    return contentOf(value, place);
  });
}

/** The only document, or the only one of several that holds settings. */
function chosen(text: string): TextDocument | undefined {
  const holding: TextDocument[] = [];
  for (const one of readNow(text)) {
    if ("fault" in one) return readOne(text);
    if (settingsObjectOf(one.value)) holding.push(one);
  }
  return holding.length === 1 ? holding[0] : readOne(text);
}

function named<T>(file: string, read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw new Error(`${file}: ${messageOf(error)}`);
  }
}
