import { gatewayGroup } from "../../schema/gateway.js";
import type { ParentRef } from "../../schema/gateway-routes.js";
import type { ObjectByKind, Reader } from "../reader.js";
import { allowsNamespace, type GatewayListener, type GatewayView, type RouteKind } from "./gateway.js";
import { hostsOf } from "./hostnames.js";
import { maxRouteBytes, routeBytes } from "./size.js";

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
  const known = new Map<string, Attachment>();
  const parents: Parent[] = [];
  for (const [index, ref] of route.spec.parentRefs.entries()) {
    if (!isOf(ref, route, view)) continue;
    const key = JSON.stringify([ref.sectionName, ref.port]);
    const attachment = known.get(key) ?? attach(route, ref, view, reader);
    known.set(key, attachment);
    parents.push({ index, ref, ...attachment });
  }
  return withinSize(route, parents);
}

type Attachment = Pick<Parent, "attached" | "counted" | "problem">;

/** A route that is too large for all its places has none of them. */
function withinSize(route: RouteObject, parents: Parent[]): Parent[] {
  const places = new Set<string>();
  for (const { attached } of parents)
    for (const { listener, hosts } of attached)
      for (const host of hosts) places.add(`${listener.envoy} ${host}`);
  const bytes = routeBytes(route) * places.size;
  if (bytes <= maxRouteBytes) return parents;
  const message = `with a copy of its filters and backends for each match, host and port, the route takes about ${bytes} bytes of route tables, of at most ${maxRouteBytes}`;
  const problem = { reason: "UnsupportedValue", message };
  return parents.map((parent) => ({ ...parent, attached: [], problem: parent.problem ?? problem }));
}

function attach(route: RouteObject, ref: ParentRef, view: GatewayView, reader: Reader): Attachment {
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
  const rivals = rivalsOf(allowed, view);
  const attached = allowed
    .map((listener) => ({
      listener,
      hosts: hostsOf(hostnamesOf(route), {
        listener: listener.hostname,
        rivals: rivals.get(listener.spec.port) ?? [],
      }),
    }))
    .filter(({ hosts }) => hosts.length > 0);
  if (attached.length > 0) return { attached, counted };
  return fail(
    "NoMatchingListenerHostname",
    "No intersecting hostnames were found between the listener and the route.",
  );
}

/** Hostnames of other listeners by their port. As in Contour, those that one reference means are no rivals of each other. */
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
