import { gatewayGroup } from "../../../schema/gateway.js";
import type { ParentRef } from "../../../schema/gateway-routes.js";
import { refOf } from "../../../schema/meta.js";
import { defaultGatewaysKey } from "../../core/keys.js";
import type { Reader } from "../../core/reader.js";
import { overrunMessage } from "../../cost/overrun.js";
import { type AttachProblem, noHostname, noListener, notAllowed } from "./attach-problems.js";
import { allowsNamespace, type GatewayView, viewOf } from "./gateway.js";
import type { GatewayListener, RouteObject } from "./gateway-listener.js";
import { hostsOf, isUnder, meets } from "./hostnames.js";

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
  readonly problem?: AttachProblem;
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
 * ignored. With `host`, only this host of the route counts. For all hosts the result is read once per unit.
 */
export function parentsOf(route: RouteObject, reader: Reader, host?: string): readonly Parent[] {
  const [only, ...others] = hostnamesOf(route);
  return host === undefined || (host === only && others.length === 0)
    ? reader.unitCache.once(readParents, route.ref, route, reader)
    : parentsIn(route, refsOf(route, reader), reader, host);
}

const readParents = (route: RouteObject, reader: Reader): readonly Parent[] =>
  parentsIn(route, refsOf(route, reader), reader);

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
  const parents = refs.map(([field, ref, target]): Parent => {
    const key = refs.length === 1 ? "" : selectionOf(ref, target);
    const attachment = known.get(key) ?? attach(route, hostnames, ref, target, reader);
    known.set(key, attachment);
    return { field, ref, view: target.view, ...attachment };
  });
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
      for (const host of hostsOf(hostnamesOf(route), { listener: listener.hostname, rivals: noRivals })) {
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
  const lets = (listener: GatewayListener): boolean =>
    listener.kinds.includes(route.kind) && allowsNamespace(listener, route.meta.namespace, reader);
  const attempt = { route, ref, view, listeners };
  const choice: Choice = {
    hostnames,
    selected,
    lets,
    fail: {
      noListener: () => noListener(attempt, selected.length),
      notAllowed: () => notAllowed({ ...attempt, listeners: selected }, reader),
      noHostname: (allowed) => noHostname({ ...attempt, listeners: allowed }, hostnames),
    },
  };
  return view.isMain ? attachMain(choice, view) : attachApart(choice, view);
}

/** The listeners that a reference of a route selects. */
interface Choice {
  readonly hostnames: readonly string[];
  readonly selected: readonly GatewayListener[];
  /** Whether a listener takes the kind and the namespace of the route. */
  lets(listener: GatewayListener): boolean;
  /** The reasons why the route is attached to none of them. */
  readonly fail: {
    noListener(): AttachProblem;
    notAllowed(): AttachProblem;
    noHostname(allowed: readonly GatewayListener[]): AttachProblem;
  };
}

/** Attaches a route to the listeners of the Gateway of the settings, as Contour does. */
function attachMain({ hostnames, selected, lets, fail }: Choice, view: GatewayView): Attachment {
  const counted = selected.filter(lets);
  if (!selected.some(({ ready }) => ready)) return { attached: [], counted, problem: fail.noListener() };
  const allowed = counted.filter(({ ready }) => ready);
  if (allowed.length === 0) return { attached: [], counted, problem: fail.notAllowed() };
  const rivals = rivalsOf(allowed, view);
  const attached = allowed
    .map((listener) => ({
      listener,
      hosts: hostsOf(hostnames, {
        listener: listener.hostname,
        rivals: rivals.get(listener.spec.port) ?? noRivals,
      }),
    }))
    .filter(({ hosts }) => hosts.length > 0);
  return attached.length > 0
    ? { attached, counted }
    : { attached: [], counted, problem: fail.noHostname(allowed) };
}

/**
 * Attaches a route to the listeners of a Gateway of a class. Each host is only on the listener that is closest to it,
 * even if that listener has no route (listener isolation). A route whose hosts all belong to closer listeners is
 * attached, and gets no requests. Unlike in Contour, a route is also attached to a listener whose certificate is
 * missing, and is served once the certificate exists.
 */
function attachApart({ hostnames, selected, lets, fail }: Choice, view: GatewayView): Attachment {
  const open = selected.filter(({ envoy }) => envoy !== undefined);
  if (open.length === 0) return { attached: [], counted: [], problem: fail.noListener() };
  // Hostnames come first: the namespace of a route is read only where a listener selects namespaces for its hosts.
  const met = open.filter((listener) => meets(hostnames, listener.hostname) && lets(listener));
  if (met.length === 0) {
    const allowed = open.filter(lets);
    const problem = allowed.length > 0 ? fail.noHostname(allowed) : fail.notAllowed();
    return { attached: [], counted: [], problem };
  }
  const attached = met.map((listener) => {
    const rivals = view.hostnames.get(listener.envoy ?? "") ?? noRivals;
    const hosts = listener.ready ? hostsOf(hostnames, { listener: listener.hostname, rivals }) : [];
    return { listener, hosts };
  });
  return { attached, counted: met };
}

const noRivals: ReadonlySet<string> = new Set();

/**
 * The hostnames of other listeners by port. As in Contour, listeners that one reference selects are no rivals of each
 * other.
 */
function rivalsOf(
  allowed: readonly GatewayListener[],
  { listeners }: GatewayView,
): ReadonlyMap<number, ReadonlySet<string>> {
  const own = new Set(allowed);
  const rivals = new Map<number, Set<string>>();
  for (const listener of listeners) {
    const { envoy, hostname, spec } = listener;
    if (envoy === undefined || hostname === "" || own.has(listener)) continue;
    const others = rivals.get(spec.port);
    if (others) others.add(hostname);
    else rivals.set(spec.port, new Set([hostname]));
  }
  return rivals;
}
