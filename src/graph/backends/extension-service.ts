import { readTimeout } from "../../schema/duration.js";
import type { ErrorCode } from "../../schema/finding-codes.js";
import type { FindingType } from "../../schema/finding-types.js";
import { type ExtensionService, isLeftOut, type Reader, type Report } from "../core/reader.js";
import { balancerOf } from "../policies/load-balancing.js";
import { readTimeoutPolicy } from "../policies/timeout.js";
import { clientCertificate, findServicePort, portKey } from "./backend.js";
import type { Cluster } from "./cluster.js";
import { readUpstreamValidation } from "./upstream-validation.js";

/** A cluster of servers that Envoy itself calls. */
export interface Extension {
  readonly namespace: string;
  readonly name: string;
  readonly cluster: Pick<
    Cluster,
    | "protocol"
    | "sni"
    | "validation"
    | "loadBalancing"
    | "idleConnectionMs"
    | "circuitBreakers"
    | "clientCertificate"
  >;
  /** The maximum time for a response, in ms; 0 is no limit, undefined the default of the filter that uses it. */
  readonly responseMs?: number;
  readonly services: readonly ExtensionBackend[];
}

export interface ExtensionBackend {
  readonly service: string;
  /** As in the key of an endpoints unit: the port's name, or its number when it has none. */
  readonly port: string;
  readonly weight: number;
}

/**
 * Cluster names of extensions. Cluster names of Services start with a namespace, which may be `extension`, but end
 * with a hash.
 */
export const extensionCluster = ({ namespace, name }: { namespace: string; name: string }): string =>
  `extension/${namespace}/${name}`;

const extensionService = (reader: Reader, namespace: string, name: string): ExtensionService | undefined =>
  isLeftOut("ExtensionService", reader.settings)
    ? undefined
    : reader.get("ExtensionService", namespace, name);

/** Reads an ExtensionService; undefined if it does not exist, and with findings if it is not valid. */
export function readExtensionService(
  reader: Reader,
  namespace: string,
  name: string,
  report?: Report,
): Extension | undefined {
  const object = extensionService(reader, namespace, name);
  if (!object) return undefined;
  const { spec, ref } = object;
  let good = true;
  const fail = (type: FindingType, reason: ErrorCode, message: string, path: string): void => {
    good = false;
    report?.error(ref, type, reason, message, path);
  };
  const idle = readTimeout(spec.timeoutPolicy?.idleConnection);
  const wrong =
    readTimeoutPolicy(spec.timeoutPolicy).error ??
    (idle.error && `error parsing idleConnection timeout: ${idle.error}`);
  if (wrong)
    fail(
      "SpecError",
      "TimeoutPolicyNotValid",
      `spec.timeoutPolicy failed to parse: ${wrong}`,
      "spec.timeoutPolicy",
    );
  warnIgnored(object, report);
  const certificate = clientCertificate(reader);
  if (certificate.error) fail("TLSError", "SecretNotValid", certificate.error, "spec");
  const checked = spec.validation && readUpstreamValidation(reader, spec.validation, namespace);
  if (checked?.problem === "not-delegated") {
    const message = `service.UpstreamValidation.CACertificate Secret "${checked.secret}" is not configured for certificate delegation`;
    fail("TLSError", "CACertificateNotDelegated", message, "spec.validation.caSecret");
  } else if (checked?.problem) {
    const message = `TLS upstream validation policy error: ${checked.message}`;
    fail("SpecError", "TLSUpstreamValidation", message, "spec.validation");
  }
  if (spec.validation && spec.protocol !== "h2") {
    const message = `upstream TLS validation not supported for "${spec.protocol}" protocol`;
    fail("SpecError", "InconsistentProtocol", message, "spec.protocol");
  }
  const services = readServices(object, reader, fail);
  if (!good) return undefined;
  const validation = checked?.problem ? undefined : checked?.validation;
  const strategy = spec.loadBalancerPolicy?.strategy;
  const defaults = reader.settings.cluster.circuitBreakers;
  const breakers =
    spec.circuitBreakerPolicy ?? (Object.values(defaults).some(Boolean) ? defaults : undefined);
  const response = readTimeout(spec.timeoutPolicy?.response).ms;
  return {
    namespace,
    name,
    cluster: {
      loadBalancing: balancerOf(strategy),
      ...(spec.protocol === "http/1.1" ? {} : { protocol: spec.protocol }),
      ...(validation ? { validation, sni: validation.subjectNames[0] ?? "" } : {}),
      ...(idle.ms === undefined ? {} : { idleConnectionMs: idle.ms }),
      ...(breakers ? { circuitBreakers: breakers } : {}),
      ...(spec.protocol === "h2" ? certificate.options : {}),
    },
    ...(response === undefined ? {} : { responseMs: response }),
    services,
  };
}

function warnIgnored({ spec, ref }: ExtensionService, report: Report | undefined): void {
  const warn = (message: string, path: string): void =>
    report?.warn(ref, "SpecError", "IgnoredField", message, path);
  const strategy = spec.loadBalancerPolicy?.strategy;
  if (strategy === "Cookie" || strategy === "RequestHash") {
    const message = `ignoring field ".Spec.LoadBalancerPolicy"; ${strategy} load balancer policy is not supported for ExtensionClusters`;
    warn(message, "spec.loadBalancerPolicy.strategy");
  }
  if (spec.timeoutPolicy?.idle) {
    const message = `ignoring field ".Spec.TimeoutPolicy.Idle"; idle timeouts are not supported for ExtensionClusters`;
    warn(message, "spec.timeoutPolicy.idle");
  }
}

/** Only Services of the same namespace: those of another namespace would bypass their owner. */
function readServices(
  { spec, meta: { namespace } }: ExtensionService,
  reader: Reader,
  fail: (type: FindingType, reason: ErrorCode, message: string, path: string) => void,
): ExtensionBackend[] {
  return spec.services.flatMap(({ name, port, weight }, i) => {
    const { service, found, error } = findServicePort(reader, namespace, name, port);
    const path = `spec.services[${i}]`;
    if (!service || !found) {
      const message = `unresolved service "${namespace}/${name}": ${error}`;
      fail("ServiceError", "ServiceUnresolvedReference", message, path);
      return [];
    }
    if (service.spec.type === "ExternalName" || service.spec.externalName) {
      const message = `Service "${namespace}/${name}" is of unsupported type "ExternalName".`;
      fail("ServiceError", "UnsupportedServiceType", message, path);
      return [];
    }
    return [{ service: name, port: portKey(found), weight: weight ?? 0 }];
  });
}
