import { isIP } from "../graph/address.js";
import { type Parent, parentsOf } from "../graph/gateway/attach.js";
import { readPolicy } from "../graph/gateway/backend-tls.js";
import {
  type GatewayListener,
  type GatewayView,
  type RouteObject,
  readGateway,
  routeKinds,
} from "../graph/gateway/gateway.js";
import type { ListenerProblem } from "../graph/gateway/ports.js";
import { parentOf } from "../graph/gateway/problems.js";
import { isLeftOut, type ObjectByKind, objectsOf, type Reader } from "../graph/reader.js";
import { gatewayGroup } from "../schema/gateway.js";
import type { Finding, ObjectMeta, Ref } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import type { Store } from "../store/store.js";
import { clipped, joined } from "./bounds.js";

/** A condition without its time (apimachinery's Condition). */
export interface Condition {
  readonly type: string;
  readonly status: "True" | "False";
  readonly reason: string;
  readonly message: string;
  readonly observedGeneration: number;
}

export type GatewayKind = "GatewayClass" | "Gateway" | (typeof routeKinds)[number] | "BackendTLSPolicy";

export interface GatewayStatus {
  readonly ref: Ref;
  readonly kind: GatewayKind;
  readonly meta: ObjectMeta;
  readonly status: Readonly<Record<string, unknown>>;
}

/** What the statuses of the Gateway API are made of. */
export interface GatewayInput {
  readonly store: Store;
  readonly reader: Reader;
  findingsOf(ref: Ref): readonly Finding[];
  /** Addresses and host names that the Gateway has. */
  readonly addresses: readonly string[];
}

/** The statuses of the Gateway that is served, its class, the routes that refer to it, and the policies that count for them. */
export function gatewayStatuses(input: GatewayInput): GatewayStatus[] {
  const view = readGateway(input.reader);
  if (!view) return [];
  const gatewayClass = input.reader.get("GatewayClass", "", view.gateway.spec.gatewayClassName);
  if (!gatewayClass) return [];
  const { controllerName } = gatewayClass.spec;
  const attached = new Map<GatewayListener, number>();
  const routes = routesIn(input).flatMap((route) => {
    const parents = parentsOf(route, view, input.reader);
    for (const listener of new Set(parents.flatMap(({ counted }) => counted)))
      attached.set(listener, (attached.get(listener) ?? 0) + 1);
    if (parents.length === 0) return [];
    const status = { parents: parents.map((parent) => parentStatus(route, parent, controllerName, input)) };
    return [{ ref: route.ref, kind: route.kind, meta: route.meta, status }];
  });
  return [
    statusOf(gatewayClass, {
      conditions: [good(gatewayClass, "Accepted", "Accepted", "The class is accepted")],
    }),
    statusOf(view.gateway, gatewayStatus(view, attached, input.addresses)),
    ...routes,
    ...policyStatuses(view, controllerName, input),
  ];
}

const statusOf = (
  { ref, kind, meta }: { ref: Ref; kind: GatewayKind; meta: ObjectMeta },
  status: GatewayStatus["status"],
): GatewayStatus => ({ ref, kind, meta, status });

const routesIn = ({ store, reader }: GatewayInput): RouteObject[] =>
  [...store.objects()].filter(
    (object): object is RouteObject =>
      (routeKinds as readonly string[]).includes(object.kind) && !isLeftOut(object.kind, reader.settings),
  );

type Judged = Pick<KubeObject, "meta">;

const condition =
  (status: Condition["status"]) =>
  ({ meta }: Judged, type: string, reason: string, message: string): Condition => ({
    type,
    status,
    observedGeneration: meta.generation,
    reason,
    message,
  });
const good = condition("True");
const bad = condition("False");

/** As many as the CRD takes (GatewayStatus.addresses). */
const maxAddresses = 16;

