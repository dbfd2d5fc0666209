import type { ErrorCode } from "../../../schema/finding-codes.js";
import { isSubdomain } from "../../../schema/names.js";
import type { ClusterOverrides, ServicePort } from "../../backends/backend.js";
import { readCaBundle, readCaConfigMap } from "../../certificates/secret.js";
import { backendTlsKey } from "../../core/keys.js";
import { byAge } from "../../core/order.js";
import { type ObjectByKind, objectsOf, type Reader } from "../../core/reader.js";

type Policy = ObjectByKind<"BackendTLSPolicy">;

/** The maximum number of policies for one Service. More would be an attack: each route reads all of them. */
const maxPolicies = 64;
/** The maximum size of all CA bundles of a policy, in bytes: each cluster contains all of them. */
const maxAuthorities = 64 * 1024;

/** The reference of a policy to a Service. Without `sectionName` it applies to all ports. */
type Target = Policy["spec"]["targetRefs"][number];

const targetsOf = ({ spec }: Policy, service: string): readonly Target[] =>
  spec.targetRefs.filter((ref) => ref.group === "" && ref.kind === "Service" && ref.name === service);

/** The effective policies of a Service: the oldest one for each port name, and the oldest one for all ports. */
function countingPolicies(
  service: string,
  policies: readonly Policy[],
): ReadonlyMap<string | undefined, Policy> {
  const counting = new Map<string | undefined, Policy>();
  for (const policy of [...policies].sort(byAge))
    for (const { sectionName } of targetsOf(policy, service))
      if (!counting.has(sectionName)) counting.set(sectionName, policy);
  return counting;
}

/**
 * The TLS options that a BackendTLSPolicy sets for a Service's port. A policy that names the port takes precedence over
 * a policy for all ports. With an invalid policy no requests are sent, never requests without TLS.
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
  const policies = objectsOf("BackendTLSPolicy", claimants, reader);
  // The status of each policy, also of one that does not count, depends on its own CAs and on the policies of its other targets.
  for (const one of policies) reader.unitCache.once(readPolicy, one.ref, one, reader);
  const counting = countingPolicies(name, policies);
  const policy = (port.name ? counting.get(port.name) : undefined) ?? counting.get(undefined);
  return policy ? optionsOf(policy, reader) : {};
}

interface BackendTls {
  readonly options?: ClusterOverrides;
  readonly error?: string;
}

function optionsOf(policy: Policy, reader: Reader): BackendTls {
  const { validation, problems } = readValidation(policy, reader);
  const [first] = problems;
  if (!validation)
    return {
      error: `BackendTLSPolicy ${policy.meta.namespace}/${policy.meta.name} is invalid: ${first?.message}`,
    };
  return { options: { protocol: "tls", validation, sni: policy.spec.validation.hostname } };
}

interface PolicyProblem {
  readonly type: "Accepted" | "ResolvedRefs";
  readonly reason: ErrorCode;
  readonly message: string;
}

/** The problems of a policy, for its status. An older policy for the same target is a problem, too. */
export function readPolicy(policy: Policy, reader: Reader): { readonly problems: readonly PolicyProblem[] } {
  const { namespace } = policy.meta;
  const conflicts = policy.spec.targetRefs.flatMap(({ group, kind, name, sectionName }): PolicyProblem[] => {
    if (group !== "" || kind !== "Service") return [];
    const all = objectsOf("BackendTLSPolicy", reader.claimants(backendTlsKey(namespace, name)), reader);
    const other = countingPolicies(name, all).get(sectionName);
    if (!other || other.ref === policy.ref) return [];
    const target = sectionName === undefined ? `Service ${name}` : `port ${sectionName} of Service ${name}`;
    const message = `${other.ref} is for ${target}, too, and is older`;
    return [{ type: "Accepted", reason: "Conflicted", message }];
  });
  return { problems: [...conflicts, ...readValidation(policy, reader).problems] };
}

