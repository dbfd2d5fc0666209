import { isSubstitute, type Ref } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import type { ClaimKey } from "../../store/store.js";
import { costKey, isCostly } from "../cost/node.js";

/** The host of Ingress rules without a host, and of default backends. */
export const anyHost = "*";

/** The key under which the Ingresses are found that have a certificate for a host. */
export const tlsHostKey = (host: string): ClaimKey => `tls-host:${host.toLowerCase()}`;

const routeUnit = (ref: Ref): ClaimKey => `route:${ref}`;

/**
 * What an object speaks for: the units that it defines (`vhost:<host>`, `extension:<namespace>/<name>`, `route:<ref>`, which judges a
 * route of the Gateway API, and `tcp:`) and the index keys under which units find it (`slices:<namespace>/<service>`,
 * `delegations:<namespace>/<secret>`, `tls-host:<host>`, `routes:<hostname>`, `grants:<namespace>`, `backend-tls:<namespace>/<service>`, `cost:`).
 */
export function claimsOf(object: KubeObject): ClaimKey[] {
  if (isSubstitute(object)) return [];
  const claims = hostsAndIndexes(object);
  if (isCostly(object)) claims.push(costKey);
  return claims;
}

function hostsAndIndexes(object: KubeObject): ClaimKey[] {
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
    case "Gateway":
      return [
        ...new Set(
          object.spec.listeners.map(({ hostname }) => `vhost:${hostname.toLowerCase() || anyHost}` as const),
        ),
      ];
    case "HTTPRoute":
    case "GRPCRoute":
    case "TLSRoute": {
      const { hostnames } = object.spec;
      const hosts = hostnames.flatMap((host): ClaimKey[] => [`vhost:${host}`, `routes:${host}`]);
      return [
        ...new Set([...(hosts.length > 0 ? hosts : [`routes:${anyHost}` as const]), routeUnit(object.ref)]),
      ];
    }
    case "TCPRoute":
      return ["tcp:", routeUnit(object.ref)];
    case "ReferenceGrant":
      return [`grants:${object.meta.namespace}`];
    case "BackendTLSPolicy":
      return [
        ...new Set(
          object.spec.targetRefs.map(({ name }) => `backend-tls:${object.meta.namespace}/${name}` as const),
        ),
      ];
    case "Settings":
      // So that there is a unit to keep a host from wider ones.
      return object.spec.hostOwners.map(({ host }) => `vhost:${host}` as const);
    case "ExtensionService":
      return [`extension:${object.meta.namespace}/${object.meta.name}`];
    default:
      return [];
  }
}
