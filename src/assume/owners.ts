import { isRecord } from "../schema/issues.js";
import { type Ref, refOf } from "../schema/meta.js";

type Raw = Readonly<Record<string, unknown>>;

const textOf = (value: unknown): string => (typeof value === "string" ? value : "");
const mapOf = (value: unknown): Raw => (isRecord(value) ? value : {});
const listOf = (value: unknown): readonly unknown[] => (Array.isArray(value) ? value : []);

/**
 * The Secrets and ConfigMaps that a manifest creates when it is applied: those of a Certificate of cert-manager, an
 * ExternalSecret, a SealedSecret, the generators of a kustomization, and an Ingress or Gateway with an annotation of
 * cert-manager.
 */
export function ownedBy(value: unknown): readonly Ref[] {
  if (!isRecord(value)) return [];
  const group = textOf(value.apiVersion).split("/")[0];
  const spec = mapOf(value.spec);
  const { name, namespace } = mapOf(value.metadata);
  const secret = (owned: unknown): readonly Ref[] => {
    const text = textOf(owned);
    return text === "" ? [] : [refOf("Secret", textOf(namespace) || "default", text)];
  };
  switch (`${group}/${textOf(value.kind)}`) {
    case "cert-manager.io/Certificate":
      return secret(spec.secretName);
    case "external-secrets.io/ExternalSecret":
      return secret(mapOf(spec.target).name ?? name);
    case "bitnami.com/SealedSecret":
      return secret(name);
    case "kustomize.config.k8s.io/Kustomization":
    case "kustomize.config.k8s.io/Component":
      return generatedBy(value);
    case "networking.k8s.io/Ingress":
      return isIssued(value) ? listOf(spec.tls).flatMap((entry) => secret(mapOf(entry).secretName)) : [];
    case "gateway.networking.k8s.io/Gateway":
      return isIssued(value)
        ? listOf(spec.listeners).flatMap((listener) => certificatesOf(listener).flatMap(secret))
        : [];
    default:
      return [];
  }
}

/**
 * The Secrets and ConfigMaps of the generators of a kustomization. Without a namespace, their namespace is unknown until
 * the kustomization is applied; their refs have none and stand for all namespaces.
 */
export function generatedBy(value: Raw): readonly Ref[] {
  const namespace = textOf(value.namespace);
  const of = (kind: string, list: unknown): Ref[] =>
    listOf(list).flatMap((one) => {
      const { name, namespace: own } = mapOf(one);
      return typeof name === "string" ? [refOf(kind, textOf(own) || namespace, name)] : [];
    });
  return [...of("Secret", value.secretGenerator), ...of("ConfigMap", value.configMapGenerator)];
}

const isIssued = ({ metadata }: Raw): boolean => {
  const annotations = mapOf(mapOf(metadata).annotations);
  return (
    annotations["cert-manager.io/issuer"] !== undefined ||
    annotations["cert-manager.io/cluster-issuer"] !== undefined
  );
};

const certificatesOf = (listener: unknown): unknown[] =>
  listOf(mapOf(mapOf(listener).tls).certificateRefs).map((ref) => mapOf(ref).name);
