import type { SettingsSpec } from "../../schema/settings.js";

/**
 * The namespaces that may have a host; undefined: all. An entry for the host itself takes precedence, then the longest
 * `*.suffix`.
 */
export function ownersOf(host: string, { hostOwners }: SettingsSpec): readonly string[] | undefined {
  let best: SettingsSpec["hostOwners"][number] | undefined;
  for (const entry of hostOwners) {
    if (entry.host === host) return entry.namespaces;
    const covers = entry.host.startsWith("*.") && host.endsWith(entry.host.slice(1));
    if (covers && entry.host.length > (best?.host.length ?? 0)) best = entry;
  }
  return best?.namespaces;
}
