import { isSubdomain } from "../../../schema/names.js";
import type { ClusterOverrides, ServicePort } from "../../backends/backend.js";
import { readCaBundle, readCaConfigMap } from "../../certificates/secret.js";
import { backendTlsKey } from "../../core/keys.js";
import { byAge } from "../../core/order.js";
import { type ObjectByKind, objectsOf, type Reader } from "../../core/reader.js";

type Policy = ObjectByKind<"BackendTLSPolicy">;

/** More policies than this for one Service are an attack on whoever reads them for each route. */
const maxPolicies = 64;
/** Of the CA bundles of a policy together: each cluster holds them all. */
const maxAuthorities = 64 * 1024;

/** The policy for a Service's port: one that names the port before one for all ports, then the oldest. */
function policyOf(name: string, port: ServicePort, policies: readonly Policy[]): Policy | undefined {
  const rank = ({ spec }: Policy): number => {
    const refs = spec.targetRefs.filter(
      (ref) => ref.group === "" && ref.kind === "Service" && ref.name === name,
    );
    if (refs.some(({ sectionName }) => sectionName !== undefined && sectionName === port.name)) return 0;
    return refs.some(({ sectionName }) => sectionName === undefined) ? 1 : 2;
  };
  return policies.filter((policy) => rank(policy) < 2).sort((a, b) => rank(a) - rank(b) || byAge(a, b))[0];
}

/**
 * How a BackendTLSPolicy has requests sent to a Service's port: over TLS, under its CA and name. A policy that is no good means no
 * requests at all, never such without TLS.
 */
export const readBackendTls = (
  service: ObjectByKind<"Service">,
  port: ServicePort,
  reader: Reader,
): BackendTls => reader.unitCache.once(readPolicies, `${service.ref} ${port.port}`, service, port, reader);

function readPolicies(
  { meta: { namespace, name } }: ObjectByKind<"Service">,
  port: ServicePort,
  reader: Reader,
): BackendTls {
  const claimants = reader.claimants(backendTlsKey(namespace, name));
  if (claimants.length > maxPolicies)
    return { error: `more than ${maxPolicies} BackendTLSPolicies are for Service ${namespace}/${name}` };
  const policy = policyOf(name, port, objectsOf("BackendTLSPolicy", claimants, reader));
  return policy ? optionsOf(policy, reader) : {};
}

interface BackendTls {
  readonly options?: ClusterOverrides;
  readonly error?: string;
}

function optionsOf(policy: Policy, reader: Reader): BackendTls {
  const { validation, error } = readPolicy(policy, reader);
  if (!validation)
    return { error: `BackendTLSPolicy ${policy.meta.namespace}/${policy.meta.name} is invalid: ${error}` };
  return { options: { protocol: "tls", validation, sni: policy.spec.validation.hostname } };
}

/** What a policy asks of the certificates of its backends, or why it can't be followed. */
export function readPolicy(
  { spec: { validation }, meta: { namespace } }: Policy,
  reader: Reader,
): { validation?: ClusterOverrides["validation"]; error?: string } {
  if (validation.wellKnownCACertificates) return { error: "wellKnownCACertificates is unsupported" };
  if (!isSubdomain(validation.hostname) || /^[\d.]+$/.test(validation.hostname))
    return { error: `hostname ${JSON.stringify(validation.hostname)} must be a DNS name without a wildcard` };
  const bundles = new Set<string>();
  for (const { group, kind, name } of uniqueRefs(validation.caCertificateRefs)) {
    const read = group !== "" ? undefined : readers.get(kind);
    if (!read)
      return {
        error: `caCertificateRefs: kind ${group || "core"}/${kind} is unsupported, use ConfigMap or Secret`,
      };
    const { ca, error } = read(reader, { namespace, name });
    if (!ca) return { error: error ?? "the CA is not there" };
    bundles.add(ca);
  }
  const ca = [...bundles].join("");
  if (ca === "") return { error: "caCertificateRefs is empty" };
  if (ca.length > maxAuthorities)
    return { error: `caCertificateRefs hold ${ca.length} bytes together, of at most ${maxAuthorities}` };
  const names = validation.subjectAltNames.map(
    ({ type, hostname }) => (type === "Hostname" && hostname) || "",
  );
  if (names.includes("")) return { error: "subjectAltNames: only entries of type Hostname are supported" };
  return {
    validation: { ca, subjectNames: names.length > 0 ? names : [validation.hostname] },
  };
}

const readers = new Map([
  ["Secret", readCaBundle],
  ["ConfigMap", readCaConfigMap],
]);

type CaRef = Policy["spec"]["validation"]["caCertificateRefs"][number];

const uniqueRefs = (refs: readonly CaRef[]): readonly CaRef[] => [
  ...new Map(refs.map((ref) => [JSON.stringify([ref.group, ref.kind, ref.name]), ref])).values(),
];
