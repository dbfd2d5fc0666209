import type { ErrorCode } from "../../../schema/finding-codes.js";
import { gatewayGroup } from "../../../schema/gateway.js";
import type { ParentRef } from "../../../schema/gateway-routes.js";
import { refOf } from "../../../schema/meta.js";
import { defaultGatewaysKey } from "../../core/keys.js";
import type { Reader } from "../../core/reader.js";
import { overrunMessage } from "../../cost/overrun.js";
import { allowsNamespace, type GatewayView, viewOf } from "./gateway.js";
import type { GatewayListener, RouteObject } from "./gateway-listener.js";
import { hostsOf, isUnder } from "./hostnames.js";

/** One reference of a route to a Gateway. */
export interface Parent {
  /** `spec.parentRefs[0]`, or `spec.useDefaultGateways[0]` for the first default Gateway. */
  readonly field: string;
  readonly ref: ParentRef;
  readonly view: GatewayView;
  /** The listeners that serve the route, each with the hosts of the route on it. */
  readonly attached: readonly Attached[];
  /**
   * Listeners that include the route in `attachedRoutes`. For the Gateway of the settings, as in Contour, this includes
   * listeners that are not ready.
   */
  readonly counted: readonly GatewayListener[];
  /** Why the route is attached to no listener: a reason of the condition `Accepted`. */
  readonly problem?: { readonly reason: ErrorCode; readonly message: string };
}

export interface Attached {
  readonly listener: GatewayListener;
  readonly hosts: readonly string[];
}

export const hostnamesOf = (route: RouteObject): readonly string[] =>
  route.kind === "TCPRoute" || route.kind === "UDPRoute" ? [] : route.spec.hostnames;

/**
 * The Gateway of a route's reference, and the listeners that the reference can select: those of the Gateway itself, or
 * those of a ListenerSet.
 */
export interface Target {
  readonly view: GatewayView;
  readonly listeners: readonly GatewayListener[];
}

/** Resolves a reference of a route; undefined unless it leads to a Gateway that is served. */
function targetOf(ref: ParentRef, route: RouteObject, reader: Reader): Target | undefined {
  if (ref.group !== gatewayGroup) return undefined;
  const namespace = ref.namespace || route.meta.namespace;
  if (ref.kind === "Gateway") {
    const view = viewOf(namespace, ref.name, reader);
    return view && { view, listeners: view.listeners.filter(({ owner }) => owner.kind === "Gateway") };
  }
  const set = ref.kind === "ListenerSet" ? reader.get("ListenerSet", namespace, ref.name) : undefined;
  if (!set) return undefined;
  const { parentRef } = set.spec;
  const view = viewOf(parentRef.namespace || namespace, parentRef.name, reader);
  return view && { view, listeners: view.listeners.filter(({ owner }) => owner.ref === set.ref) };
}

/** The references of a route to Gateways that are served, each with its field (`Parent.field`). */
export function refsOf(
  route: RouteObject,
  reader: Reader,
): (readonly [field: string, ref: ParentRef, target: Target])[] {
  const { parentRefs, useDefaultGateways } = route.spec;
  const defaults = useDefaultGateways === "All" ? defaultRefs(route, reader) : [];
  const refs = [
    ...parentRefs.map((ref, i) => [`spec.parentRefs[${i}]`, ref] as const),
    ...defaults.map((ref, i) => [`spec.useDefaultGateways[${i}]`, ref] as const),
  ];
  return refs.flatMap(([field, ref]) => {
    const target = targetOf(ref, route, reader);
    return target ? [[field, ref, target] as const] : [];
  });
}

/**
 * References to the default Gateways, as if the route named them (GEP-3793), without those that `parentRefs` names as a
 * whole.
 */
function defaultRefs({ spec, meta }: RouteObject, reader: Reader): ParentRef[] {
  const named = spec.parentRefs.flatMap(({ group, kind, namespace, name, sectionName, port }) =>
    group === gatewayGroup && kind === "Gateway" && sectionName === undefined && port === undefined
      ? refOf("Gateway", namespace || meta.namespace, name)
      : [],
  );
  return [...reader.claimants(defaultGatewaysKey)]
    .filter((ref) => !named.includes(ref))
    .sort()
    .map((ref) => {
      const [kind = "", namespace = "", name = ""] = ref.split("/");
      return { group: gatewayGroup, kind, namespace, name };
    });
}

/**
 * The references of a route to Gateways that are served, each with the result of its attachment. Other references are
 * ignored. With `host`, only this host of the route counts.
 */
export const parentsOf = (route: RouteObject, reader: Reader, host?: string): Parent[] =>
  parentsIn(route, refsOf(route, reader), reader, host);

/** Like `parentsOf`, for references that are already resolved. */
export function parentsIn(
  route: RouteObject,
  refs: ReturnType<typeof refsOf>,
  reader: Reader,
  host?: string,
): Parent[] {
  const all = hostnamesOf(route);
  const hostnames = host === undefined ? all : all.filter((one) => one === host || isUnder(host, one));
  if (hostnames.length === 0 && all.length > 0 && host !== undefined) return [];
  const known = new Map<string, Attachment>();
  const parents: Parent[] = [];
  for (const [field, ref, target] of refs) {
    const key = selectionOf(ref, target);
    const attachment = known.get(key) ?? attach(route, hostnames, ref, target, reader);
    known.set(key, attachment);
    parents.push({ field, ref, view: target.view, ...attachment });
  }
  return withinBudget(route, reader, parents);
}

type Attachment = Pick<Parent, "attached" | "counted" | "problem">;

