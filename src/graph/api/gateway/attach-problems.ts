import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { ParentRef } from "../../../schema/gateway-routes.js";
import type { Reader } from "../../core/reader.js";
import { allowsNamespace, type GatewayView } from "./gateway.js";
import type { GatewayListener, RouteObject } from "./gateway-listener.js";

/** Why a reference of a route selects no listener, or none that takes the route. */
export interface AttachProblem {
  readonly reason: ErrorCode;
  /** Read only for findings: a host that is compiled does not need it. */
  readonly message: string;
}

/** A reference of a route, with the listeners of the Gateway or ListenerSet that it names. */
interface Attempt {
  readonly route: RouteObject;
  readonly ref: ParentRef;
  readonly view: GatewayView;
  readonly listeners: readonly GatewayListener[];
}

const maxListed = 8;

/** No listener has the section and the port of the reference, or none of these can be served. */
export const noListener = ({ ref, view, listeners }: Attempt, selected: number): AttachProblem => ({
  reason: "NoMatchingParent",
  get message() {
    const asked = [
      ...(ref.sectionName === undefined ? [] : [`the name ${JSON.stringify(ref.sectionName)}`]),
      ...(ref.port === undefined ? [] : [`the port ${ref.port}`]),
    ].join(" and ");
    const of = parentText(ref, view);
    const which = `no listener of ${of}${asked ? ` with ${asked}` : ""}`;
    if (selected > 0) return `${which} is valid; the conditions of the listeners have the reasons`;
    if (listeners.length === 0 && ref.kind !== "Gateway")
      return `${of} has no listeners that the Gateway takes (spec.allowedListeners)`;
    return `${which} is there; its listeners: ${listed(listeners.map(listenerText))}`;
  },
});

/** No listener that the reference selects allows the kind and the namespace of the route. */
export const notAllowed = ({ route, ref, view, listeners }: Attempt, reader: Reader): AttachProblem => ({
  reason: "NotAllowedByListeners",
  get message() {
    const { kind, meta } = route;
    const reasons = listeners.map((listener) => {
      if (!listener.kinds.includes(kind))
        return `${listenerText(listener)} takes ${listener.kinds.join(" and ") || "no routes"}`;
      const { from } = listener.spec.allowedRoutes.namespaces;
      if (!allowsNamespace(listener, meta.namespace, reader))
        return `${listenerText(listener)} takes routes of namespaces by the rule ${JSON.stringify(from)}`;
      return `${listenerText(listener)} is not valid`;
    });
    return `no listener of ${parentText(ref, view)} takes the kind ${kind} from the namespace ${meta.namespace}: ${listed(reasons)}; add the kind or the namespace to allowedRoutes of a listener, or name another listener`;
  },
});

/** The hostnames of the route and of the listeners have nothing in common. */
export const noHostname = (
  { ref, view, listeners }: Attempt,
  hostnames: readonly string[],
): AttachProblem => ({
  reason: "NoMatchingListenerHostname",
  get message() {
    const own = listed(listeners.map(({ spec, hostname }) => `${spec.name} has ${hostname}`));
    return `no hostname of the route (${listed(hostnames)}) is one of a listener of ${parentText(ref, view)}: ${own}`;
  },
});

const listenerText = ({ spec: { name, protocol, port } }: GatewayListener): string =>
  `${name} (${protocol}, port ${port})`;

function parentText({ kind, namespace, name }: ParentRef, { gateway }: GatewayView): string {
  const own = `Gateway ${gateway.meta.namespace}/${gateway.meta.name}`;
  return kind === "Gateway" ? own : `ListenerSet ${namespace ? `${namespace}/` : ""}${name} of ${own}`;
}

const listed = (texts: readonly string[]): string =>
  [
    ...texts.slice(0, maxListed),
    ...(texts.length > maxListed ? [`and ${texts.length - maxListed} more`] : []),
  ].join(", ") || "none";
