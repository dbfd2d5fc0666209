import type { ObjectMeta, Ref } from "../schema/meta.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Reader, Report } from "./reader.js";

interface Claimant {
  readonly ref: Ref;
  readonly kind: string;
  readonly meta: ObjectMeta;
}

/** The namespaces that a host is for; undefined: all. The host itself counts before `*.suffix`, the longest of those. */
function ownersOf(host: string, { hostOwners }: SettingsSpec): readonly string[] | undefined {
  let best: SettingsSpec["hostOwners"][number] | undefined;
  for (const entry of hostOwners) {
    if (entry.host === host) return entry.namespaces;
    const covers = entry.host.startsWith("*.") && host.endsWith(entry.host.slice(1));
    if (covers && entry.host.length > (best?.host.length ?? 0)) best = entry;
  }
  return best?.namespaces;
}

/** Where objects name their hosts. */
const paths: Readonly<Record<string, string>> = {
  Ingress: "spec.rules",
  HTTPRoute: "spec.hostnames",
  GRPCRoute: "spec.hostnames",
  TLSRoute: "spec.hostnames",
  TCPRoute: "spec.parentRefs",
};

/** The claimants of a host that may have it; each of the others is told so. */
export function withOwner<T extends Claimant>(
  claimants: readonly T[],
  host: string,
  { settings }: Reader,
  report: Report,
): readonly T[] {
  const owners = ownersOf(host, settings);
  if (!owners) return claimants;
  return claimants.filter(({ ref, kind, meta }) => {
    if (owners.includes(meta.namespace)) return true;
    const type = kind === "HTTPProxy" ? "VirtualHostError" : `${kind}Error`;
    const path = paths[kind] ?? "spec.virtualhost.fqdn";
    const message = `host "${host}" is for objects of ${owners.join(", ")} alone (the setting hostOwners)`;
    report.error(ref, type, "HostNotAllowedInNamespace", message, path);
    return false;
  });
}