const selectionOf = ({ kind, sectionName, port, name, namespace }: ParentRef, { view }: Target): string =>
  JSON.stringify([view.gateway.ref, sectionName, port, ...(kind === "Gateway" ? [] : [namespace, name])]);

const isSelected = (ref: ParentRef, { spec }: GatewayListener): boolean =>
  (ref.sectionName === undefined || ref.sectionName === spec.name) &&
  (ref.port === undefined || ref.port === spec.port);

export interface AttachCounts {
  /** Pairs of a host and a port. */
  readonly pairs: number;
  readonly hosts: number;
  readonly ports: number;
}

/** Counts the hosts and ports of a route on Gateways, whether or not the listeners allow the route. */
export function attachCounts(route: RouteObject, reader: Reader): AttachCounts {
  const refs = refsOf(route, reader).map(
    ([, ref, target]) => [selectionOf(ref, target), ref, target] as const,
  );
  const pairs = new Set<string>();
  const hosts = new Set<string>();
  const ports = new Set<string>();
  for (const [, ref, { view, listeners }] of new Map(refs.map((one) => [one[0], one])).values())
    for (const listener of listeners) {
      if (!listener.kinds.includes(route.kind) || !isSelected(ref, listener)) continue;
      const port = view.isMain ? `${listener.spec.port}` : `${view.gateway.ref} ${listener.spec.port}`;
      for (const host of hostsOf(hostnamesOf(route), { listener: listener.hostname, rivals: [] })) {
        pairs.add(`${port} ${host}`);
        hosts.add(host);
        ports.add(port);
      }
    }
  return { pairs: pairs.size, hosts: hosts.size, ports: ports.size };
}

/** A route over the budget of its namespace is attached to no listener. */
function withinBudget(route: RouteObject, reader: Reader, parents: Parent[]): Parent[] {
  const overrun = reader.overrun(route.ref);
  if (!overrun) return parents;
  const problem = {
    reason: "OverBudget",
    message: overrunMessage(route.meta.namespace, overrun),
  } satisfies Attachment["problem"];
  return parents.map((parent) => ({ ...parent, attached: [], problem: parent.problem ?? problem }));
}

function attach(
  route: RouteObject,
  hostnames: readonly string[],
  ref: ParentRef,
  { view, listeners }: Target,
  reader: Reader,
): Attachment {
  const selected = listeners.filter((listener) => isSelected(ref, listener));
  const counted = selected.filter(
    (listener) =>
      listener.kinds.includes(route.kind) && allowsNamespace(listener, route.meta.namespace, reader),
  );
  const fail = (reason: ErrorCode, message: string) => ({
    attached: [],
    counted: view.isMain ? counted : [],
    problem: { reason, message },
  });
  // On a Gateway of a class, a route is also attached to a listener whose certificate is missing, and is served once
  // the certificate exists. In Contour it is not attached.
  const isOpen = ({ ready, envoy }: GatewayListener): boolean => (view.isMain ? ready : envoy !== undefined);
  if (!selected.some(isOpen)) return fail("NoMatchingParent", "No listeners match this parent ref");
  const allowed = counted.filter(isOpen);
  if (allowed.length === 0)
    return fail("NotAllowedByListeners", "No listeners included by this parent ref allowed this attachment.");
  if (!view.isMain) return attachApart(hostnames, allowed, view) ?? fail(...noHostname);
  const rivals = rivalsOf(allowed, view);
  const attached = allowed
    .map((listener) => ({
      listener,
      hosts: hostsOf(hostnames, {
        listener: listener.hostname,
        rivals: rivals.get(listener.spec.port) ?? [],
      }),
    }))
    .filter(({ hosts }) => hosts.length > 0);
  if (attached.length > 0) return { attached, counted };
  return fail(...noHostname);
}

const noHostname = [
  "NoMatchingListenerHostname",
  "No intersecting hostnames were found between the listener and the route.",
] as const;

/**
 * Attaches a route to the listeners of a Gateway of a class. Each host is only on the listener that is closest to it,
 * even if that listener has no route (listener isolation). A route whose hosts all belong to closer listeners is
 * attached, and gets no requests.
 */
function attachApart(
  hostnames: readonly string[],
  allowed: readonly GatewayListener[],
  { listeners }: GatewayView,
): Attachment | undefined {
  const met = allowed.filter(
    ({ hostname }) => hostsOf(hostnames, { listener: hostname, rivals: [] }).length > 0,
  );
  if (met.length === 0) return undefined;
  const attached = met.map((listener) => {
    const rivals = listeners.filter(
      (other) => other !== listener && other.ready && other.envoy === listener.envoy && other.hostname !== "",
    );
    if (!listener.ready) return { listener, hosts: [] };
    return {
      listener,
      hosts: hostsOf(hostnames, {
        listener: listener.hostname,
        rivals: rivals.map(({ hostname }) => hostname),
      }),
    };
  });
  return { attached, counted: met };
}

/**
 * The hostnames of other listeners by port. As in Contour, listeners that one reference selects are no rivals of each
 * other.
 */
function rivalsOf(
  allowed: readonly GatewayListener[],
  { listeners }: GatewayView,
): ReadonlyMap<number, readonly string[]> {
  const own = new Set(allowed);
  const rivals = new Map<number, string[]>();
  for (const listener of listeners) {
    const { envoy, hostname, spec } = listener;
    if (envoy === undefined || hostname === "" || own.has(listener)) continue;
    const others = rivals.get(spec.port) ?? [];
    others.push(hostname);
    rivals.set(spec.port, others);
  }
  return rivals;
}
