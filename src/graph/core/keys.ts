import type { Ref } from "../../schema/meta.js";

/**
 * The keys of units, claims and reads. A key is text, because stores save it and Maps compare it. Its type includes
 * its family, so that neither a key of another family nor plain text compiles in its place. Only this module writes
 * and parses that text: `<family>:<name>`.
 */

declare const ofFamily: unique symbol;

type Key<Family extends string> = string & { readonly [ofFamily]: Family };

/**
 * A unit that exists while an object claims it: a host, an ExtensionService, a route of the Gateway API, plain TCP
 * listeners.
 */
export type ClaimedUnit = Key<"vhost"> | Key<"extension"> | Key<"route"> | Key<"tcp"> | Key<"gateway">;

/** A unit that exists while another unit needs it: the endpoints of a Service port, a Secret. */
export type NeededUnit = Key<"endpoints"> | Key<"secret">;

/** The smallest thing that is compiled again. */
export type UnitKey = ClaimedUnit | NeededUnit | Key<"listeners">;

/** A list of objects that is not a unit. */
type IndexKey =
  | Key<"slices">
  | Key<"delegations">
  | Key<"tls-host">
  | Key<"routes">
  | Key<"grants">
  | Key<"gateways">
  | Key<"address">
  | Key<"default-gateways">
  | Key<"listener-sets">
  | Key<"backend-tls">
  | Key<"cost">;

/** A key that an object claims: a unit, or an entry in a list that units read. */
export type ClaimKey = ClaimedUnit | IndexKey;

type ListRead = Key<"claims">;
type NeedRead = Key<"need">;

/** What a unit has read: an object (found or missing), the claimants of a key, or its need for another unit. */
export type ReadKey = Ref | ListRead | NeedRead;

/**
 * Joined, not concatenated: tens of thousands of keys stay in memory, and a rope takes three times the memory of its
 * text.
 */
const keyOf = <Family extends string>(family: Family, name: string): Key<Family> =>
  [family, ":", name].join("") as Key<Family>;

const familyOf = <Family extends string>(key: Key<Family>): Family =>
  key.slice(0, key.indexOf(":")) as Family;

const nameOf = (key: Key<string>): string => key.slice(key.indexOf(":") + 1);

/** A host in the form that is compiled: lower case, `*` for any, `*.example.com`. */
export const hostUnit = (host: string): Key<"vhost"> => keyOf("vhost", host);
/** The cluster of an ExtensionService. */
export const extensionUnit = (namespace: string, name: string): Key<"extension"> =>
  keyOf("extension", `${namespace}/${name}`);
/** The findings of a route of the Gateway API without hostnames. */
export const routeUnit = (ref: Ref): Key<"route"> => keyOf("route", ref);
/** The plain TCP listeners of a Gateway. */
export const tcpUnit = keyOf("tcp", "");
/** The Envoy listeners of a Gateway of a GatewayClass that is served. */
export const gatewayUnit = (namespace: string, name: string): Key<"gateway"> =>
  keyOf("gateway", `${namespace}/${name}`);
/** The Envoy listeners of the settings, or of the Gateway that the settings name. */
export const listenersUnit = keyOf("listeners", "");
/** `name` is an `endpointsName`. */
export const endpointsUnit = (name: string): Key<"endpoints"> => keyOf("endpoints", name);
/** `secret` is `<namespace>/<name>`. */
export const secretUnit = (secret: string): Key<"secret"> => keyOf("secret", secret);

/** EndpointSlices and Endpoints of a Service. */
export const slicesKey = (namespace: string, service: string): Key<"slices"> =>
  keyOf("slices", `${namespace}/${service}`);
/** TLSCertificateDelegations of a Secret. */
export const delegationsKey = (namespace: string, secret: string): Key<"delegations"> =>
  keyOf("delegations", `${namespace}/${secret}`);
/** Ingresses that have a certificate for a host. */
export const tlsHostKey = (host: string): Key<"tls-host"> => keyOf("tls-host", host.toLowerCase());
/** Routes of the Gateway API with a hostname; `*` for those without any. */
export const routesKey = (hostname: string): Key<"routes"> => keyOf("routes", hostname);
/** ReferenceGrants of a namespace. */
export const grantsKey = (namespace: string): Key<"grants"> => keyOf("grants", namespace);
/** All Gateways. */
export const gatewaysKey = keyOf("gateways", "");
/** Gateways that ask for an IP address, which is in its usual form. */
export const addressKey = (address: string): Key<"address"> => keyOf("address", address);
/** The Gateways with `defaultScope: All`. */
export const defaultGatewaysKey = keyOf("default-gateways", "");
/** ListenerSets of a Gateway. */
export const listenerSetsKey = (namespace: string, name: string): Key<"listener-sets"> =>
  keyOf("listener-sets", `${namespace}/${name}`);
