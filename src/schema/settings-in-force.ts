import { isRecord } from "./issues.js";
import { isSame } from "./same.js";
import { defaultSettings, type SettingsSpec } from "./settings.js";

/** A value of a setting for the log. */
type Shown = string | number | boolean | readonly Shown[] | { readonly [name: string]: Shown };

const redacted = "(redacted)";
/** Names of settings whose texts may be credentials, such as the value of a header for every service. */
const mayBeSecret = /headers$|^context$|^literal$|password|token$/i;

/** Without the user and the query of a URL. */
const withoutCredentials = (text: string): string =>
  text
    .replace(/^([a-z][a-z0-9+.-]*:\/\/)[^/?#]*@/i, `$1${redacted}@`)
    .replace(/^(https?:\/\/[^?]*)\?.*/i, `$1?${redacted}`);

function shown(value: unknown, isSecret: boolean): Shown | undefined {
  if (typeof value === "string") return isSecret ? redacted : withoutCredentials(value);
  if (typeof value === "number" || typeof value === "boolean") return value;
  if (Array.isArray(value)) return value.flatMap((one) => shown(one, isSecret) ?? []);
  if (!isRecord(value)) return undefined;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, one]) => {
      const child = shown(one, isSecret || mayBeSecret.test(name));
      return child === undefined ? [] : [[name, child] as const];
    }),
  );
}

/** Options or settings as a value for the log: texts that may be credentials are replaced. */
export const withoutSecrets = (values: object): { readonly [name: string]: Shown } =>
  shown(values, false) as { readonly [name: string]: Shown };

/** The settings that differ from the defaults, for the log. */
export const settingsInForce = (settings: SettingsSpec): { readonly [name: string]: Shown } =>
  withoutSecrets(
    Object.fromEntries(
      Object.entries(settings).filter(
        ([name, value]) => !isSame(value, defaultSettings[name as keyof SettingsSpec]),
      ),
    ),
  );
