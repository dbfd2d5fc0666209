import type { Cluster } from "../../backends/cluster.js";
import { readUpstreamValidation } from "../../backends/upstream-validation.js";
import type { HTTPProxy, Reader, Report } from "../../core/reader.js";

type Fields = NonNullable<NonNullable<HTTPProxy["spec"]["routes"]>[number]["services"]>[number];

/**
 * The cluster of a service with its `validation`; undefined with a finding if that is not possible. Only backends with
 * TLS have a certificate to validate.
 */
export function readValidation(
  proxy: HTTPProxy,
  service: Fields,
  cluster: Cluster,
  path: string,
  reader: Reader,
  report: Report,
): Cluster | undefined {
  if (!service.validation) return cluster;
  if (cluster.protocol !== "tls" && cluster.protocol !== "h2") {
    const message = `has no effect: Service [${service.name}:${service.port}] has no TLS; set protocol: tls`;
    report.warn(proxy.ref, "SpecError", "IgnoredField", message, `${path}.validation`);
    return cluster;
  }
  const checked = readUpstreamValidation(reader, service.validation, proxy.meta.namespace);
  if (!checked.problem) return { ...cluster, validation: checked.validation };
  if (checked.problem === "not-delegated") {
    const message = `service.UpstreamValidation.CACertificate Secret "${checked.secret}" is not configured for certificate delegation`;
    report.error(proxy.ref, "TLSError", "CACertificateNotDelegated", message, `${path}.validation.caSecret`);
  } else {
    const message = `Service [${service.name}:${service.port}] TLS upstream validation policy error: ${checked.message}`;
    report.error(proxy.ref, "ServiceError", "TLSUpstreamValidation", message, `${path}.validation`);
  }
  return undefined;
}
