import { type AttachedSet, addressesOf, type GatewayView } from "../graph/api/gateway/gateway.js";
import type { GatewayListener } from "../graph/api/gateway/gateway-listener.js";
import { isUnder } from "../graph/api/gateway/hostnames.js";
import type { ListenerProblem } from "../graph/api/gateway/ports.js";
import { isListening, problemsOf } from "../graph/api/gateway/taken-ports.js";
import { wholeProblems } from "../graph/api/gateway/validate.js";
import { isIP } from "../graph/backends/address.js";
import type { Reader } from "../graph/core/reader.js";
import { gatewayGroup } from "../schema/gateway.js";
import { joined } from "./bounds.js";
import { bad, type Condition, type GatewayStatus, good, type ObservedObject } from "./conditions.js";

/** The limit of the CRD (GatewayStatus.addresses). */
const maxAddresses = 16;

/** Identifies a listener among those of all Gateways. */
export const listenerKey = ({ owner, spec }: GatewayListener): string => `${owner.ref} ${spec.name}`;

/** The number of attached routes of each listener, by `listenerKey`. */
export type AttachedCounts = ReadonlyMap<string, number>;

/** The status of a Gateway; `addresses` are those of Envoy's Service, for the Gateway of the settings. */
export function gatewayStatus(
  observed: ObservedObject,
  view: GatewayView,
  attached: AttachedCounts,
  { addresses, reader }: { readonly addresses: readonly string[]; readonly reader: Reader },
): GatewayStatus["status"] {
  const own = view.listeners.filter(({ owner }) => owner.ref === view.gateway.ref);
  const list = addressesOf(view, reader)?.list ?? addresses;
  const sets = view.sets.filter((set) => isAccepted(set, view, reader)).length;
  return {
    conditions: [
      ...(view.isMain ? mainConditions(observed, own) : gatewayConditions(observed, view, own, reader)),
      ...(view.gateway.spec.defaultScope === "All"
        ? [good(observed, "DefaultGateway", "DefaultGateway", "Gateway has default scope All")]
        : []),
    ],
    ...(list.length > 0
      ? {
          addresses: list
            .slice(0, maxAddresses)
            .map((value) => ({ type: isIP(value) ? "IPAddress" : "Hostname", value })),
        }
      : {}),
    listeners: own.map((listener) => listenerStatus(observed, listener, view, attached, reader)),
    ...(view.isMain && sets === 0 ? {} : { attachedListenerSets: sets }),
  };
}

/** The conditions of the Gateway of the settings, as in Contour. */
function mainConditions(observed: ObservedObject, listeners: readonly GatewayListener[]): Condition[] {
  const programmed = listeners.every(({ ready, problems }) => ready && problems.length === 0);
  return [
    good(observed, "Accepted", "Accepted", "Gateway is accepted"),
    programmed
      ? good(observed, "Programmed", "Programmed", "Valid Gateway")
      : bad(observed, "Programmed", "ListenersNotValid", "Listeners are not valid"),
  ];
}

const isAcceptable = (listener: GatewayListener, view: GatewayView, reader: Reader): boolean =>
  problemsOf(listener, view, reader).every(({ type }) => type !== "Accepted" && type !== "Conflicted");

