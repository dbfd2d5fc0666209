import type { ClusterOptions, ServicePort } from "../backend.js";
import { type ObjectByKind, objectsOf, type Reader } from "../reader.js";
import { readCaBundle, readCaConfigMap } from "../secret.js";

type Policy = ObjectByKind<"BackendTLSPolicy">;

const isNamed = /^[a-z0-9](?:-*[a-z0-9])*(?:\.[a-z0-9](?:-*[a-z0-9])*)*$/;

/** The policy for a Service's port: one that names the port before one for all ports, then the oldest. */
function policyOf(service: ObjectByKind<"Service">, port: ServicePort, reader: Reader): Policy | undefined {
  const { namespace, name } = service.meta;
  const policies = objectsOf(
    "BackendTLSPolicy",
    reader.claimants(`backend-tls:${namespace}/${name}`),
    reader,
  );
  const rank = ({ spec }: Policy): number => {
    const refs = spec.targetRefs.filter(
      (ref) => ref.group === "" && ref.kind === "Service" && ref.name === name,
    );
    if (refs.some(({ sectionName }) => sectionName !== undefined && sectionName === port.name)) return 0;
    return refs.some(({ sectionName }) => sectionName === undefined) ? 1 : 2;
  };
  const key = (policy: Policy): string =>
    `${rank(policy)} ${policy.meta.created} ${policy.meta.namespace}/${policy.meta.name}`;
  return policies.filter((policy) => rank(policy) < 2).sort((a, b) => (key(a) < key(b) ? -1 : 1))[0];
}

/**
 * How a BackendTLSPolicy has requests sent to a Service's port: over TLS, under its CA and name. A policy that is no good means no
 * requests at all, never such without TLS.
 */
export function readBackendTls(
  service: ObjectByKind<"Service">,
  port: ServicePort,
  reader: Reader,
): { options?: ClusterOptions; error?: string } {
  const policy = policyOf(service, port, reader);
  if (!policy) return {};
  const { validation, error } = readPolicy(policy, reader);
  if (!validation)
    return { error: `BackendTLSPolicy ${policy.meta.namespace}/${policy.meta.name} is invalid: ${error}` };
  return { options: { protocol: "tls", validation, sni: policy.spec.validation.hostname } };
}

/** What a policy asks of the certificates of its backends, or why it can't be followed. */
export function readPolicy(
  { spec: { validation }, meta: { namespace } }: Policy,
  reader: Reader,
): { validation?: ClusterOptions["validation"]; error?: string } {
  if (validation.wellKnownCACertificates) return { error: "wellKnownCACertificates is unsupported" };
  if (!isNamed.test(validation.hostname) || /^[\d.]+$/.test(validation.hostname))
    return { error: `hostname ${JSON.stringify(validation.hostname)} must be a DNS name without a wildcard` };
  const bundles: string[] = [];
  for (const { group, kind, name } of validation.caCertificateRefs) {
    const read = group !== "" ? undefined : { Secret: readCaBundle, ConfigMap: readCaConfigMap }[kind];
    if (!read)
      return {
        error: `caCertificateRefs: kind ${group || "core"}/${kind} is unsupported, use ConfigMap or Secret`,
      };
    const { ca, error } = read(reader, { namespace, name });
    if (!ca) return { error: error ?? "the CA is not there" };
    bundles.push(ca);
  }
  if (bundles.length === 0) return { error: "caCertificateRefs is empty" };
  const names = validation.subjectAltNames.map(
    ({ type, hostname }) => (type === "Hostname" && hostname) || "",
  );
  if (names.includes("")) return { error: "subjectAltNames: only entries of type Hostname are supported" };
  return {
    validation: { ca: bundles.join(""), subjectNames: names.length > 0 ? names : [validation.hostname] },
  };
}
