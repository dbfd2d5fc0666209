import { gatewayGroup } from "../schema/gateway.js";
import type { KubeObject } from "../schema/object.js";
import type { SettingsSpec } from "../schema/settings.js";

/** A collection of the Kubernetes API that routing reads. */
export interface Resource {
  readonly kind: Exclude<KubeObject["kind"], "Settings">;
  /** The newest that is read. */
  readonly apiVersion: string;
  /** What a server is asked for that does not have that one, the newest first. */
  readonly olderVersions?: readonly string[];
  readonly plural: string;
  readonly namespaced: boolean;
  /** Part of every cluster; the others are there once their CRD is. */
  readonly builtIn: boolean;
  /** Selects on the server what can matter at all. */
  readonly fieldSelector?: string;
  /** Read only where a Gateway is served. */
  readonly ofGateway?: boolean;
  /** What of the setting `disableFeatures` leaves it out. */
  readonly feature?: SettingsSpec["disableFeatures"][number];
}

const builtIn = (
  kind: Resource["kind"],
  apiVersion: string,
  plural: string,
  rest: Partial<Resource> = {},
): Resource => ({ kind, apiVersion, plural, namespaced: true, builtIn: true, ...rest });

const custom = (
  kind: Resource["kind"],
  apiVersion: string,
  plural: string,
  rest: Partial<Resource> = {},
): Resource => ({ ...builtIn(kind, apiVersion, plural, rest), builtIn: false });

/** Of the Gateway API; the newest version first. */
const gateway = (
  kind: Resource["kind"],
  plural: string,
  [newest, ...older]: readonly [string, ...string[]],
  rest: Partial<Resource> = {},
): Resource => ({
  ...custom(kind, `${gatewayGroup}/${newest}`, plural, rest),
  olderVersions: older.map((version) => `${gatewayGroup}/${version}`),
  ofGateway: true,
});

/** Service account tokens and Helm releases are Secrets that no route may use: they are never asked for. */
const routableSecrets =
  "type!=kubernetes.io/service-account-token,type!=helm.sh/release.v1,type!=kubernetes.io/dockerconfigjson";

/**
 * Everything that may be read, in the order of the first list. Endpoints are not: every cluster mirrors them to slices.
 */
export const resources: readonly Resource[] = [
  builtIn("Namespace", "v1", "namespaces", { namespaced: false }),
  builtIn("Service", "v1", "services"),
  builtIn("EndpointSlice", "discovery.k8s.io/v1", "endpointslices"),
  builtIn("Secret", "v1", "secrets", { fieldSelector: routableSecrets }),
  builtIn("IngressClass", "networking.k8s.io/v1", "ingressclasses", { namespaced: false }),
  builtIn("Ingress", "networking.k8s.io/v1", "ingresses"),
  custom("TLSCertificateDelegation", "projectcontour.io/v1", "tlscertificatedelegations"),
  custom("ExtensionService", "projectcontour.io/v1alpha1", "extensionservices", {
    feature: "extensionservices",
  }),
  custom("IngressRoute", "contour.heptio.com/v1beta1", "ingressroutes"),
  custom("HTTPProxy", "projectcontour.io/v1", "httpproxies"),
  gateway("GatewayClass", "gatewayclasses", ["v1", "v1beta1"], { namespaced: false }),
  gateway("Gateway", "gateways", ["v1", "v1beta1"]),
  gateway("HTTPRoute", "httproutes", ["v1", "v1beta1"]),
  gateway("GRPCRoute", "grpcroutes", ["v1", "v1alpha2"], { feature: "grpcroutes" }),
  gateway("TLSRoute", "tlsroutes", ["v1", "v1alpha3", "v1alpha2"], { feature: "tlsroutes" }),
  gateway("TCPRoute", "tcproutes", ["v1", "v1alpha2"], { feature: "tcproutes" }),
  gateway("ReferenceGrant", "referencegrants", ["v1", "v1beta1", "v1alpha2"]),
  gateway("BackendTLSPolicy", "backendtlspolicies", ["v1", "v1alpha3"], { feature: "backendtlspolicies" }),
  // For the CA certificates of BackendTLSPolicies.
  builtIn("ConfigMap", "v1", "configmaps", { ofGateway: true, feature: "backendtlspolicies" }),
];

/** What is read with or without a Gateway. */
export const resourcesWith = (
  ofGateway: boolean,
  disabled: SettingsSpec["disableFeatures"] = [],
): readonly Resource[] =>
  resources.filter(
    (one) => (ofGateway || !one.ofGateway) && !(one.feature && disabled.includes(one.feature)),
  );

/** What is read under some settings. */
export const resourcesOf = ({
  gatewayRef,
  disableFeatures,
}: Pick<SettingsSpec, "gatewayRef" | "disableFeatures">): readonly Resource[] =>
  resourcesWith(gatewayRef !== undefined, disableFeatures);

/** A collection at each version that is read, the newest first. */
export const versionsOf = (resource: Resource): readonly Resource[] => [
  resource,
  ...(resource.olderVersions ?? []).map((apiVersion) => ({ ...resource, apiVersion })),
];

/** The path of a collection over all namespaces, or of one object (and its subresource). */
export function resourcePath(
  { apiVersion, plural, namespaced }: Resource,
  object?: { readonly namespace: string; readonly name: string; readonly subresource?: string },
): string {
  const base = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  if (!object) return `${base}/${plural}`;
  const part = encodeURIComponent;
  const folder = namespaced ? `${base}/namespaces/${part(object.namespace)}/${plural}` : `${base}/${plural}`;
  return `${folder}/${part(object.name)}${object.subresource ? `/${object.subresource}` : ""}`;
}