/** Reads the validation of a policy, and its problems. A CA that can't be used does not affect the others. */
function readValidation(
  { spec: { validation }, meta: { namespace } }: Policy,
  reader: Reader,
): { validation?: ClusterOverrides["validation"]; problems: readonly PolicyProblem[] } {
  const invalid = (message: string, reason: ErrorCode = "Invalid") => ({
    problems: [{ type: "Accepted" as const, reason, message }],
  });
  if (!isSubdomain(validation.hostname) || /^[\d.]+$/.test(validation.hostname))
    return invalid(`hostname ${JSON.stringify(validation.hostname)} must be a DNS name without a wildcard`);
  const names = validation.subjectAltNames;
  const unnamed = names.findIndex(({ type, hostname, uri }) => !(type === "Hostname" ? hostname : uri));
  if (unnamed >= 0)
    return invalid(
      `subjectAltNames[${unnamed}]: an entry of type ${names[unnamed]?.type} needs ${names[unnamed]?.type === "URI" ? "uri" : "hostname"}`,
    );
  const subjects = {
    subjectNames:
      names.length > 0
        ? names.flatMap(({ type, hostname }) => (type === "Hostname" && hostname) || [])
        : [validation.hostname],
    ...(names.some(({ type }) => type === "URI")
      ? { subjectUris: names.flatMap(({ type, uri }) => (type === "URI" && uri) || []) }
      : {}),
  };
  if (validation.wellKnownCACertificates)
    return systemCertificates(validation.wellKnownCACertificates, subjects, reader);
  const { bundles, problems } = readAuthorities(validation.caCertificateRefs, namespace, reader);
  const ca = bundles.join("");
  if (ca === "") {
    const message = problems[0]?.message ?? "caCertificateRefs is empty";
    return { problems: [...problems, { type: "Accepted", reason: "NoValidCACertificate", message }] };
  }
  if (ca.length > maxAuthorities)
    return invalid(`caCertificateRefs hold ${ca.length} bytes together, of at most ${maxAuthorities}`);
  return { validation: { ca, ...subjects }, problems };
}

function systemCertificates(
  asked: string,
  subjects: Omit<NonNullable<ClusterOverrides["validation"]>, "ca">,
  { settings }: Reader,
): { validation?: ClusterOverrides["validation"]; problems: readonly PolicyProblem[] } {
  const file = settings.gateway.systemCertificates;
  if (asked === "System" && file !== undefined)
    return { validation: { ca: { file }, ...subjects }, problems: [] };
  const message =
    asked === "System"
      ? "wellKnownCACertificates: System needs the setting gateway.systemCertificates, a file on Envoy's machine"
      : `wellKnownCACertificates ${JSON.stringify(asked)} is not supported, only System is`;
  return { problems: [{ type: "Accepted", reason: "Invalid", message }] };
}

function readAuthorities(
  refs: readonly CaRef[],
  namespace: string,
  reader: Reader,
): { readonly bundles: readonly string[]; readonly problems: readonly PolicyProblem[] } {
  const bundles = new Set<string>();
  const problems: PolicyProblem[] = [];
  const fail = (reason: ErrorCode, message: string): void =>
    void problems.push({ type: "ResolvedRefs", reason, message });
  for (const { group, kind, name } of uniqueRefs(refs)) {
    const read = group !== "" ? undefined : readers.get(kind);
    const { ca, error } = read?.(reader, { namespace, name }) ?? {};
    if (!read)
      fail(
        "InvalidKind",
        `caCertificateRefs: kind ${group || "core"}/${kind} is unsupported, use ConfigMap or Secret`,
      );
    else if (ca) bundles.add(ca);
    else fail("InvalidCACertificateRef", error ?? "the CA is not there");
  }
  return { bundles: [...bundles], problems };
}

const readers = new Map([
  ["Secret", readCaBundle],
  ["ConfigMap", readCaConfigMap],
]);

type CaRef = Policy["spec"]["validation"]["caCertificateRefs"][number];

const uniqueRefs = (refs: readonly CaRef[]): readonly CaRef[] => [
  ...new Map(refs.map((ref) => [JSON.stringify([ref.group, ref.kind, ref.name]), ref])).values(),
];
