import { parentsOf, refsTo } from "../graph/api/gateway/attach.js";
import { readPolicy } from "../graph/api/gateway/backend-tls.js";
import {
  type Gateway,
  type GatewayListener,
  type GatewayView,
  type RouteObject,
  readGateway,
  servedGateway,
} from "../graph/api/gateway/gateway.js";
import type { ListenerProblem } from "../graph/api/gateway/ports.js";
import { parentOf } from "../graph/api/gateway/problems.js";
import { isIP } from "../graph/backends/address.js";
import { isLeftOut, type ObjectByKind, type Reader } from "../graph/core/reader.js";
import { gatewayGroup } from "../schema/gateway.js";
import type { ParentRef } from "../schema/gateway-routes.js";
import { type Finding, isShadowed, type ObjectMeta, type Ref } from "../schema/meta.js";
import { isGatewayRoute, type KubeObject } from "../schema/object.js";
import { routeKinds } from "../schema/routing-kinds.js";
import { isSame } from "../schema/same.js";
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
  readonly kind: GatewayKind;
  readonly status: Readonly<Record<string, unknown>>;
}

/** What the statuses of the Gateway API are made of. */
export interface GatewayInput {
  readonly store: Store;
  readonly reader: Reader;
  /** The object as its own cluster has it; undefined where another cluster's object of its name is meant. */
  metaOf(object: KubeObject): ObjectMeta | undefined;
  findingsOf(ref: Ref): readonly Finding[];
  /** Addresses and host names that the Gateway has. */
  readonly addresses: readonly string[];
}

export const isGatewayKind = (kind: string): kind is GatewayKind => gatewayKinds.has(kind);
const gatewayKinds: ReadonlySet<string> = new Set<GatewayKind>([
  "GatewayClass",
  "Gateway",
  ...routeKinds,
  "BackendTLSPolicy",
]);

/** The statuses of the Gateway that is served, its class, the routes that refer to it, and the policies that count for them. */
export class GatewayStatuses {
  readonly #attached = new AttachedRoutes();

  /** Takes note that a route may be attached to other listeners than before. */
  touch(ref: Ref): void {
    this.#attached.touch(ref);
  }

  /** The status of one object; undefined where it is not Isoline's to give. */
  of(ref: Ref, input: GatewayInput): GatewayStatus | undefined {
    const served = servedGateway(input.reader);
    const object = served && input.store.object(ref);
    const meta = object && !isLeftOut(object.kind, input.reader.settings) && input.metaOf(object);
    if (!meta) return undefined;
    const judged = { ...object, meta };
    const status = this.#statusOf(object, judged, served, input);
    return status && { kind: object.kind as GatewayKind, status };
  }

  #statusOf(
    object: KubeObject,
    judged: ObservedObject,
    served: Served,
    input: GatewayInput,
  ): GatewayStatus["status"] | undefined {
    if (object.ref === served.gatewayClass.ref)
      return { conditions: [good(judged, "Accepted", "Accepted", "The class is accepted")] };
    if (object.ref === served.gateway.ref) {
      const view = readGateway(input.reader);
      return view && gatewayStatus(judged, view, this.#attached.count(view, input), input.addresses);
    }
    if (isGatewayRoute(object)) return routeStatus(object, judged, served, input);
    return object.kind === "BackendTLSPolicy" ? policyStatus(object, judged, served, input) : undefined;
  }
}

type Served = NonNullable<ReturnType<typeof servedGateway>>;

/** How many routes each listener has, kept up to date route by route. */
class AttachedRoutes {
  readonly #counts = new Map<string, number>();
  readonly #byRoute = new Map<Ref, readonly string[]>();
  readonly #touched = new Set<Ref>();
  #of: Gateway | undefined;

  touch(ref: Ref): void {
    this.#touched.add(ref);
  }

  count(view: GatewayView, input: GatewayInput): ReadonlyMap<string, number> {
    if (!isSame(this.#of, view.gateway)) {
      this.#counts.clear();
      this.#byRoute.clear();
      for (const object of input.store.objects()) if (isGatewayRoute(object)) this.#touched.add(object.ref);
      this.#of = view.gateway;
    }
    for (const ref of this.#touched) this.#recount(ref, view, input);
    this.#touched.clear();
    return this.#counts;
  }

  #recount(ref: Ref, view: GatewayView, { store, reader }: GatewayInput): void {
    this.#add(this.#byRoute.get(ref) ?? [], -1);
    const route = store.object(ref);
    const counts =
      route && isGatewayRoute(route) && !isShadowed(route) && !isLeftOut(route.kind, reader.settings);
    const parents = counts ? parentsOf(route, view, reader) : [];
    const names = new Set(parents.flatMap(({ counted }) => counted.map(({ spec }) => spec.name)));
    if (names.size > 0) this.#byRoute.set(ref, [...names]);
    else this.#byRoute.delete(ref);
    this.#add(names, 1);
  }

  #add(names: Iterable<string>, by: number): void {
    for (const name of names) this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }
}

