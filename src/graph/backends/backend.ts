import { quote } from "../../schema/words.js";
import { isInline, readKeyPair } from "../certificates/secret.js";
import { endpointsName, endpointsUnit, secretUnit } from "../core/keys.js";
import type { ObjectByKind, Reader } from "../core/reader.js";
import type { CircuitBreakers } from "../policies/circuit-breakers.js";
import { type Reachable, readHost } from "./address.js";
import type { Cluster } from "./cluster.js";

export type ServicePort = NonNullable<ObjectByKind<"Service">["spec"]["ports"]>[number];
export type Protocol = NonNullable<Cluster["protocol"]>;

/** The fields of a cluster that follow from a Service and its port. */
type ServiceFields =
  | "namespace"
  | "service"
  | "port"
  | "endpoints"
  | "healthPort"
  | "mode"
  | "externalName"
  | "circuitBreakers"
  | "weightedLocalities";

/** The configuration that a route adds to the cluster of a Service port: all other fields of a cluster. */
export type ClusterOverrides = Partial<Omit<Cluster, ServiceFields>>;

interface PortOptions {
  readonly healthPort?: number;
  /** The protocol if the Service has none. */
  readonly usualProtocol?: Protocol;
  /** Bytes of the client are sent unchanged, whatever protocol the Service has. */
  readonly isOpaque?: boolean;
}

/**
 * The cluster for a Service's port, given by number or (Ingress) by name. An error is a message. The units of its
 * endpoints become needed.
 */
export function readCluster(
  reader: Reader,
  namespace: string,
  name: string,
  port: number | string,
  { healthPort, usualProtocol, isOpaque = false, ...options }: ClusterOverrides & PortOptions = {},
): { cluster?: Cluster; error?: string | undefined } {
  const { service, found, error } = findServicePort(reader, namespace, name, port);
  if (!service || !found) return { error };
  const external = readExternalName(reader, service);
  if (external.error) return { error: external.error };

  const ofService = isOpaque ? undefined : servicePortProtocol(service, found);
  const spoken = options.protocol ?? ofService ?? usualProtocol;
  // A backend with HTTP/2 as its usual protocol has it over TLS, too.
  const protocol = usualProtocol && spoken === "tls" ? "h2" : spoken;
  const breakers = readCircuitBreakers(service, reader.settings.cluster.circuitBreakers);
  // Assigned, not spread: an object that starts with a spread and then grows gets its own hidden class each time.
  const common = Object.assign(
    { namespace, service: name, port: found.port, loadBalancing: "round-robin" as const },
    breakers && { circuitBreakers: breakers },
    options,
    protocol && { protocol },
  );
  if (external.name) return { cluster: Object.assign(common, { externalName: external.name }) };
  const health =
    healthPort === undefined ? undefined : servedPorts(service).find((p) => p.port === healthPort);
  if (healthPort !== undefined && !health)
    return { error: `port "${healthPort}" on service "${namespace}/${name}" not matched` };
  const ownHealthPort = health && health.port !== found.port ? { healthPort: health.port } : undefined;
  const healthName = ownHealthPort && health && portKey(health);
  const endpoints = endpointsName({ namespace, service: name, port: portKey(found), healthPort: healthName });
  reader.need(endpointsUnit(endpoints));
  const mode = endpointMode(reader, service);
  return { cluster: Object.assign(common, { endpoints }, ownHealthPort, mode && { mode }) };
}

/** The name of a port in the key of its endpoints. */
export const portKey = ({ name, port }: ServicePort): string => name || String(port);

/** The Service, and its port by number or name; or an error. */
export function findServicePort(
  reader: Reader,
  namespace: string,
  name: string,
  port: number | string,
  transport: PortProtocol = "TCP",
): { service?: ObjectByKind<"Service">; found?: ServicePort; error?: string } {
  const service = reader.get("Service", namespace, name);
  if (!service) return { error: `service "${namespace}/${name}" not found` };
  const isAsked = (p: ServicePort): boolean => p.port === port || (p.name !== "" && p.name === String(port));
  const found = servedPorts(service, transport).find(isAsked);
  if (found) return { service, found };
  const other = service.spec.ports?.find(isAsked);
  if (!other) return { error: `port "${port}" on service "${namespace}/${name}" not matched` };
  return {
    error: `unsupported service protocol "${other.protocol || "TCP"}" on service "${namespace}/${name}"`,
  };
}

/** What a route is for. */
export type PortProtocol = "TCP" | "UDP";

/** Whether a port of a Service or of its endpoints is of a protocol; one without a protocol is TCP, as in Kubernetes. */
export const isServed = (
  { protocol }: { readonly protocol?: string | undefined },
  transport: PortProtocol = "TCP",
): boolean => (protocol || "TCP") === transport;

