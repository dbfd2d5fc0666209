import { isRecord } from "../schema/issues.js";
import { type Finding, refOf } from "../schema/meta.js";
import { isKindRead } from "../schema/object.js";

/** A route of another controller. */
export interface ForeignRoute {
  /** The reason why it is not served. */
  readonly finding: Finding;
  /** The names in its spec that have the form of hosts, in lower case. */
  readonly hosts: ReadonlySet<string>;
}

/** Kinds of other controllers that contain hosts. Kinds with names of Isoline's kinds are those of other groups. */
const kinds: ReadonlySet<string> = new Set([
  "ApisixRoute",
  "Gateway",
  "HTTPProxy",
  "HTTPRoute",
  "Host",
  "Ingress",
  "IngressRoute",
  "IngressRouteTCP",
  "Mapping",
  "Route",
  "VirtualServer",
  "VirtualService",
]);

const host = /(?<![\w.-])(?:\*\.)?[a-z0-9-]+(?:\.[a-z0-9-]+)+(?![\w.-])/gi;
const maxHosts = 1000;

/** Reads a route of another API group, such as Traefik's IngressRoute; undefined for other manifests. */
export function foreignRouteOf(value: unknown): ForeignRoute | undefined {
  if (!isRecord(value)) return undefined;
  const { kind, apiVersion, metadata, spec } = value;
  if (typeof kind !== "string" || typeof apiVersion !== "string") return undefined;
  if (!kinds.has(kind) || isKindRead(kind, apiVersion)) return undefined;
  const { name, namespace } = isRecord(metadata) ? metadata : {};
  const finding: Finding = {
    about: refOf(kind, String(namespace || "default"), String(name ?? "")),
    severity: "warning",
    type: "LintError",
    reason: "OtherGroup",
    message: `is not served: another controller reads its API version, ${apiVersion.slice(0, 80)}`,
  };
  const hosts = new Set<string>();
  collect(spec, hosts);
  return { finding, hosts };
}

function collect(value: unknown, hosts: Set<string>): void {
  if (hosts.size >= maxHosts) return;
  if (typeof value === "string") for (const [found] of value.matchAll(host)) hosts.add(found.toLowerCase());
  else if (Array.isArray(value)) for (const one of value) collect(one, hosts);
  else if (isRecord(value)) for (const one of Object.values(value)) collect(one, hosts);
}