type ObservedObject = Pick<KubeObject, "meta">;

const condition =
  (status: Condition["status"]) =>
  ({ meta }: ObservedObject, type: string, reason: string, message: string): Condition => ({
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
  gateway: ObservedObject,
  { listeners }: GatewayView,
  attached: ReadonlyMap<string, number>,
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
      attachedRoutes: attached.get(listener.spec.name) ?? 0,
      conditions: listenerConditions(gateway, listener),
    })),
  };
}

/** Of each type one condition: of several problems the first, with the messages of all. */
function listenerConditions(gateway: ObservedObject, { problems }: GatewayListener): Condition[] {
  const conditionOf = (type: ListenerProblem["type"], fine: Condition): Condition => {
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
    conditionOf("Accepted", good(gateway, "Accepted", "Accepted", "Listener accepted")),
    conditionOf("Conflicted", bad(gateway, "Conflicted", "NoConflicts", "No conflicts")),
    conditionOf("Programmed", programmed),
    conditionOf(
      "ResolvedRefs",
      good(gateway, "ResolvedRefs", "ResolvedRefs", "Listener references resolved"),
    ),
  ];
}

/** What is said of each reference of a route to the Gateway; undefined where it has none. */
function routeStatus(
  route: RouteObject,
  judged: ObservedObject,
  served: Served,
  { findingsOf }: GatewayInput,
): GatewayStatus["status"] | undefined {
  const refs = refsTo(route, served);
  if (refs.length === 0) return undefined;
  const findings = findingsOf(route.ref);
  const { controllerName } = served.gatewayClass.spec;
  return {
    parents: refs.map(([index, ref]) => {
      // Findings of one parent count for that one, others for all.
      const about = findings.filter((finding) => (parentOf(finding) ?? index) === index);
      return { ...parentStatus(route.kind, judged, about), parentRef: writtenRef(ref), controllerName };
    }),
  };
}

const writtenRef = ({ group, kind, namespace, name, sectionName, port }: ParentRef): object => ({
  group,
  kind,
  ...(namespace ? { namespace } : {}),
  name,
  ...(sectionName === undefined ? {} : { sectionName }),
  ...(port === undefined ? {} : { port }),
});

function parentStatus(
  kind: RouteObject["kind"],
  route: ObservedObject,
  findings: readonly Finding[],
): { readonly conditions: readonly Condition[] } {
  const conditionOf = (type: string, fine: Condition): Condition => {
    // What is no matter of references, such as hosts of another owner, is one of acceptance.
    const [first, ...more] = findings.filter(
      (one) => one.severity === "error" && (one.type === "ResolvedRefs") === (type === "ResolvedRefs"),
    );
    return first ? bad(route, type, first.reason, messages([first, ...more])) : fine;
  };
  const partial = findings.filter(({ type }) => type === "PartiallyInvalid");
  const [first] = partial;
  return {
    conditions: [
      conditionOf("Accepted", good(route, "Accepted", "Accepted", `Accepted ${kind}`)),
      conditionOf("ResolvedRefs", good(route, "ResolvedRefs", "ResolvedRefs", "References resolved")),
      ...(first ? [good(route, "PartiallyInvalid", first.reason, messages(partial))] : []),
    ],
  };
}

const messages = (findings: readonly Finding[]): string =>
  joined(findings.map(({ path, message }) => (path ? `${path}: ${message}` : message)));

/** A BackendTLSPolicy has a status where something that is served goes by it. */
function policyStatus(
  policy: ObjectByKind<"BackendTLSPolicy">,
  judged: ObservedObject,
  { gateway: { meta }, gatewayClass }: Served,
  { store, reader }: GatewayInput,
): GatewayStatus["status"] | undefined {
  if (store.readers(policy.ref).length === 0) return undefined;
  const ancestorRef = { group: gatewayGroup, kind: "Gateway", namespace: meta.namespace, name: meta.name };
  const { error } = readPolicy(policy, reader);
  const accepted = error
    ? bad(judged, "Accepted", "Invalid", clipped(error))
    : good(judged, "Accepted", "Accepted", "Accepted BackendTLSPolicy");
  const { controllerName } = gatewayClass.spec;
  return { ancestors: [{ ancestorRef, controllerName, conditions: [accepted] }] };
}
