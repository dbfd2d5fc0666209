import type { NamespaceRule } from "../../../schema/gateway.js";
import { gatewayUnit, listenerSetsKey } from "../../core/keys.js";
import { byAge } from "../../core/order.js";
import { type ObjectByKind, objectsOf, type Reader } from "../../core/reader.js";
import { type Addresses, addressesOnce } from "./addresses.js";
import { type BackendCertificate, readBackendCertificate } from "./backend-certificate.js";
import type { Gateway, GatewayListener, ListenerSet } from "./gateway-listener.js";
import { type Entry, envoyNames, readListener } from "./listeners.js";
import { isOfFleet, matchesSelector } from "./selector.js";

/** A ListenerSet of a Gateway, and whether the Gateway takes its listeners. */
export interface AttachedSet {
  readonly set: ListenerSet;
  readonly allowed: boolean;
  /** Why not, if it is allowed and too large. */
  readonly excess?: string;
}

/** The maximum number of listeners that ListenerSets of one namespace, and of all namespaces, add to a Gateway. More would be an attack: each listener is compared with all others of its port. */
const maxSetListeners = { namespace: 128, all: 1024 };

/** The first ListenerSets of a list whose listeners do not exceed the limits; the others have a reason. */
function withinLimits(sets: readonly AttachedSet[]): readonly AttachedSet[] {
  const counts = new Map<string, number>();
  let all = 0;
  return sets.map((one) => {
    const { namespace } = one.set.meta;
    const size = one.set.spec.listeners.length;
    const own = (counts.get(namespace) ?? 0) + size;
    if (!one.allowed) return one;
    if (own > maxSetListeners.namespace || all + size > maxSetListeners.all) {
      const excess = `the ListenerSets of the namespace ${namespace} have more than ${maxSetListeners.namespace} listeners of this Gateway, or those of all namespaces more than ${maxSetListeners.all}; the oldest ones count`;
      return { ...one, allowed: false, excess };
    }
    counts.set(namespace, own);
    all += size;
    return one;
  });
}

/** A Gateway that is served. */
export interface GatewayView {
  readonly gateway: Gateway;
  readonly gatewayClass: ObjectByKind<"GatewayClass">;
  /** Whether the setting `gatewayRef` names it. Then it is served beside HTTPProxies and Ingresses, as in Contour. */
  readonly isMain: boolean;
  /** The listeners of the Gateway itself first, then those of its ListenerSets, the oldest set first. */
  readonly listeners: readonly GatewayListener[];
  /** The hostnames of the listeners that serve routes, by Envoy listener. */
  readonly hostnames: ReadonlyMap<string, ReadonlySet<string>>;
  readonly sets: readonly AttachedSet[];
  /** The client certificate for backends; undefined if the Gateway has none. */
  readonly backendCertificate?: BackendCertificate;
}

interface Served {
  readonly gateway: Gateway;
  readonly gatewayClass: ObjectByKind<"GatewayClass">;
  readonly isMain: boolean;
}

/** The Gateway of the settings with its class; undefined unless both exist. */
export function servedGateway(reader: Reader): Served | undefined {
  const { gatewayRef } = reader.settings;
  return gatewayRef && servedAs(gatewayRef.namespace, gatewayRef.name, reader);
}

/**
 * A Gateway with its class, if it is served: the Gateway of the settings, or one whose class names the controller of
 * the settings.
 */
export function servedAs(namespace: string, name: string, reader: Reader): Served | undefined {
  const {
    gatewayRef,
    gateway: { controllerName },
  } = reader.settings;
  const isMain = gatewayRef?.namespace === namespace && gatewayRef.name === name;
  if (!isMain && controllerName === undefined) return undefined;
  const gateway = reader.get("Gateway", namespace, name);
  const gatewayClass = gateway && reader.get("GatewayClass", "", gateway.spec.gatewayClassName);
  if (!gatewayClass) return undefined;
  const isOurs =
    gatewayClass.spec.controllerName === controllerName && isOfFleet(gateway.spec, reader.settings);
  if (!isMain && !isOurs) return undefined;
  return { gateway, gatewayClass, isMain };
}

