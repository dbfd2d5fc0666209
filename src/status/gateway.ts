import { parentsOf, refsOf } from "../graph/api/gateway/attach.js";
import { readPolicy } from "../graph/api/gateway/backend-tls.js";
import { supportedFeatures } from "../graph/api/gateway/features.js";
import { type GatewayView, servedGateway, viewOf } from "../graph/api/gateway/gateway.js";
import type { RouteObject } from "../graph/api/gateway/gateway-listener.js";
import { classParametersProblem } from "../graph/api/gateway/parameters.js";
import { parentOf } from "../graph/api/gateway/problems.js";
import { policiesOf } from "../graph/api/gateway/route-rules.js";
import { isHostUnit, routeOf, type UnitKey } from "../graph/core/keys.js";
import { isLeftOut, type ObjectByKind, type Reader } from "../graph/core/reader.js";
import { indexIn } from "../schema/field-path.js";
import { gatewayGroup } from "../schema/gateway.js";
import type { ParentRef } from "../schema/gateway-routes.js";
import { servesGateways } from "../schema/gateway-settings.js";
import { type Finding, isShadowed, kindOf, type ObjectMeta, type Ref } from "../schema/meta.js";
import { isGatewayRoute, type KubeObject } from "../schema/object.js";
import { routeKinds } from "../schema/routing-kinds.js";
import type { Store } from "../store/store.js";
import { joined } from "./bounds.js";
import {
  bad,
  type Condition,
  type GatewayKind,
  type GatewayStatus,
  good,
  type ObservedObject,
} from "./conditions.js";
import { gatewayStatus, listenerKey, listenerSetStatus } from "./gateway-listeners.js";

/** The inputs of the statuses of the Gateway API. */
export interface GatewayInput {
  readonly store: Store;
  readonly reader: Reader;
  /** The metadata of the object in its own Kubernetes cluster; undefined if that cluster does not have it. */
  metaOf(object: KubeObject): ObjectMeta | undefined;
  findingsOf(ref: Ref): readonly Finding[];
  /** Addresses and host names of the Gateway. */
  readonly addresses: readonly string[];
}

export const isGatewayKind = (kind: string): kind is GatewayKind => gatewayKinds.has(kind);
const gatewayKinds: ReadonlySet<string> = new Set<GatewayKind>([
  "GatewayClass",
  "Gateway",
  "ListenerSet",
  ...routeKinds,
  "BackendTLSPolicy",
]);

/**
 * The statuses of Gateways that are served, of their classes and ListenerSets, of the routes that refer to them, and of
 * the policies that apply to them.
 */
export class GatewayStatuses {
  readonly #attached = new AttachedRoutes();

  /** Marks a route that may be attached to other listeners than before. */
  touch(ref: Ref): void {
    this.#attached.touch(ref);
  }

  /** The status of one object; undefined if Isoline does not write it. */
  of(ref: Ref, input: GatewayInput): GatewayStatus | undefined {
    if (!servesGateways(input.reader.settings)) return undefined;
    const object = input.store.object(ref);
    const meta = object && !isLeftOut(object.kind, input.reader.settings) && input.metaOf(object);
    if (!meta) return undefined;
    const observed = { ...object, meta };
    const status = this.#statusOf(object, observed, input);
    return status && { kind: object.kind as GatewayKind, status };
  }