function gatewayConditions(
  observed: ObservedObject,
  view: GatewayView,
  own: readonly GatewayListener[],
  reader: Reader,
): Condition[] {
  const problems = wholeProblems(view, reader);
  const of = (type: string) => problems.find((problem) => problem.type === type);
  const refused = own.filter((listener) => !isAcceptable(listener, view, reader));
  const names = refused.map(({ spec }) => spec.name).join(", ");
  const accepted = (): Condition => {
    const whole = of("Accepted");
    if (whole) return bad(observed, "Accepted", whole.reason, whole.message);
    if (refused.length === 0) return good(observed, "Accepted", "Accepted", "Gateway is accepted");
    const message = `listeners that are not accepted: ${names}`;
    return (refused.length < own.length ? good : bad)(observed, "Accepted", "ListenersNotValid", message);
  };
  const programmed = (): Condition => {
    const whole = of("Programmed");
    if (whole) return bad(observed, "Programmed", whole.reason, whole.message);
    if (of("Accepted") || !view.listeners.some((one) => isListening(one, view, reader)))
      return bad(observed, "Programmed", "Invalid", "no listener can be served");
    return good(observed, "Programmed", "Programmed", "Envoy has the configuration of the Gateway");
  };
  const resolved = (): Condition => {
    const whole = of("ResolvedRefs");
    if (whole) return bad(observed, "ResolvedRefs", whole.reason, whole.message);
    const unresolved = own.filter((one) => one.problems.some(({ type }) => type === "ResolvedRefs"));
    const listed = unresolved.map(({ spec }) => spec.name).join(", ");
    return unresolved.length > 0
      ? bad(
          observed,
          "ResolvedRefs",
          "ListenersNotResolved",
          `listeners whose references are not resolved: ${listed}`,
        )
      : good(observed, "ResolvedRefs", "ResolvedRefs", "References resolved");
  };
  const insecure = (view.gateway.spec.tls?.frontend?.perPort ?? [])
    .map(({ tls }) => tls)
    .concat(view.gateway.spec.tls?.frontend?.default ?? [])
    .some(({ validation }) => validation?.mode === "AllowInsecureFallback");
  const mode = "clients without a valid certificate are let in (AllowInsecureFallback)";
  return [
    accepted(),
    programmed(),
    resolved(),
    ...(insecure ? [good(observed, "InsecureFrontendValidationMode", "ConfigurationChanged", mode)] : []),
  ];
}

const listenerStatus = (
  observed: ObservedObject,
  listener: GatewayListener,
  view: GatewayView,
  attached: AttachedCounts,
  reader: Reader,
): object => ({
  name: listener.spec.name,
  supportedKinds: listener.kinds.map((kind) => ({ group: gatewayGroup, kind })),
  attachedRoutes: attached.get(listenerKey(listener)) ?? 0,
  conditions: listenerConditions(observed, listener, view, reader),
});

/** One condition for each type. With several problems, it has the reason of the first one and all messages. */
function listenerConditions(
  observed: ObservedObject,
  listener: GatewayListener,
  view: GatewayView,
  reader: Reader,
): Condition[] {
  const problems = problemsOf(listener, view, reader);
  const overlapping = overlappingListeners(listener, view);
  const of = (type: ListenerProblem["type"]) => problems.filter((problem) => problem.type === type);
  const [conflict] = of("Conflicted");
  const conditionOf = (type: ListenerProblem["type"], fine: Condition): Condition => {
    const [first, ...more] = of(type);
    if (!first && conflict && !view.isMain && (type === "Accepted" || type === "Programmed"))
      return bad(observed, type, conflict.reason, conflict.message);
    if (!first) return fine;
    const message = joined([first, ...more].map((problem) => problem.message));
    return (type === "Conflicted" ? good : bad)(observed, type, first.reason, message);
  };
  const isFine = view.isMain ? problems.length === 0 : isListening(listener, view, reader);
  const unaddressed = addressesOf(view, reader)?.problem;
  const programmed = !isFine
    ? bad(observed, "Programmed", "Invalid", "Invalid listener, see other listener conditions for details")
    : unaddressed
      ? bad(observed, "Programmed", "Pending", unaddressed.message)
      : good(observed, "Programmed", "Programmed", "Valid listener");
  return [
    conditionOf("Accepted", good(observed, "Accepted", "Accepted", "Listener accepted")),
    conditionOf("Conflicted", bad(observed, "Conflicted", "NoConflicts", "No conflicts")),
    conditionOf("Programmed", programmed),
    conditionOf(
      "ResolvedRefs",
      good(observed, "ResolvedRefs", "ResolvedRefs", "Listener references resolved"),
    ),
    ...(overlapping.length > 0
      ? [
          good(
            observed,
            "OverlappingTLSConfig",
            "OverlappingHostnames",
            `the hostname overlaps with that of ${joined(overlapping)}; a connection for one listener is not used for hosts of another (421)`,
          ),
        ]
      : []),
  ];
}

