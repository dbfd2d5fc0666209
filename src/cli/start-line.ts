import type { LogEvent } from "../log/events.js";
import type { LogFields } from "../log/log.js";
import type { SettingsSpec } from "../schema/settings.js";
import { settingsInForce, withoutSecrets } from "../schema/settings-in-force.js";

interface Started {
  readonly url: string;
  readonly settings: SettingsSpec;
  readonly version: string;
  readonly commit: string;
  /** The options of the command. */
  readonly options: object;
}

/** The line of the log when a server has started, with the settings and options in force. */
export function startLine({
  url,
  settings,
  version,
  commit,
  options,
}: Started): [message: string, event: LogEvent, fields: LogFields] {
  const others = settingsInForce(settings);
  const text =
    Object.keys(others).length > 0 ? ` (settings other than the defaults: ${JSON.stringify(others)})` : "";
  return [
    `isoline serves xDS on ${url}${text}`,
    "started",
    { url, version, commit, options: withoutSecrets(options), settings: others },
  ];
}