  #statusOf(
    object: KubeObject,
    observed: ObservedObject,
    input: GatewayInput,
  ): GatewayStatus["status"] | undefined {
    const { reader } = input;
    if (object.kind === "GatewayClass") return classStatus(object, observed, reader);
    if (object.kind === "Gateway") {
      const view = viewOf(object.meta.namespace, object.meta.name, reader);
      return view && gatewayStatus(observed, view, this.#attached.count(input), input);
    }
    if (object.kind === "ListenerSet") {
      const { namespace, name } = object.spec.parentRef;
      const view = viewOf(namespace || object.meta.namespace, name, reader);
      const attached = view?.sets.find(({ set }) => set.ref === object.ref);
      return (
        view && attached && listenerSetStatus(observed, attached, view, this.#attached.count(input), reader)
      );
    }
    if (isGatewayRoute(object)) return routeStatus(object, observed, input);
    return object.kind === "BackendTLSPolicy" ? policyStatus(object, observed, input) : undefined;
  }
}

/**
 * The status of a class with the controller of the settings or, without that setting, of the class of the Gateway of
 * the settings.
 */
function classStatus(
  gatewayClass: ObjectByKind<"GatewayClass">,
  observed: ObservedObject,
  reader: Reader,
): GatewayStatus["status"] | undefined {
  const { meta, spec } = gatewayClass;
  const { controllerName } = reader.settings.gateway;
  const isOurs =
    controllerName === undefined
      ? servedGateway(reader)?.gatewayClass.meta.name === meta.name
      : spec.controllerName === controllerName;
  if (!isOurs) return undefined;
  const accepted = good(observed, "Accepted", "Accepted", "The class is accepted");
  if (controllerName === undefined) return { conditions: [accepted] };
  const problem = classParametersProblem(gatewayClass, reader);
  const conditions = [problem ? bad(observed, "Accepted", "InvalidParameters", problem) : accepted];
  return { conditions, supportedFeatures: supportedFeatures.map((name) => ({ name })) };
}

/** Counts the routes of each listener. Only changed routes are counted again. */
class AttachedRoutes {
  readonly #counts = new Map<string, number>();
  readonly #byRoute = new Map<Ref, readonly string[]>();
  readonly #touched = new Set<Ref>();
  #begun = false;

  /** A route is touched after each change of it or of its Gateways. */
  touch(ref: Ref): void {
    if (isRouteKind(kindOf(ref))) this.#touched.add(ref);
  }

  count(input: GatewayInput): ReadonlyMap<string, number> {
    if (!this.#begun)
      for (const object of input.store.objects()) if (isGatewayRoute(object)) this.#touched.add(object.ref);
    this.#begun = true;
    for (const ref of this.#touched) this.#recount(ref, input);
    this.#touched.clear();
    return this.#counts;
  }

  #recount(ref: Ref, { store, reader }: GatewayInput): void {
    this.#add(this.#byRoute.get(ref) ?? [], -1);
    const route = store.object(ref);
    const counts =
      route && isGatewayRoute(route) && !isShadowed(route) && !isLeftOut(route.kind, reader.settings);
    const parents = counts ? parentsOf(route, reader) : [];
    const names = new Set(parents.flatMap(({ counted }) => counted.map(listenerKey)));
    if (names.size > 0) this.#byRoute.set(ref, [...names]);
    else this.#byRoute.delete(ref);
    this.#add(names, 1);
  }

  #add(names: Iterable<string>, by: number): void {
    for (const name of names) this.#counts.set(name, (this.#counts.get(name) ?? 0) + by);
  }
}

const isRouteKind = (kind: string): boolean => (routeKinds as readonly string[]).includes(kind);

/** One entry for each reference of a route to a Gateway that is served; undefined if there is none. */
function routeStatus(
  route: RouteObject,
  observed: ObservedObject,
  { findingsOf, reader }: GatewayInput,
): GatewayStatus["status"] | undefined {
  const refs = refsOf(route, reader);
  if (refs.length === 0) return undefined;
  const findings = findingsOf(route.ref);
  return {
    parents: refs.map(([field, ref, { view }]) => {
      // A finding about one parent applies only to that one, any other finding applies to all.
      const about = findings.filter((finding) => (parentOf(finding) ?? field) === field);
      const { controllerName } = view.gatewayClass.spec;
      const seen = view.isMain ? about : withoutPartial(route, about);
      return { ...parentStatus(route.kind, observed, seen), parentRef: writtenRef(ref), controllerName };
    }),
  };
}

/** If only some rules of a route are invalid, the route stays accepted: their errors become PartiallyInvalid. */
function withoutPartial({ spec }: RouteObject, findings: readonly Finding[]): readonly Finding[] {
  const ruleOf = ({ type, severity, path = "" }: Finding): number | undefined =>
    severity === "error" && type === "Accepted" ? indexIn(path, "spec.rules") : undefined;
  const bad = new Set(findings.flatMap((finding) => ruleOf(finding) ?? []));
  if (bad.size === 0 || bad.size === spec.rules.length) return findings;
  return findings.map((finding) =>
    ruleOf(finding) === undefined ? finding : { ...finding, severity: "warning", type: "PartiallyInvalid" },
  );
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
    // Errors that are not about references, such as a host of another owner, are about acceptance.
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

const claimantsOf = (unit: UnitKey, store: Store): readonly Ref[] =>
  isHostUnit(unit) ? store.claimants(unit) : [];

/** The limit of the CRD (PolicyStatus.ancestors). */
const maxAncestors = 16;

/** The status of a BackendTLSPolicy that routes use: one entry for each Gateway of these routes. */
function policyStatus(
  policy: ObjectByKind<"BackendTLSPolicy">,
  observed: ObservedObject,
  { store, reader }: GatewayInput,
): GatewayStatus["status"] | undefined {
  const views = new Map<Ref, GatewayView>();
  const users = new Set(
    store.readers(policy.ref).flatMap((unit) => routeOf(unit) ?? claimantsOf(unit, store)),
  );
  for (const ref of users) {
    const route = store.object(ref);
    if (route?.kind !== "HTTPRoute" && route?.kind !== "GRPCRoute") continue;
    const parents = parentsOf(route, reader);
    if (parents.length > 0 && policiesOf(route, reader).has(policy.ref))
      for (const { view } of parents) views.set(view.gateway.ref, view);
  }
  if (views.size === 0) return undefined;
  const conditions = policyConditions(policy, observed, reader);
  const ancestors = [...views].sort(([a], [b]) => (a < b ? -1 : 1)).slice(0, maxAncestors);
  return {
    ancestors: ancestors.map(([, { gateway, gatewayClass }]) => {
      const { namespace, name } = gateway.meta;
      const ancestorRef = { group: gatewayGroup, kind: "Gateway", namespace, name };
      return { ancestorRef, controllerName: gatewayClass.spec.controllerName, conditions };
    }),
  };
}

function policyConditions(
  policy: ObjectByKind<"BackendTLSPolicy">,
  observed: ObservedObject,
  reader: Reader,
): Condition[] {
  const { problems } = readPolicy(policy, reader);
  const conditionOf = (type: "Accepted" | "ResolvedRefs", fine: Condition): Condition => {
    const all = problems.filter((problem) => problem.type === type);
    const [first] = all;
    return first ? bad(observed, type, first.reason, joined(all.map(({ message }) => message))) : fine;
  };
  return [
    conditionOf("Accepted", good(observed, "Accepted", "Accepted", "Accepted BackendTLSPolicy")),
    conditionOf("ResolvedRefs", good(observed, "ResolvedRefs", "ResolvedRefs", "References resolved")),
  ];
}
