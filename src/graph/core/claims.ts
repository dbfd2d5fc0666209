import { nginxPrefix } from "../../schema/ingress-nginx.js";
import { isShadowed } from "../../schema/meta.js";
import { isSubdomain } from "../../schema/names.js";
import type { GatewayRoute, KubeObject } from "../../schema/object.js";
import { isCostly } from "../cost/node.js";
import {
  addressKey,
  backendTlsKey,
  type ClaimedUnit,
  type ClaimKey,
  costKey,
  defaultGatewaysKey,
  delegationsKey,
  extensionUnit,
  gatewaysKey,
  gatewayUnit,
  grantsKey,
  hostUnit,
  listenerSetsKey,
  routesKey,
  routeUnit,
  slicesKey,
  tcpUnit,
  tlsHostKey,
} from "./keys.js";

/** The host of Ingress rules without a host, and of default backends. */
export const anyHost = "*";

/** The keys that an object claims: the units that it defines, and the lists in which units find it. */
export function claimsOf(object: KubeObject): ClaimKey[] {
  if (isShadowed(object)) return [];
  const claims = hostsAndIndexes(object);
  if (isCostly(object)) claims.push(costKey);
  return claims;
}

/** Further hosts of an Ingress of ingress-nginx: aliases, and `www.` with or without. */
function nginxHosts(hosts: readonly string[], annotations: Readonly<Record<string, string>>): string[] {
  const { [`${nginxPrefix}server-alias`]: aliases, [`${nginxPrefix}from-to-www-redirect`]: www } =
    annotations;
  const named = (aliases ?? "").split(",", maxAliases).map((one) => one.trim().toLowerCase());
  return [...named, ...(www ? hosts.filter((host) => !host.startsWith("*")).map(wwwTwin) : [])].filter(
    isSubdomain,
  );
}

/** Each alias is a copy of all routes of its host. */
export const maxAliases = 16;

/** `www.example.com` of `example.com`, and the other way round. */
export const wwwTwin = (host: string): string => (host.startsWith("www.") ? host.slice(4) : `www.${host}`);

/**
 * The host whose unit validates a route of the Gateway API: the first one by name, because its unit reads the route in
 * any case. Undefined for a route without hostnames, which has a unit of its own.
 */
export function validatingHost(route: GatewayRoute): string | undefined {
  if (route.kind === "TCPRoute" || route.kind === "UDPRoute") return undefined;
  let [first] = route.spec.hostnames;
  for (const hostname of route.spec.hostnames) if (first === undefined || hostname < first) first = hostname;
  return first;
}

/** The unit that validates a route of the Gateway API. */
export function validatorOf(route: GatewayRoute): ClaimedUnit {
  const host = validatingHost(route);
  return host === undefined ? routeUnit(route.ref) : hostUnit(host);
}

const listenerHosts = ({ spec }: Extract<KubeObject, { kind: "Gateway" | "ListenerSet" }>): ClaimKey[] => [
  ...new Set(spec.listeners.map(({ hostname }) => hostUnit(hostname.toLowerCase() || anyHost))),
];

function hostsAndIndexes(object: KubeObject): ClaimKey[] {
  switch (object.kind) {
    case "HTTPProxy":
    case "IngressRoute": {
      const fqdn = object.spec.virtualhost?.fqdn;
      return fqdn ? [hostUnit(fqdn.toLowerCase())] : [];
    }
    case "Ingress": {
      const hosts = (object.spec.rules ?? []).map((rule) => (rule.host || anyHost).toLowerCase());
      if (object.spec.defaultBackend) hosts.push(anyHost);
      hosts.push(...nginxHosts(hosts, object.meta.annotations));
      const secure = (object.spec.tls ?? []).flatMap((entry) => entry.hosts ?? []);
      return [...[...new Set(hosts)].map(hostUnit), ...new Set(secure.map(tlsHostKey))];
    }
    case "EndpointSlice":
      return object.spec.service ? [slicesKey(object.meta.namespace, object.spec.service)] : [];
    case "Endpoints":
      return [slicesKey(object.meta.namespace, object.meta.name)];
    case "TLSCertificateDelegation":
      return [
        ...new Set(
          object.spec.delegations.map(({ secretName }) => delegationsKey(object.meta.namespace, secretName)),
        ),
      ];
    case "Gateway": {
      const { namespace, name } = object.meta;
      const addresses = object.spec.addresses.map(({ value }) => addressKey(value));
      const isDefault = object.spec.defaultScope === "All";
      const own = [gatewaysKey, gatewayUnit(namespace, name), ...(isDefault ? [defaultGatewaysKey] : [])];
      return [...new Set([...listenerHosts(object), ...own, ...addresses])];
    }
    case "ListenerSet": {
      const { namespace, name } = object.spec.parentRef;
      return [...listenerHosts(object), listenerSetsKey(namespace || object.meta.namespace, name)];
    }
    case "HTTPRoute":
    case "GRPCRoute":
    case "TLSRoute": {
      const { hostnames } = object.spec;
      if (hostnames.length === 0) return [routesKey(anyHost), validatorOf(object)];
      return [...new Set(hostnames.flatMap((host): ClaimKey[] => [hostUnit(host), routesKey(host)]))];
    }
    case "TCPRoute":
    case "UDPRoute":
      return [tcpUnit, validatorOf(object)];
    case "ReferenceGrant":
      return [grantsKey(object.meta.namespace)];
    case "BackendTLSPolicy":
      return [
        ...new Set(object.spec.targetRefs.map(({ name }) => backendTlsKey(object.meta.namespace, name))),
      ];
    case "Settings":
      // Makes a unit for the host, which closes listeners where a wider host would serve it.
      return object.spec.hostOwners.map(({ host }) => hostUnit(host));
    case "ExtensionService":
      return [extensionUnit(object.meta.namespace, object.meta.name)];
    default:
      return [];
  }
}
