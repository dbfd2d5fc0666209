import type { SettingsSpec } from "../../../schema/settings.js";
import { quote } from "../../../schema/words.js";
import type { Tls, TlsVersion } from "../../core/nodes.js";

/** The protocol versions of a listener. */
export type TlsRange = Pick<Tls, "minimum" | "maximum">;

const keys = {
  minimum: "isoline.dev/minimum-protocol-version",
  maximum: "isoline.dev/maximum-protocol-version",
} as const;

const isVersion = (value: string): value is TlsVersion => value === "1.2" || value === "1.3";

/** The protocol versions of the settings. */
export const rangeOf = ({ tls }: SettingsSpec): TlsRange => ({
  minimum: tls.minimumProtocolVersion,
  maximum: tls.maximumProtocolVersion,
});

/**
 * Reads `tls.options` of a listener. An option limits the versions of the settings further, because the owner of a
 * Gateway may be a tenant. An option that is not supported is an error, so that none is without effect.
 */
export function readTlsOptions(
  options: Readonly<Record<string, string>>,
  settings: SettingsSpec,
): { readonly range: TlsRange; readonly problem?: undefined } | { readonly problem: string } {
  const known: readonly string[] = Object.values(keys);
  for (const [key, value] of Object.entries(options)) {
    if (!known.includes(key))
      return { problem: `tls.options: ${quote(key)} is not supported, only ${known.join(" and ")} are` };
    if (!isVersion(value)) return { problem: `tls.options: ${key} must be 1.2 or 1.3, not ${quote(value)}` };
  }
  const usual = rangeOf(settings);
  const [lowest = usual.minimum, highest = usual.maximum] = [options[keys.minimum], options[keys.maximum]];
  const minimum = lowest === "1.3" ? "1.3" : usual.minimum;
  const maximum = highest === "1.2" ? "1.2" : usual.maximum;
  return minimum <= maximum
    ? { range: { minimum, maximum } }
    : { problem: `tls.options: no protocol version is between ${minimum} and ${maximum}` };
}
