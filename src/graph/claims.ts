import { isSubstitute } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import type { ClaimKey } from "../store/store.js";

/** The host of Ingress rules without a host, and of default backends. */
export const anyHost = "*";

/** The key under which the Ingresses are found that have a certificate for a host. */
export const tlsHostKey = (host: string): ClaimKey => `tls-host:${host.toLowerCase()}`;

/**
 * What an object speaks for: the units that it defines (`vhost:<host>`, `extension:<namespace>/<name>`) and the index keys under which
 * units find it (`slices:<namespace>/<service>`, `delegations:<namespace>/<secret>`, `tls-host:<host>`).
 */
export function claimsOf(object: KubeObject): ClaimKey[] {
  if (isSubstitute(object)) return [];
  switch (object.kind) {
    case "HTTPProxy":
    case "IngressRoute": {
      const fqdn = object.spec.virtualhost?.fqdn;
      return fqdn ? [`vhost:${fqdn.toLowerCase()}`] : [];
    }
    case "Ingress": {
      const hosts = (object.spec.rules ?? []).map((rule) => (rule.host || anyHost).toLowerCase());
      if (object.spec.defaultBackend) hosts.push(anyHost);
      const secure = (object.spec.tls ?? []).flatMap((entry) => entry.hosts ?? []);
      return [...[...new Set(hosts)].map((host) => `vhost:${host}`), ...new Set(secure.map(tlsHostKey))];
    }
    case "EndpointSlice":
      return object.spec.service ? [`slices:${object.meta.namespace}/${object.spec.service}`] : [];
    case "Endpoints":
      return [`slices:${object.meta.namespace}/${object.meta.name}`];
    case "TLSCertificateDelegation":
      return [
        ...new Set(
          object.spec.delegations.map((d) => `delegations:${object.meta.namespace}/${d.secretName}`),
        ),
      ];
    case "ExtensionService":
      return [`extension:${object.meta.namespace}/${object.meta.name}`];
    default:
      return [];
  }
}
