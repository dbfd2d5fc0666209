import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { Listener } from "../../../schema/gateway.js";
import type { SettingsSpec } from "../../../schema/settings.js";

const httpsOfContour = "projectcontour.io/https";
const tlsProtocols = ["HTTPS", "TLS", httpsOfContour];
const protocols = ["HTTP", ...tlsProtocols, "TCP", "UDP"];

/** A problem of a listener, as a condition of its status. */
export interface ListenerProblem {
  readonly type: "Accepted" | "Conflicted" | "ResolvedRefs" | "Programmed";
  readonly reason: ErrorCode;
  readonly message: string;
}

/** Listeners of different families never share a port. */
export type Family = "http" | "https" | "tcp" | "udp";

export const familyOf = ({ protocol }: Listener): Family | undefined => {
  if (protocol === "HTTP") return "http";
  if (protocol === "TCP") return "tcp";
  if (protocol === "UDP") return "udp";
  return tlsProtocols.includes(protocol) ? "https" : undefined;
};

/**
 * Envoy's port for a port of a Gateway; a Service in front of Envoy maps it. As in Contour, it is higher by 8000. Ports
 * above 65535 wrap around; results below 1024 are raised by 1023, because they would require privileges.
 */
export function envoyPort(port: number): number {
  const moved = port + 8000 > 65535 ? port + 8000 - 65535 : port + 8000;
  return moved <= 1023 ? moved + 1023 : moved;
}

/**
 * The problem of a listener's protocol or port, or its conflict with a valid listener before it in the Gateway;
 * undefined if there is none. A Gateway with its own addresses (without `settings`) can use all ports.
 */
export function portProblem(
  listener: Listener,
  before: readonly Listener[],
  settings: SettingsSpec | undefined,
  http3: boolean,
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
    const families = [familyOf(other), family];
    // UDP ports are independent of TCP ports, but HTTP/3 uses both.
    if (families.includes("udp") && families[0] !== families[1] && !(http3 && families.includes("https")))
      continue;
    if (other.port !== listener.port) {
      if (portOf(other.port) !== portOf(listener.port)) continue;
      const message = "Listener port conflicts with a previous Listener's port";
      return { type: "Accepted", reason: "PortUnavailable", message };
    }
    if (familyOf(other) !== family) {
      const message = families.includes("udp")
        ? "HTTP/3 of an HTTPS listener uses this UDP port"
        : "All Listener protocols for a given port must be compatible";
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

/** The default port of Envoy's admin interface in `isoline bootstrap`. */
const usualAdminPort = 9001;

const ownPorts = ({ stats, health, metrics, omEnforcedHealth }: SettingsSpec): readonly number[] =>
  [usualAdminPort, stats.port, health.port, metrics.port, omEnforcedHealth.port].filter(
    (port) => port !== undefined,
  );