/** The Gateway of the settings with its listeners; undefined if it is not served. */
export function readGateway(reader: Reader): GatewayView | undefined {
  const { gatewayRef } = reader.settings;
  return gatewayRef && viewOf(gatewayRef.namespace, gatewayRef.name, reader);
}

/** A Gateway with its listeners; undefined if it is not served. Read once for all units. */
export const viewOf = (namespace: string, name: string, reader: Reader): GatewayView | undefined =>
  reader.unitCache.once(sharedView, gatewayUnit(namespace, name), namespace, name, reader);

const sharedView = (namespace: string, name: string, reader: Reader): GatewayView | undefined =>
  reader.shared(readView, gatewayUnit(namespace, name), namespace, name);

/** A Gateway that is served, with its listeners as written: its own first, then those of its ListenerSets, the oldest first. */
export interface WrittenGateway extends Served {
  readonly sets: readonly AttachedSet[];
  readonly entries: readonly Entry[];
}

/** Undefined if the Gateway is not served. */
export function readWritten(namespace: string, name: string, reader: Reader): WrittenGateway | undefined {
  const served = servedAs(namespace, name, reader);
  if (!served) return undefined;
  const { gateway } = served;
  const all = objectsOf("ListenerSet", reader.claimants(listenerSetsKey(namespace, name)), reader)
    .sort(byAge)
    .map((set) => ({
      set,
      allowed: allows(gateway.spec.allowedListeners.namespaces, namespace, set.meta.namespace, reader),
    }));
  const sets = withinLimits(all);
  const owners = [gateway, ...sets.flatMap(({ set, allowed }) => (allowed ? set : []))];
  const entries = owners.flatMap((owner) =>
    owner.spec.listeners.map((spec, index): Entry => ({ owner, index, spec })),
  );
  return { ...served, sets, entries };
}

function readView(reader: Reader, namespace: string, name: string): GatewayView | undefined {
  const written = readWritten(namespace, name, reader);
  if (!written) return undefined;
  const { entries, ...served } = written;
  const names = envoyNames(served, entries, reader.settings);
  const backendCertificate = readBackendCertificate(served.gateway, reader);
  const listeners = entries.map((entry, i) => readListener(entry, names[i], served, reader));
  return {
    ...served,
    listeners,
    hostnames: hostnamesByPort(listeners),
    ...(backendCertificate ? { backendCertificate } : {}),
  };
}

function hostnamesByPort(listeners: readonly GatewayListener[]): Map<string, Set<string>> {
  const found = new Map<string, Set<string>>();
  for (const { ready, envoy, hostname } of listeners) {
    if (!ready || envoy === undefined || hostname === "") continue;
    const names = found.get(envoy);
    if (names) names.add(hostname);
    else found.set(envoy, new Set([hostname]));
  }
  return found;
}

/**
 * The addresses of a Gateway of a class; undefined for the Gateway of the settings. They are not part of the view,
 * because they depend on the list of all Gateways, and hosts do not need them.
 */
export const addressesOf = ({ gateway, isMain }: GatewayView, reader: Reader): Addresses | undefined =>
  isMain ? undefined : addressesOnce(gateway, reader);

/** Whether a rule of an object in the namespace `own` allows objects of another namespace. */
export function allows(
  { from, selector }: NamespaceRule,
  own: string,
  namespace: string,
  reader: Reader,
): boolean {
  if (from === "All") return true;
  if (from === "Same") return namespace === own;
  if (from === "None" || !selector) return false;
  // The API server sets this label on every namespace, whatever a manifest contains.
  const name = { "kubernetes.io/metadata.name": namespace };
  return matchesSelector({ ...reader.get("Namespace", "", namespace)?.spec.labels, ...name }, selector);
}

/** Whether a listener allows routes of a namespace. */
export const allowsNamespace = (
  { spec: { allowedRoutes }, owner }: GatewayListener,
  namespace: string,
  reader: Reader,
): boolean => allows(allowedRoutes.namespaces, owner.meta.namespace, namespace, reader);
