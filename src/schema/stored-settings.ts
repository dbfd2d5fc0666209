import type { Ref } from "./meta.js";
import type { KubeObject } from "./object.js";
import { defaultSettings, type SettingsSpec, settingsRef } from "./settings.js";

/** The settings in a store, or the defaults. */
export function settingsOf(store: { object(ref: Ref): KubeObject | undefined }): SettingsSpec {
  const object = store.object(settingsRef);
  return object?.kind === "Settings" ? object.spec : defaultSettings;
}