/**
 * The other listeners with TLS on the same port whose hostnames overlap with that of a listener (Gateway API,
 * ListenerConditionOverlappingTLSConfig). A listener that can't be served overlaps with none.
 */
function overlappingListeners(listener: GatewayListener, { isMain, listeners }: GatewayView): string[] {
  const hasTls = ({ envoy, spec }: GatewayListener): boolean =>
    envoy !== undefined && (spec.protocol === "HTTPS" || spec.protocol === "TLS");
  if (isMain || !hasTls(listener)) return [];
  return listeners
    .filter(
      (other) =>
        other !== listener &&
        hasTls(other) &&
        other.spec.port === listener.spec.port &&
        (isWithin(other.hostname, listener.hostname) || isWithin(listener.hostname, other.hostname)),
    )
    .map(({ owner, spec }) =>
      owner.ref === listener.owner.ref ? spec.name : `${spec.name} of ${owner.ref}`,
    );
}

/** Whether a hostname of a listener has all hosts of another one. */
const isWithin = (inner: string, outer: string): boolean => outer === "" || isUnder(inner, outer);

/** The listeners of a ListenerSet. */
const listenersOf = ({ set }: AttachedSet, { listeners }: GatewayView): readonly GatewayListener[] =>
  listeners.filter(({ owner }) => owner.ref === set.ref);

const isAccepted = (attached: AttachedSet, view: GatewayView, reader: Reader): boolean =>
  attached.allowed && listenersOf(attached, view).some((one) => isReady(one, view, reader));

const isReady = (listener: GatewayListener, view: GatewayView, reader: Reader): boolean =>
  view.isMain ? listener.ready : isListening(listener, view, reader);

/** The status of a ListenerSet of a Gateway that is served. */
export function listenerSetStatus(
  observed: ObservedObject,
  attached: AttachedSet,
  view: GatewayView,
  counts: AttachedCounts,
  reader: Reader,
): GatewayStatus["status"] {
  const { namespace, name } = view.gateway.meta;
  const both = (reason: string, message: string): GatewayStatus["status"] => ({
    conditions: [bad(observed, "Accepted", reason, message), bad(observed, "Programmed", reason, message)],
    listeners: listenersOf(attached, view).map((one) => listenerStatus(observed, one, view, counts, reader)),
  });
  if (attached.excess !== undefined) return both("OverBudget", attached.excess);
  if (!attached.allowed)
    return both("NotAllowed", `Gateway ${namespace}/${name} does not let ListenerSets of this namespace in`);
  if (wholeProblems(view, reader).some(({ type }) => type === "Accepted"))
    return both("ParentNotAccepted", `Gateway ${namespace}/${name} is not accepted`);
  if (!isAccepted(attached, view, reader)) return both("ListenersNotValid", "no listener can be served");
  const listeners = listenersOf(attached, view);
  const invalid = listeners.filter((one) => !isReady(one, view, reader)).map(({ spec }) => spec.name);
  const unaddressed = addressesOf(view, reader)?.problem;
  return {
    conditions: [
      invalid.length > 0
        ? good(
            observed,
            "Accepted",
            "ListenersNotValid",
            `listeners that can't be served: ${invalid.join(", ")}`,
          )
        : good(observed, "Accepted", "Accepted", "ListenerSet is accepted"),
      unaddressed
        ? bad(observed, "Programmed", "Pending", unaddressed.message)
        : good(observed, "Programmed", "Programmed", "Envoy has the configuration of the ListenerSet"),
    ],
    listeners: listeners.map((one) => listenerStatus(observed, one, view, counts, reader)),
  };
}