function gatewayStatus(
  { gateway, listeners }: GatewayView,
  attached: ReadonlyMap<GatewayListener, number>,
  addresses: readonly string[],
): GatewayStatus["status"] {
  const programmed = listeners.every(({ ready, problems }) => ready && problems.length === 0);
  return {
    conditions: [
      good(gateway, "Accepted", "Accepted", "Gateway is accepted"),
      programmed
        ? good(gateway, "Programmed", "Programmed", "Valid Gateway")
        : bad(gateway, "Programmed", "ListenersNotValid", "Listeners are not valid"),
    ],
    ...(addresses.length > 0
      ? {
          addresses: addresses
            .slice(0, maxAddresses)
            .map((value) => ({ type: isIP(value) ? "IPAddress" : "Hostname", value })),
        }
      : {}),
    listeners: listeners.map((listener) => ({
      name: listener.spec.name,
      supportedKinds: listener.kinds.map((kind) => ({ group: gatewayGroup, kind })),
      attachedRoutes: attached.get(listener) ?? 0,
      conditions: listenerConditions(gateway, listener),
    })),
  };
}

/** Of each type one condition: of several problems the first, with the messages of all. */
function listenerConditions(gateway: Judged, { problems }: GatewayListener): Condition[] {
  const told = (type: ListenerProblem["type"], fine: Condition): Condition => {
    const [first, ...more] = problems.filter((problem) => problem.type === type);
    if (!first) return fine;
    const message = joined([first, ...more].map((problem) => problem.message));
    return (type === "Conflicted" ? good : bad)(gateway, type, first.reason, message);
  };
  const programmed =
    problems.length === 0
      ? good(gateway, "Programmed", "Programmed", "Valid listener")
      : bad(gateway, "Programmed", "Invalid", "Invalid listener, see other listener conditions for details");
  return [
    told("Accepted", good(gateway, "Accepted", "Accepted", "Listener accepted")),
    told("Conflicted", bad(gateway, "Conflicted", "NoConflicts", "No conflicts")),
    told("Programmed", programmed),
    told("ResolvedRefs", good(gateway, "ResolvedRefs", "ResolvedRefs", "Listener references resolved")),
  ];
}

/** What a route's status says of one of its parents: findings of one parent count for that one, others for all. */
function parentStatus(
  route: RouteObject,
  { index, ref }: Parent,
  controllerName: string,
  { findingsOf }: GatewayInput,
): object {
  const findings = findingsOf(route.ref).filter((finding) => (parentOf(finding) ?? index) === index);
  const told = (type: string, fine: Condition): Condition => {
    // What is no matter of references, such as hosts of another owner, is one of acceptance.
    const [first, ...more] = findings.filter(
      (one) => one.severity === "error" && (one.type === "ResolvedRefs") === (type === "ResolvedRefs"),
    );
    return first ? bad(route, type, first.reason, messages([first, ...more])) : fine;
  };
  const partial = findings.filter(({ type }) => type === "PartiallyInvalid");
  const [first] = partial;
  const { namespace, sectionName, port } = ref;
  return {
    parentRef: {
      group: ref.group,
      kind: ref.kind,
      ...(namespace ? { namespace } : {}),
      name: ref.name,
      ...(sectionName === undefined ? {} : { sectionName }),
      ...(port === undefined ? {} : { port }),
    },
    controllerName,
    conditions: [
      told("Accepted", good(route, "Accepted", "Accepted", `Accepted ${route.kind}`)),
      told("ResolvedRefs", good(route, "ResolvedRefs", "ResolvedRefs", "References resolved")),
      ...(first ? [good(route, "PartiallyInvalid", first.reason, messages(partial))] : []),
    ],
  };
}

const messages = (findings: readonly Finding[]): string =>
  joined(findings.map(({ path, message }) => (path ? `${path}: ${message}` : message)));

/** BackendTLSPolicies that something that is served goes by. */
function policyStatuses(
  { gateway: { meta } }: GatewayView,
  controllerName: string,
  { store, reader }: GatewayInput,
): GatewayStatus[] {
  const refs = [...store.objects()].filter(({ kind }) => kind === "BackendTLSPolicy").map(({ ref }) => ref);
  const used = objectsOf("BackendTLSPolicy", refs, reader).filter(
    (policy: ObjectByKind<"BackendTLSPolicy">) => store.readers(policy.ref).length > 0,
  );
  const ancestorRef = { group: gatewayGroup, kind: "Gateway", namespace: meta.namespace, name: meta.name };
  return used.map((policy) => {
    const { error } = readPolicy(policy, reader);
    const accepted = error
      ? bad(policy, "Accepted", "Invalid", clipped(error))
      : good(policy, "Accepted", "Accepted", "Accepted BackendTLSPolicy");
    return statusOf(policy, { ancestors: [{ ancestorRef, controllerName, conditions: [accepted] }] });
  });
}
