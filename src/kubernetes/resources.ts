import { isLeftOut } from "../graph/core/reader.js";
import { servesGateways } from "../schema/gateway-settings.js";
import { type KubeObject, versionsRead } from "../schema/object.js";
import type { SettingsSpec } from "../schema/settings.js";

/** A collection of the Kubernetes API, at one version. */
export interface ApiCollection {
  readonly kind: string;
  /** The newest version that is read. */
  readonly apiVersion: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** Limits the objects that the server sends to the ones that can matter. */
  readonly fieldSelector?: string;
}

/** A collection that routing reads. */
export interface ApiResource extends ApiCollection {
  readonly kind: Exclude<KubeObject["kind"], "Settings">;
  /** Older versions for servers without the newest one, in descending order. */
  readonly olderVersions?: readonly string[];
  /** Part of every Kubernetes cluster; the others exist only with their CRD. */
  readonly builtIn: boolean;
  /** Read only with a Gateway in the settings. */
  readonly ofGateway?: boolean;
}

const builtIn = (
  kind: ApiResource["kind"],
  apiVersion: string,
  plural: string,
  rest: Partial<ApiResource> = {},
): ApiResource => ({ kind, apiVersion, plural, namespaced: true, builtIn: true, ...rest });

const custom = (kind: ApiResource["kind"], apiVersion: string, plural: string): ApiResource => ({
  ...builtIn(kind, apiVersion, plural),
  builtIn: false,
});

/** A resource of the Gateway API, with every version that is read. */
function gateway(kind: ApiResource["kind"], plural: string, rest: Partial<ApiResource> = {}): ApiResource {
  const [newest = "", ...olderVersions] = versionsRead(kind);
  return { ...custom(kind, newest, plural), olderVersions, ofGateway: true, ...rest };
}

/** Service account tokens and Helm releases are Secrets that no route may use; they are never requested. */
const routableSecrets =
  "type!=kubernetes.io/service-account-token,type!=helm.sh/release.v1,type!=kubernetes.io/dockerconfigjson";

/**
 * All resources, in the order of the first lists. Endpoints are omitted: every cluster mirrors them to EndpointSlices.
 */
export const resources: readonly ApiResource[] = [
  builtIn("Namespace", "v1", "namespaces", { namespaced: false }),
  builtIn("Service", "v1", "services"),
  builtIn("EndpointSlice", "discovery.k8s.io/v1", "endpointslices"),
  builtIn("Secret", "v1", "secrets", { fieldSelector: routableSecrets }),
  builtIn("IngressClass", "networking.k8s.io/v1", "ingressclasses", { namespaced: false }),
  builtIn("Ingress", "networking.k8s.io/v1", "ingresses"),
  custom("TLSCertificateDelegation", "projectcontour.io/v1", "tlscertificatedelegations"),
  custom("ExtensionService", "projectcontour.io/v1alpha1", "extensionservices"),
  custom("IngressRoute", "contour.heptio.com/v1beta1", "ingressroutes"),
  custom("HTTPProxy", "projectcontour.io/v1", "httpproxies"),
  gateway("GatewayClass", "gatewayclasses", { namespaced: false }),
  gateway("Gateway", "gateways"),
  gateway("HTTPRoute", "httproutes"),
  gateway("GRPCRoute", "grpcroutes"),
  gateway("TLSRoute", "tlsroutes"),
  gateway("TCPRoute", "tcproutes"),
  gateway("UDPRoute", "udproutes"),
  gateway("ListenerSet", "listenersets"),
  gateway("ReferenceGrant", "referencegrants"),
  gateway("BackendTLSPolicy", "backendtlspolicies"),
  // Has the CA certificates of BackendTLSPolicies.
  builtIn("ConfigMap", "v1", "configmaps", { ofGateway: true }),
];

/** The resources to read, with or without those of a Gateway. */
export const resourcesWith = (
  ofGateway: boolean,
  disableFeatures: SettingsSpec["disableFeatures"] = [],
): readonly ApiResource[] =>
  resources.filter((one) => (ofGateway || !one.ofGateway) && !isLeftOut(one.kind, { disableFeatures }));

/** The resources to read under some settings. */
export const resourcesOf = (
  settings: Pick<SettingsSpec, "gatewayRef" | "gateway" | "disableFeatures" | "ingressNginx">,
): readonly ApiResource[] => {
  const found = resourcesWith(servesGateways(settings), settings.disableFeatures);
  const options = configMapsNamed(configMapsOf(settings.ingressNginx));
  return options && !found.some(({ kind }) => kind === "ConfigMap") ? [...found, options] : found;
};

/** The ConfigMaps that a setting names. */
const configMapsOf = (setting: SettingsSpec["ingressNginx"]): readonly string[] =>
  [setting?.configMap, setting?.tcpServicesConfigMap, setting?.udpServicesConfigMap].filter(
    (name) => name !== undefined,
  );

/** The names of ConfigMaps, given as `namespace/name`, each once. */
export const configMapNames = (configMaps: readonly string[]): readonly string[] => [
  ...new Set(configMaps.map((one) => one.slice(one.indexOf("/") + 1))),
];

/** The ConfigMaps of one name in all namespaces. A list can't be limited to several names: then it is of all. */
function configMapsNamed(configMaps: readonly string[]): ApiResource | undefined {
  const [name, ...others] = configMapNames(configMaps);
  if (name === undefined) return undefined;
  return builtIn(
    "ConfigMap",
    "v1",
    "configmaps",
    others.length > 0 ? {} : { fieldSelector: `metadata.name=${name}` },
  );
}

/** A collection at each version that is read, newest first. */
export const versionsOf = (resource: ApiResource): readonly ApiResource[] => [
  resource,
  ...(resource.olderVersions ?? []).map((apiVersion) => ({ ...resource, apiVersion })),
];

/** The path of a collection over all namespaces, or of one object (and its subresource). */
export function resourcePath(
  { apiVersion, plural, namespaced }: ApiCollection,
  object?: { readonly namespace: string; readonly name: string; readonly subresource?: string },
): string {
  const base = apiVersion.includes("/") ? `/apis/${apiVersion}` : `/api/${apiVersion}`;
  if (!object) return `${base}/${plural}`;
  const part = encodeURIComponent;
  const folder = namespaced ? `${base}/namespaces/${part(object.namespace)}/${plural}` : `${base}/${plural}`;
  return `${folder}/${part(object.name)}${object.subresource ? `/${object.subresource}` : ""}`;
}
