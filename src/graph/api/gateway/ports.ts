import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { Listener } from "../../../schema/gateway.js";
import type { SettingsSpec } from "../../../schema/settings.js";

const httpsOfContour = "projectcontour.io/https";
const tlsProtocols = ["HTTPS", "TLS", httpsOfContour];
const protocols = ["HTTP", ...tlsProtocols, "TCP", "UDP"];

/** What is wrong with a listener, as a condition of its status. */
export interface ListenerProblem {
  readonly type: "Accepted" | "Conflicted" | "ResolvedRefs" | "Programmed";
  readonly reason: ErrorCode;
  readonly message: string;
}

/** Listeners of these families never share a port with those of another. */
export type Family = "http" | "https" | "tcp" | "udp";

export const familyOf = ({ protocol }: Listener): Family | undefined => {
  if (protocol === "HTTP") return "http";
  if (protocol === "TCP") return "tcp";
  if (protocol === "UDP") return "udp";
  return tlsProtocols.includes(protocol) ? "https" : undefined;
};

/**
 * The port that Envoy listens on for a port of a Gateway, which a Service in front maps: as with Contour 8000 more, and never
 * one that needs privileges.
 */
export function envoyPort(port: number): number {
  const moved = port + 8000 > 65535 ? port + 8000 - 65535 : port + 8000;
  return moved <= 1023 ? moved + 1023 : moved;
}

/**
 * Why a listener can't be, beside those before it in the Gateway that can; undefined when it can, too. A Gateway with addresses of its own
 * (without `settings`) has all ports.
 */
export function portProblem(
  listener: Listener,
  before: readonly Listener[],
  settings: SettingsSpec | undefined,
): ListenerProblem | undefined {
  const family = familyOf(listener);
  const isKnown = family && (settings || listener.protocol !== httpsOfContour);
  if (!isKnown) {
    const message = `Listener protocol ${JSON.stringify(listener.protocol)} is unsupported, must be one of ${protocols.filter((one) => settings || one !== httpsOfContour).join(", ")}`;
    return { type: "Accepted", reason: "UnsupportedProtocol", message };
  }
  const portOf = settings ? envoyPort : (port: number): number => port;
  if (settings && ownPorts(settings).includes(envoyPort(listener.port))) {
    const message = `Envoy's port ${envoyPort(listener.port)} for this port is that of Envoy's admin interface or of another listener of the settings`;
    return { type: "Accepted", reason: "PortUnavailable", message };
  }
  for (const other of before) {
    // UDP has ports of its own.
    if ((familyOf(other) === "udp") !== (family === "udp")) continue;
    if (other.port !== listener.port) {
      if (portOf(other.port) !== portOf(listener.port)) continue;
      const message = "Listener port conflicts with a previous Listener's port";
      return { type: "Accepted", reason: "PortUnavailable", message };
    }
    if (familyOf(other) !== family) {
      const message = "All Listener protocols for a given port must be compatible";
      return { type: "Conflicted", reason: "ProtocolConflict", message };
    }
    if (
      other.hostname.toLowerCase() === listener.hostname.toLowerCase() ||
      family === "tcp" ||
      family === "udp"
    ) {
      const message = "All Listener hostnames for a given port must be unique";
      return { type: "Conflicted", reason: "HostnameConflict", message };
    }
  }
  return undefined;
}

/** Where `isoline bootstrap` puts Envoy's admin interface if it is not told otherwise. */
const usualAdminPort = 9001;

const ownPorts = ({ stats, health, metrics, omEnforcedHealth }: SettingsSpec): readonly number[] =>
  [usualAdminPort, stats.port, health.port, metrics.port, omEnforcedHealth.port].filter(
    (port) => port !== undefined,
  );