/** BackendTLSPolicies of a Service. */
export const backendTlsKey = (namespace: string, service: string): Key<"backend-tls"> =>
  keyOf("backend-tls", `${namespace}/${service}`);
/** Objects that may generate more than is written in them. */
export const costKey = keyOf("cost", "");

export const listRead = (key: ClaimKey): ListRead => keyOf("claims", key);
export const needRead = (unit: NeededUnit): NeedRead => keyOf("need", unit);

/** The port of a Service whose endpoints are meant: its name, or its number if it has no name. */
export interface EndpointsName {
  readonly namespace: string;
  readonly service: string;
  readonly port: string;
  /** The port of health checks, if it is a different one. */
  readonly healthPort?: string | undefined;
}

/** `<namespace>/<service>/<port>[/<health port>]`: the name of an `endpoints` resource. */
export const endpointsName = ({ namespace, service, port, healthPort }: EndpointsName): string =>
  (healthPort === undefined ? [namespace, service, port] : [namespace, service, port, healthPort]).join("/");

function readEndpointsName(name: string): EndpointsName {
  const [namespace = "", service = "", port = "", healthPort] = name.split("/");
  return { namespace, service, port, healthPort };
}

export type Unit =
  | { readonly kind: "vhost"; readonly host: string }
  | { readonly kind: "extension"; readonly namespace: string; readonly name: string }
  | { readonly kind: "gateway"; readonly namespace: string; readonly name: string }
  | { readonly kind: "route"; readonly ref: Ref }
  | { readonly kind: "endpoints"; readonly of: EndpointsName }
  /** `secret` is `<namespace>/<name>`. */
  | { readonly kind: "secret"; readonly secret: string }
  | { readonly kind: "tcp" | "listeners" };

/** @throws Error for a key that another version of Isoline has stored and this version does not have. */
export function readUnit(key: UnitKey): Unit {
  const kind = familyOf<Unit["kind"]>(key);
  const name = nameOf(key);
  switch (kind) {
    case "vhost":
      return { kind, host: name };
    case "extension":
    case "gateway": {
      const slash = name.indexOf("/");
      return { kind, namespace: name.slice(0, slash), name: name.slice(slash + 1) };
    }
    case "route":
      return { kind, ref: name as Ref };
    case "endpoints":
      return { kind, of: readEndpointsName(name) };
    case "secret":
      return { kind, secret: name };
    case "tcp":
    case "listeners":
      return { kind };
    default:
      throw new Error(`${String(kind)} is not a unit`);
  }
}

/** Whether a key belongs to a unit that exists while an object claims it. */
export const isClaimedUnit = (key: UnitKey | ClaimKey): key is ClaimedUnit =>
  isHostUnit(key) ||
  key.startsWith("extension:") ||
  key.startsWith("route:") ||
  key.startsWith("gateway:") ||
  key === tcpUnit;

/** Whether a unit is that of the listeners of a Gateway. */
export const isGatewayUnit = (key: UnitKey): boolean => key === listenersUnit || key.startsWith("gateway:");

export const isNeededUnit = (key: UnitKey): key is NeededUnit =>
  key.startsWith("endpoints:") || key.startsWith("secret:");

export const isHostUnit = (key: UnitKey | ClaimKey): key is Key<"vhost"> => key.startsWith("vhost:");

/** The route that a unit validates. */
export const routeOf = (key: UnitKey): Ref | undefined =>
  key.startsWith("route:") ? (nameOf(key) as Ref) : undefined;

/** Whether a unit serves requests or connections: a host, or plain TCP listeners. */
export const isServingUnit = (key: UnitKey | ClaimKey): key is Key<"vhost"> | Key<"tcp"> =>
  isHostUnit(key) || key === tcpUnit;

const claimsPrefix = listRead("" as ClaimKey);
const needPrefix = needRead("" as NeededUnit);

/** The unit that a read needs. */
export const neededUnit = (read: ReadKey): NeededUnit | undefined =>
  read.startsWith(needPrefix) ? (read.slice(needPrefix.length) as NeededUnit) : undefined;

/** The key whose claimants were read. */
const listedKey = (read: ReadKey): ClaimKey | undefined =>
  read.startsWith(claimsPrefix) ? (read.slice(claimsPrefix.length) as ClaimKey) : undefined;

/** Whether an object was read. */
export const isObjectRead = (read: ReadKey): read is Ref =>
  !read.startsWith(claimsPrefix) && !read.startsWith(needPrefix);

const permitting: ReadonlySet<string> = new Set(["slices", "delegations", "grants"]);

/** The key of a list that is empty only if something is missing: endpoints of a Service, and permissions. */
export function neededList(read: ReadKey): ClaimKey | undefined {
  const key = listedKey(read);
  return key !== undefined && permitting.has(familyOf<string>(key)) ? key : undefined;
}
