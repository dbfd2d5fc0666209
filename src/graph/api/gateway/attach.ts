import type { ErrorCode } from "../../../schema/finding-codes.js";
import { gatewayGroup } from "../../../schema/gateway.js";
import type { ParentRef } from "../../../schema/gateway-routes.js";
import type { Reader } from "../../core/reader.js";
import { overrunMessage } from "../../cost/overrun.js";
import { allowsNamespace, type GatewayListener, type GatewayView, type RouteObject } from "./gateway.js";
import { hostsOf, isUnder } from "./hostnames.js";

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
  readonly problem?: { readonly reason: ErrorCode; readonly message: string };
}

export interface Attached {
  readonly listener: GatewayListener;
  readonly hosts: readonly string[];
}

export const hostnamesOf = (route: RouteObject): readonly string[] =>
  route.kind === "TCPRoute" ? [] : route.spec.hostnames;

const isOf = (
  ref: ParentRef,
  route: RouteObject,
  { gateway: { meta } }: Pick<GatewayView, "gateway">,
): boolean =>
  ref.group === gatewayGroup &&
  ref.kind === "Gateway" &&
  ref.name === meta.name &&
  (ref.namespace || route.meta.namespace) === meta.namespace;

/** The references of a route to the Gateway, each with its index in `spec.parentRefs`. */
export const refsTo = (
  route: RouteObject,
  view: Pick<GatewayView, "gateway">,
): (readonly [index: number, ref: ParentRef])[] =>
  [...route.spec.parentRefs.entries()].filter(([, ref]) => isOf(ref, route, view));

/**
 * The references of a route to the Gateway, and what comes of each; those to others are none of ours. With `host`, of all hosts
 * of the route only that one.
 */
export function parentsOf(route: RouteObject, view: GatewayView, reader: Reader, host?: string): Parent[] {
  const all = hostnamesOf(route);
  const hostnames = host === undefined ? all : all.filter((one) => one === host || isUnder(host, one));
  if (hostnames.length === 0 && all.length > 0 && host !== undefined) return [];
  const known = new Map<string, Attachment>();
  const parents: Parent[] = [];
  for (const [index, ref] of refsTo(route, view)) {
    const key = selectionOf(ref);
    const attachment = known.get(key) ?? attach(route, hostnames, ref, view, reader);
    known.set(key, attachment);
    parents.push({ index, ref, ...attachment });
  }
  return withinBudget(route, reader, parents);
}

type Attachment = Pick<Parent, "attached" | "counted" | "problem">;

const selectionOf = ({ sectionName, port }: ParentRef): string => JSON.stringify([sectionName, port]);

const isSelected = (ref: ParentRef, { spec }: GatewayListener): boolean =>
  (ref.sectionName === undefined || ref.sectionName === spec.name) &&
  (ref.port === undefined || ref.port === spec.port);

export interface AttachCounts {
  /** Pairs of a host and a port. */
  readonly pairs: number;
  readonly hosts: number;
  readonly ports: number;
}

/** Where a route is on the Gateway, whether or not it is let in there. */
export function attachCounts(route: RouteObject, view: GatewayView): AttachCounts {
  const refs = refsTo(route, view).map(([, ref]) => ref);
  const pairs = new Set<string>();
  const hosts = new Set<string>();
  const ports = new Set<number>();
  for (const ref of new Map(refs.map((one) => [selectionOf(one), one])).values())
    for (const listener of view.listeners) {
      if (!listener.kinds.includes(route.kind) || !isSelected(ref, listener)) continue;
      for (const host of hostsOf(hostnamesOf(route), { listener: listener.hostname, rivals: [] })) {
        pairs.add(`${listener.spec.port} ${host}`);
        hosts.add(host);
        ports.add(listener.spec.port);
      }
    }
  return { pairs: pairs.size, hosts: hosts.size, ports: ports.size };
}

/** A route that is over the budget of its namespace is attached nowhere. */
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
  view: GatewayView,
  reader: Reader,
): Attachment {
  const selected = view.listeners.filter((listener) => isSelected(ref, listener));
  const counted = selected.filter(
    (listener) =>
      listener.kinds.includes(route.kind) &&
      allowsNamespace(listener, view.gateway, route.meta.namespace, reader),
  );
  const fail = (reason: ErrorCode, message: string) => ({
    attached: [],
    counted,
    problem: { reason, message },
  });
  if (!selected.some(({ ready }) => ready))
    return fail("NoMatchingParent", "No listeners match this parent ref");
  const allowed = counted.filter(({ ready }) => ready);
  if (allowed.length === 0)
    return fail("NotAllowedByListeners", "No listeners included by this parent ref allowed this attachment.");
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
