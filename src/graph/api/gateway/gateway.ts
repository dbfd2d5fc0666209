import type { NamespaceRule } from "../../../schema/gateway.js";
import { gatewayUnit, listenerSetsKey } from "../../core/keys.js";
import { byAge } from "../../core/order.js";
import { type ObjectByKind, objectsOf, type Reader } from "../../core/reader.js";
import { type Addresses, gatewayAddresses } from "./addresses.js";
import { type BackendCertificate, readBackendCertificate } from "./backend-certificate.js";
import type { Gateway, GatewayListener, ListenerSet } from "./gateway-listener.js";
import { type Entry, envoyNames, readListener } from "./listeners.js";
import { matchesSelector } from "./selector.js";

/** A ListenerSet of a Gateway, and whether the Gateway lets it in. */
export interface AttachedSet {
  readonly set: ListenerSet;
  readonly allowed: boolean;
}

/** A Gateway that is served. */
export interface GatewayView {
  readonly gateway: Gateway;
  readonly gatewayClass: ObjectByKind<"GatewayClass">;
  /** The setting `gatewayRef` names it: it is served beside HTTPProxies and Ingresses, as with Contour. */
  readonly isMain: boolean;
  /** Those of the Gateway itself first, then those of its ListenerSets, the oldest first. */
  readonly listeners: readonly GatewayListener[];
  readonly sets: readonly AttachedSet[];
  /** The certificate that Envoy shows to backends; undefined where the Gateway has none. */
  readonly backendCertificate?: BackendCertificate;
}

interface Served {
  readonly gateway: Gateway;
  readonly gatewayClass: ObjectByKind<"GatewayClass">;
  readonly isMain: boolean;
}

/** The Gateway of the settings with its class; undefined unless both are there. */
export function servedGateway(reader: Reader): Served | undefined {
  const { gatewayRef } = reader.settings;
  return gatewayRef && servedAs(gatewayRef.namespace, gatewayRef.name, reader);
}

/** A Gateway with its class, where it is served: the one of the settings, and those of classes of our controller. */
export function servedAs(namespace: string, name: string, reader: Reader): Served | undefined {
  const {
    gatewayRef,
    gateway: { controllerName },
  } = reader.settings;
  const isMain = gatewayRef?.namespace === namespace && gatewayRef.name === name;
  if (!isMain && controllerName === undefined) return undefined;
  const gateway = reader.get("Gateway", namespace, name);
  const gatewayClass = gateway && reader.get("GatewayClass", "", gateway.spec.gatewayClassName);
  if (!gatewayClass || !(isMain || gatewayClass.spec.controllerName === controllerName)) return undefined;
  return { gateway, gatewayClass, isMain };
}

/** The Gateway of the settings, with its listeners; undefined when there is none. */
export function readGateway(reader: Reader): GatewayView | undefined {
  const { gatewayRef } = reader.settings;
  return gatewayRef && viewOf(gatewayRef.namespace, gatewayRef.name, reader);
}

/** A Gateway that is served, with its listeners; undefined when it is not served. Read once for a unit. */
export const viewOf = (namespace: string, name: string, reader: Reader): GatewayView | undefined =>
  reader.unitCache.once(readView, gatewayUnit(namespace, name), namespace, name, reader);

function readView(namespace: string, name: string, reader: Reader): GatewayView | undefined {
  const served = servedAs(namespace, name, reader);
  if (!served) return undefined;
  const { gateway } = served;
  const sets = objectsOf("ListenerSet", reader.claimants(listenerSetsKey(namespace, name)), reader)
    .sort(byAge)
    .map((set) => ({
      set,
      allowed: allows(gateway.spec.allowedListeners.namespaces, namespace, set.meta.namespace, reader),
    }));
  const owners = [gateway, ...sets.flatMap(({ set, allowed }) => (allowed ? set : []))];
  const entries = owners.flatMap((owner) =>
    owner.spec.listeners.map((spec, index): Entry => ({ owner, index, spec })),
  );
  const names = envoyNames(served, entries, reader.settings);
  const backendCertificate = readBackendCertificate(gateway, reader);
  return {
    ...served,
    sets,
    listeners: entries.map((entry, i) => readListener(entry, names[i], served, reader)),
    ...(backendCertificate ? { backendCertificate } : {}),
  };
}

/**
 * The addresses of a Gateway of a class; undefined for the Gateway of the settings. They are no part of the view: whoever asks for them reads which other
 * Gateways there are, and hosts have nothing to do with them.
 */
export const addressesOf = ({ gateway, isMain }: GatewayView, reader: Reader): Addresses | undefined =>
  isMain ? undefined : reader.unitCache.once(gatewayAddresses, gateway.ref, gateway, reader);

/** Whether a rule of an object in one namespace lets in what is in another. */
export function allows(
  { from, selector }: NamespaceRule,
  own: string,
  namespace: string,
  reader: Reader,
): boolean {
  if (from === "All") return true;
  if (from === "Same") return namespace === own;
  if (from === "None" || !selector) return false;
  // As the API server has it on every namespace, whatever a manifest says.
  const name = { "kubernetes.io/metadata.name": namespace };
  return matchesSelector({ ...reader.get("Namespace", "", namespace)?.spec.labels, ...name }, selector);
}

/** Whether routes of a namespace may be attached to a listener. */
export const allowsNamespace = (
  { spec: { allowedRoutes }, owner }: GatewayListener,
  namespace: string,
  reader: Reader,
): boolean => allows(allowedRoutes.namespaces, owner.meta.namespace, namespace, reader);
