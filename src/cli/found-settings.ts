import type { Finding, Ref } from "../schema/meta.js";
import type { Located } from "../sources/files/objects.js";
import { contentOf, type FoundSettings, SettingsFault } from "../sources/files/settings-content.js";
import { readSettings, type SettingsFile, settingsFileOf } from "../sources/files/settings-file.js";

/** The settings for manifests that may contain settings themselves. */
export interface UsedSettings {
  /**
   * The settings of the first object with settings; undefined if there is none or if `--settings` names a file, which
   * takes precedence.
   */
  readonly file: SettingsFile | undefined;
  /** The object that holds these settings. */
  readonly ref: Ref | undefined;
  /** Findings about the objects that hold settings. */
  readonly located: readonly Located[];
  /** Lines for people about the choice. */
  readonly lines: readonly string[];
}

/** Chooses between the settings of `--settings` and those among the manifests. */
export function usedSettings(found: readonly FoundSettings[], asked: string | undefined): UsedSettings {
  const [first, ...others] = found;
  if (!first) return { file: undefined, ref: undefined, located: [], lines: [] };
  if (asked !== undefined) {
    const lines = [`settings: ${asked}; not used: ${found.map(nameOf).join(", ")}`];
    return { file: undefined, ref: undefined, located: [], lines };
  }
  const twice = others.map((one) => locate(one, second(one, first)));
  const { file, wrong } = read(first);
  return {
    file,
    ref: first.ref,
    located: [...wrong, ...twice],
    lines: [`settings: ${nameOf(first)}`],
  };
}

const nameOf = ({ label, place }: FoundSettings): string => `${label} (${place.file})`;

function read(found: FoundSettings): { readonly file: SettingsFile; readonly wrong: readonly Located[] } {
  const { file } = found.place;
  try {
    return { file: settingsFileOf(file, contentOf(found.value, found.place)), wrong: [] };
  } catch (error) {
    if (!(error instanceof SettingsFault)) throw error;
    const finding: Finding = {
      about: found.ref,
      severity: "error",
      type: "SettingsError",
      reason: "NotReadable",
      message: `its settings can't be read, and the defaults are used: ${error.message}`,
    };
    return { file: readSettings(undefined), wrong: [{ finding, file, line: error.line }] };
  }
}

const second = ({ ref }: FoundSettings, first: FoundSettings): Finding => ({
  about: ref,
  severity: "warning",
  type: "SettingsError",
  reason: "SettingsTwice",
  message: `holds settings that are not used: ${first.label} in ${first.place.file}:${first.place.line} is used; choose with --settings FILE`,
});

const locate = ({ place }: FoundSettings, finding: Finding): Located => ({
  finding,
  file: place.file,
  line: place.line,
});
