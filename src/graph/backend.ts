import { isIP } from "./address.js";
import type { ObjectByKind, Reader } from "./reader.js";
import type { CircuitBreakers, Cluster } from "./types.js";

export type ServicePort = NonNullable<ObjectByKind<"Service">["spec"]["ports"]>[number];
export type Protocol = NonNullable<Cluster["protocol"]>;

/** What a route adds to the plain way to a Service port. */
export type ClusterOptions = Partial<
  Pick<Cluster, "protocol" | "sni" | "validation" | "loadBalancing" | "healthCheck" | "idleConnectionMs">
>;

/**
 * The cluster for a Service's port, given by number or (Ingress) by name. The error is a message; the units of its
 * endpoints are asked for.
 */
export function readCluster(
  reader: Reader,
  namespace: string,
  name: string,
  port: number | string,
  options: ClusterOptions = {},
): { cluster?: Cluster; error?: string } {
  const service = reader.get("Service", namespace, name);
  if (!service) return { error: `service "${namespace}/${name}" not found` };
  const found = service.spec.ports?.find(
    (p) => p.port === port || (p.name !== "" && p.name === String(port)),
  );
  if (!found) return { error: `port "${port}" on service "${namespace}/${name}" not matched` };
  if (found.protocol && found.protocol !== "TCP") {
    return { error: `unsupported service protocol "${found.protocol}" on service "${namespace}/${name}"` };
  }
  const external = readExternalName(reader, service);
  if (external.error) return { error: external.error };

  const protocol = options.protocol ?? servicePortProtocol(service, found);
  const breakers = readCircuitBreakers(service);
  // Assigned, not spread: an object that begins with a spread and then grows gets a hidden class of its own each time.
  const common = Object.assign(
    { namespace, service: name, port: found.port, loadBalancing: "round-robin" as const },
    breakers && { circuitBreakers: breakers },
    options,
    protocol && { protocol },
  );
  if (external.name) {
    const sni = options.sni ?? external.name;
    return { cluster: Object.assign(common, { externalName: external.name, sni }) };
  }
  const endpoints = `${namespace}/${name}/${found.name || found.port}`;
  reader.need(`endpoints:${endpoints}`);
  const mode = endpointMode(reader, service);
  return { cluster: Object.assign(common, { endpoints }, mode && { mode }) };
}

/** The endpoint mode that a Service asks for by annotation, or `service` by the settings. */
export function endpointMode(reader: Reader, service: ObjectByKind<"Service">): Cluster["mode"] {
  const asked = service.meta.annotations["isoline.dev/endpoints"];
  if (asked === "eds" || asked === "inline" || asked === "service") return asked;
  return reader.settings.endpoints === "service" ? "service" : undefined;
}

const forbiddenNames = new Set(["localhost", "localhost.localdomain", "local.projectcontour.io"]);
const hostname = /^(?=.{1,253}$)[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;

function readExternalName(
  reader: Reader,
  { spec, meta }: ObjectByKind<"Service">,
): { name?: string; error?: string } {
  if (spec.type !== "ExternalName") return {};
  const about = `service "${meta.namespace}/${meta.name}"`;
  if (!reader.settings.enableExternalNameService) {
    return { error: `${about} is an ExternalName service, these are not currently enabled` };
  }
  const name = (spec.externalName ?? "").toLowerCase().replace(/\.$/, "");
  // Envoy's resolver takes 127.1 or 0x7f.1 for an address: an address is dotted quads or nothing.
  const addressLike =
    /^[0-9.]+$|^0x/.test(name) || name.split(".").some((label) => /^0x[0-9a-f]*$/.test(label));
  const refused =
    forbiddenNames.has(name) ||
    name.endsWith(".localhost") ||
    name === "metadata.google.internal" ||
    isIP(name) ||
    addressLike ||
    !hostname.test(name);
  if (refused)
    return {
      error: `${about} is an ExternalName service that points to ${JSON.stringify(name)}, this is not allowed`,
    };
  return { name };
}

const annotationPrefixes = ["projectcontour.io/", "contour.heptio.com/"];

function annotation(service: ObjectByKind<"Service">, name: string): string | undefined {
  for (const prefix of annotationPrefixes) {
    const value = service.meta.annotations[prefix + name];
    if (value !== undefined) return value;
  }
  return undefined;
}

/** Most Services have no annotation of ours: then there is nothing to look for. */
function isAnnotated({ meta }: ObjectByKind<"Service">): boolean {
  for (const _ in meta.annotations) return true;
  return false;
}

/** `appProtocol` alone when set, else the annotation `projectcontour.io/upstream-protocol.<protocol>`. */
function servicePortProtocol(service: ObjectByKind<"Service">, port: ServicePort): Protocol | undefined {
  if (port.appProtocol) {
    return ({ "kubernetes.io/h2c": "h2c", https: "tls" } as const)[port.appProtocol as "https"];
  }
  if (!isAnnotated(service)) return undefined;
  return (["h2", "h2c", "tls"] as const).find((protocol) =>
    annotation(service, `upstream-protocol.${protocol}`)
      ?.split(",")
      .map((entry) => entry.trim())
      .some((entry) => entry === String(port.port) || (entry !== "" && entry === port.name)),
  );
}

function readCircuitBreakers(service: ObjectByKind<"Service">): CircuitBreakers | undefined {
  if (!isAnnotated(service)) return undefined;
  const limit = (name: string): number | undefined => {
    const text = annotation(service, name);
    const value = text && /^\d{1,10}$/.test(text) ? Number(text) : 0;
    return value > 0 && value <= 4294967295 ? value : undefined;
  };
  const limits: CircuitBreakers = {
    maxConnections: limit("max-connections"),
    maxPendingRequests: limit("max-pending-requests"),
    maxRequests: limit("max-requests"),
    maxRetries: limit("max-retries"),
    perHostMaxConnections: limit("per-host-max-connections"),
  };
  return Object.values(limits).some((value) => value !== undefined) ? limits : undefined;
}
