import { gatewayGroup } from "../../schema/gateway.js";
import type { ParentRef } from "../../schema/gateway-routes.js";
import type { ObjectByKind, Reader } from "../reader.js";
import { allowsNamespace, type GatewayListener, type GatewayView, type RouteKind } from "./gateway.js";
import { hostsOf } from "./hostnames.js";

export type RouteObject = ObjectByKind<RouteKind>;

/** One reference of a route to the Gateway. */
export interface Parent {
  /** In `spec.parentRefs`. */
  readonly index: number;
  readonly ref: ParentRef;
  /** The listeners that serve the route, each with the hosts that it has there. */
  readonly attached: readonly Attached[];
  /** Listeners that count the route among theirs (`attachedRoutes`), ready or not. */
  readonly counted: readonly GatewayListener[];
  /** Why it is attached to none: a reason of the condition `Accepted`. */
  readonly problem?: { readonly reason: string; readonly message: string };
}

export interface Attached {
  readonly listener: GatewayListener;
  readonly hosts: readonly string[];
}

export const hostnamesOf = (route: RouteObject): readonly string[] =>
  route.kind === "TCPRoute" ? [] : route.spec.hostnames;

const isOf = (ref: ParentRef, route: RouteObject, { gateway: { meta } }: GatewayView): boolean =>
  ref.group === gatewayGroup &&
  ref.kind === "Gateway" &&
  ref.name === meta.name &&
  (ref.namespace || route.meta.namespace) === meta.namespace;

/** The references of a route to the Gateway, and what comes of each; those to others are none of ours. */
export function parentsOf(route: RouteObject, view: GatewayView, reader: Reader): Parent[] {
  return [...route.spec.parentRefs.entries()]
    .filter(([, ref]) => isOf(ref, route, view))
    .map(([index, ref]) => ({ index, ref, ...attach(route, ref, view, reader) }));
}

function attach(
  route: RouteObject,
  ref: ParentRef,
  view: GatewayView,
  reader: Reader,
): Pick<Parent, "attached" | "counted" | "problem"> {
  const selected = view.listeners.filter(
    ({ spec }) =>
      (ref.sectionName === undefined || ref.sectionName === spec.name) &&
      (ref.port === undefined || ref.port === spec.port),
  );
  const counted = selected.filter(
    (listener) =>
      listener.kinds.includes(route.kind) &&
      allowsNamespace(listener, view.gateway, route.meta.namespace, reader),
  );
  const fail = (reason: string, message: string) => ({ attached: [], counted, problem: { reason, message } });
  if (!selected.some(({ ready }) => ready))
    return fail("NoMatchingParent", "No listeners match this parent ref");
  const allowed = counted.filter(({ ready }) => ready);
  if (allowed.length === 0)
    return fail("NotAllowedByListeners", "No listeners included by this parent ref allowed this attachment.");
  const attached = allowed
    .map((listener) => ({ listener, hosts: hostsOn(route, listener, allowed, view) }))
    .filter(({ hosts }) => hosts.length > 0);
  if (attached.length > 0) return { attached, counted };
  return fail(
    "NoMatchingListenerHostname",
    "No intersecting hostnames were found between the listener and the route.",
  );
}

/** As in Contour, listeners that one reference means are no rivals of each other. */
function hostsOn(
  route: RouteObject,
  { hostname, spec: { port } }: GatewayListener,
  allowed: readonly GatewayListener[],
  { listeners }: GatewayView,
): readonly string[] {
  const rivals = listeners
    .filter((other) => other.spec.port === port && other.hostname !== "" && !allowed.includes(other))
    .map((other) => other.hostname);
  return hostsOf(hostnamesOf(route), { listener: hostname, rivals });
}