/** The TCP ports of a Service. A port number is unique only among ports of one protocol (ServicePort.port). */
export const servedPorts = (
  { spec }: ObjectByKind<"Service">,
  transport: PortProtocol = "TCP",
): readonly ServicePort[] => {
  const isOne = (port: ServicePort): boolean => isServed(port, transport);
  return spec.ports?.every(isOne) ? spec.ports : (spec.ports ?? []).filter(isOne);
};

/**
 * The certificate of the settings that Envoy presents to TLS backends. The administrator chooses it, so that
 * delegation does not apply.
 */
export function clientCertificate(reader: Reader): {
  readonly options: Pick<ClusterOverrides, "clientCertificate">;
  readonly error?: string;
} {
  const configured = reader.settings.tls.envoyClientCertificate;
  if (!configured) return { options: {} };
  const secret = { namespace: configured.namespace ?? "", name: configured.name ?? "" };
  const { pair, error } = readKeyPair(reader, secret);
  const name = `${secret.namespace}/${secret.name}`;
  if (!pair)
    return { options: {}, error: `tls.envoy-client-certificate Secret "${name}" is invalid: ${error}` };
  if (isInline(pair, reader)) return { options: { clientCertificate: { secret: name, pair } } };
  reader.need(secretUnit(name));
  return { options: { clientCertificate: { secret: name } } };
}

/** The endpoint mode of the Service's annotation, or `service` according to the settings. */
export function endpointMode(reader: Reader, service: ObjectByKind<"Service">): Cluster["mode"] {
  const annotated = service.meta.annotations["isoline.dev/endpoints"];
  if (annotated === "eds" || annotated === "inline" || annotated === "service") return annotated;
  return reader.settings.endpoints === "service" ? "service" : undefined;
}

function readExternalName(
  reader: Reader,
  { spec, meta }: ObjectByKind<"Service">,
): { name?: Reachable; error?: string } {
  if (spec.type !== "ExternalName") return {};
  const about = `service "${meta.namespace}/${meta.name}"`;
  if (!reader.settings.enableExternalNameService) {
    return { error: `${about} is an ExternalName service, these are not currently enabled` };
  }
  const name = spec.externalName ?? "";
  const reached = readHost(name, { namespace: meta.namespace, settings: reader.settings });
  if ("host" in reached) return { name: reached.host };
  return {
    error: `${about} is an ExternalName service that points to ${quote(name)}, this is not allowed: it ${reached.problem}`,
  };
}

const annotationPrefixes = ["projectcontour.io/", "contour.heptio.com/"];

function annotation(service: ObjectByKind<"Service">, name: string): string | undefined {
  for (const prefix of annotationPrefixes) {
    const value = service.meta.annotations[prefix + name];
    if (value !== undefined) return value;
  }
  return undefined;
}

/** A quick check: most Services have no annotation. */
function isAnnotated({ meta }: ObjectByKind<"Service">): boolean {
  for (const _ in meta.annotations) return true;
  return false;
}

const appProtocols: ReadonlyMap<string, Protocol> = new Map([
  ["kubernetes.io/h2c", "h2c"],
  ["https", "tls"],
]);

/** `appProtocol` alone when set, else the annotation `projectcontour.io/upstream-protocol.<protocol>`. */
function servicePortProtocol(service: ObjectByKind<"Service">, port: ServicePort): Protocol | undefined {
  if (port.appProtocol) {
    return appProtocols.get(port.appProtocol);
  }
  if (!isAnnotated(service)) return undefined;
  // If there are several, the last one takes precedence, as in Contour.
  return (["tls", "h2c", "h2"] as const).find((protocol) =>
    annotation(service, `upstream-protocol.${protocol}`)
      ?.split(",")
      .map((entry) => entry.trim())
      .some((entry) => entry === String(port.port) || (entry !== "" && entry === port.name)),
  );
}

const limitNames = {
  maxConnections: "max-connections",
  maxPendingRequests: "max-pending-requests",
  maxRequests: "max-requests",
  maxRetries: "max-retries",
  perHostMaxConnections: "per-host-max-connections",
} as const;

/** Each limit from the Service's annotation, else from the settings; 0 is none. */
function readCircuitBreakers(
  service: ObjectByKind<"Service">,
  defaults: Reader["settings"]["cluster"]["circuitBreakers"],
): CircuitBreakers | undefined {
  const isPlain = !isAnnotated(service);
  const limits = new Map<string, number>();
  for (const key of Object.keys(limitNames) as (keyof typeof limitNames)[]) {
    const text = isPlain ? undefined : annotation(service, limitNames[key]);
    const own = text && /^\d{1,10}$/.test(text) ? Number(text) : 0;
    const limit = own > 0 && own <= 4294967295 ? own : defaults[key];
    if (limit) limits.set(key, limit);
  }
  return limits.size > 0 ? (Object.fromEntries(limits) as CircuitBreakers) : undefined;
}
