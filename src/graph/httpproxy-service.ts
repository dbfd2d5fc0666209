import type { ClusterOptions } from "./backend.js";
import type { HTTPProxy, Reader, Report } from "./reader.js";
import { isDelegated, readCaBundle, secretName } from "./secret.js";

type Fields = NonNullable<NonNullable<HTTPProxy["spec"]["routes"]>[number]["services"]>[number];

/** The protocol and upstream validation of one entry of `services`; undefined (and a finding) when refused. */
export function readServiceOptions(
  proxy: HTTPProxy,
  service: Fields,
  path: string,
  reader: Reader,
  report: Report,
): Pick<ClusterOptions, "protocol" | "validation" | "sni"> | undefined {
  const protocol = service.protocol as ClusterOptions["protocol"] | undefined;
  const validation = service.validation;
  if (!validation) return protocol ? { protocol } : {};
  const secret = secretName(validation.caSecret ?? "", proxy.meta.namespace);
  if (!isDelegated(reader, secret, proxy.meta.namespace)) {
    const message = `service.UpstreamValidation.CACertificate Secret "${secret.namespace}/${secret.name}" is not configured for certificate delegation`;
    report.error(proxy.ref, "TLSError", "CACertificateNotDelegated", message, `${path}.validation.caSecret`);
    return undefined;
  }
  const { ca, error } = readCaBundle(reader, secret);
  const names = validation.subjectNames?.length ? validation.subjectNames : [validation.subjectName ?? ""];
  const wrong = error ?? (names.some((name) => !name) ? "missing subject alternative name" : undefined);
  if (!ca || wrong) {
    const message = `Service [${service.name}:${service.port}] TLS upstream validation policy error: ${wrong}`;
    report.error(proxy.ref, "ServiceError", "TLSUpstreamValidation", message, `${path}.validation`);
    return undefined;
  }
  return { ...(protocol ? { protocol } : {}), validation: { ca, subjectNames: names } };
}
