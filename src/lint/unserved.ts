import { widerThan } from "../graph/api/gateway/hostnames.js";
import { isOfFleet } from "../graph/api/gateway/selector.js";
import { classOf, isClassed, isOfClass } from "../graph/core/class.js";
import { defaultGatewaysKey, hostUnit, routesKey } from "../graph/core/keys.js";
import { idleAnnotation, isOrphan, mayBeIdle, orphanFinding } from "../graph/core/orphan.js";
import { isLeftOut } from "../graph/core/reader.js";
import { gatewayGroup } from "../schema/gateway.js";
import { servesGateways } from "../schema/gateway-settings.js";
import { type Finding, isShadowed, namespaceOf, type Ref, refOf } from "../schema/meta.js";
import { type GatewayRoute, isGatewayRoute, type KubeObject } from "../schema/object.js";
import { type SettingsSpec, settingsRef } from "../schema/settings.js";
import { plural } from "../schema/words.js";
import type { Store } from "../store/store.js";
import { type Lint, lint } from "./lint.js";

/** A valid object of a routing kind that is not served. */
export interface Unserved {
  /** Its description in the summary, such as `HTTPRoute` or `Ingress of class nginx`. */
  readonly what: string;
  /** The reason, as a finding about the object. */
  readonly finding: Finding;
  /**
   * `object`: the finding is reported for each object. `settings`: one finding about the settings covers all such objects.
   * `none`: it is intended and not reported, such as the class of another controller.
   */
  readonly foundIn: "object" | "settings" | "none";
  /** Declared by the annotation `isoline.dev/idle`. */
  readonly idle: boolean;
}

/** The reason why a valid object is not served; undefined for served objects and for other kinds. */
export function whyUnserved(object: KubeObject, store: Store, settings: SettingsSpec): Unserved | undefined {
  if (isShadowed(object)) return undefined;
  if (isLeftOut(object.kind, settings))
    return unserved(object, "none", {
      reason: "KindLeftOut",
      message: `is not served: the setting disableFeatures excludes ${object.kind}`,
      path: "kind",
      what: `${object.kind} of disableFeatures`,
    });
  if (isClassed(object) && !isOfClass(object, settings))
    return ofOtherClass(object, classOf(object), settings);
  if (isOrphan(object, store)) return orphaned(object, orphanFinding(object));
  if (object.kind === "Gateway") return otherGateway(object, store, settings);
  return isGatewayRoute(object) ? withoutParent(object, store, settings) : undefined;
}

interface Why extends Lint {
  readonly what?: string;
}

const unserved = (object: KubeObject, foundIn: Unserved["foundIn"], { what, ...why }: Why): Unserved => ({
  what: what ?? object.kind,
  finding: lint(object.ref, why),
  foundIn,
  idle: false,
});

function ofOtherClass(object: KubeObject, name: string, { ingressClassNames }: SettingsSpec): Unserved {
  const served =
    ingressClassNames.length > 0
      ? `the setting ingressClassNames has only ${ingressClassNames.join(", ")}`
      : "without the setting ingressClassNames, only the classes contour and isoline and objects without a class are served";
  const message = `is not served: it ${name ? `has the class ${name}` : "has no class"}, and ${served}`;
  const what = name ? `${object.kind} of class ${name}` : object.kind;
  return unserved(object, name ? "none" : "object", {
    reason: "ClassNotServed",
    message,
    path: "spec",
    what,
  });
}

function orphaned(object: KubeObject, finding: Finding): Unserved {
  if (!mayBeIdle(object)) return { what: object.kind, finding, foundIn: "object", idle: false };
  const message = `is idle, as its annotation ${idleAnnotation} declares: ${finding.message}`;
  return { what: object.kind, finding: { ...finding, message }, foundIn: "none", idle: true };
}

function otherGateway(object: Gateway, store: Store, settings: SettingsSpec): Unserved | undefined {
  if (!servesGateways(settings)) return unserved(object, "settings", { ...noGateway, path: "spec" });
  const why = whyNotServed(object, store, settings);
  if (why === undefined) return undefined;
  const { gatewayClassName } = object.spec;
  const isOurs = store.object(refOf("GatewayClass", "", gatewayClassName)) === undefined;
  return unserved(object, isOurs && settings.gateway.controllerName !== undefined ? "object" : "none", {
    reason: "OtherGateway",
    message: `is not served: ${why}`,
    path: "spec",
    what: settings.gatewayRef ? "Gateway that gatewayRef does not name" : "Gateway of another controller",
  });
}

type Gateway = Extract<KubeObject, { kind: "Gateway" }>;

/** Why a Gateway is not served; undefined where it is. */
function whyNotServed({ ref, spec }: Gateway, store: Store, settings: SettingsSpec): string | undefined {
  const { gatewayRef, gateway } = settings;
  if (gatewayRef && ref === refOf("Gateway", gatewayRef.namespace, gatewayRef.name)) return undefined;
  if (gateway.controllerName === undefined) return gatewayRef && namedBySetting(gatewayRef);
  const found = store.object(refOf("GatewayClass", "", spec.gatewayClassName));
  if (found?.kind !== "GatewayClass") return `its GatewayClass ${spec.gatewayClassName} is not there`;
  const { controllerName } = found.spec;
  if (controllerName === gateway.controllerName)
    return isOfFleet(spec, settings)
      ? undefined
      : "the setting gateway.selector does not select it: it is of another fleet";
  return `its GatewayClass is of the controller ${controllerName}, and the setting gateway.controllerName is ${gateway.controllerName}`;
}

function withoutParent(object: GatewayRoute, store: Store, settings: SettingsSpec): Unserved | undefined {
  if (!servesGateways(settings)) return unserved(object, "settings", { ...noGateway, path: "spec" });
  const problem = parentProblem(object, settings, store);
  if (problem) return unserved(object, "object", problem);
  const missing = settings.gatewayRef && missingGateway(store, settings.gatewayRef);
  const message = `is not served: the setting gatewayRef ${missing}`;
  return missing && settings.gateway.controllerName === undefined
    ? unserved(object, "settings", { reason: "GatewayNotFound", message, path: "spec" })
    : undefined;
}

const noGateway = {
  reason: "NoGateway",
  message: "is not served: the setting gatewayRef names no Gateway",
} as const;

/** Findings about objects that are not served, and about settings that name no Gateway or a missing one. */
export function unservedFindings(store: Store, settings: SettingsSpec): Finding[] {
  const findings: Finding[] = [];
  let routes = 0;
  const gateways: KubeObject[] = [];
  for (const object of store.objects()) {
    const found = whyUnserved(object, store, settings);
    if (found?.foundIn === "object") findings.push(found.finding);
    if (isShadowed(object)) continue;
    if (isGatewayRoute(object)) routes++;
    else if (object.kind === "Gateway") gateways.push(object);
  }
  const problem = settings.gatewayRef
    ? routes > 0 && gatewayProblem(store, settings.gatewayRef)
    : servesGateways(settings)
      ? undefined
      : withoutSetting(routes, gateways);
  if (problem) findings.push(lint(settingsRef, problem));
  return findings;
}

/**
 * The reasons why objects for a host, or for a wildcard that covers it, are not served. They are found by their claims, which
 * objects of all classes and Gateways have.
 */
export function unservedFor(host: string, store: Store, settings: SettingsSpec): Finding[] {
  const names = [host, ...widerThan(host).filter((name) => name !== "*")];
  const refs = new Set<Ref>(
    names.flatMap((name) => [...store.claimants(hostUnit(name)), ...store.claimants(routesKey(name))]),
  );
  return [...refs].flatMap((ref) => {
    const object = store.object(ref);
    const found = object && whyUnserved(object, store, settings);
    return found ? [found.finding] : [];
  });
}

/** Findings about orphans in the namespaces of a host's objects, because a missing route may be in one of them. */
export function orphansBeside(host: string, store: Store, settings: SettingsSpec): Finding[] {
  const namespaces = new Set(store.claimants(hostUnit(host)).map(namespaceOf));
  const findings: Finding[] = [];
  for (const object of store.objects()) {
    if (!namespaces.has(object.meta.namespace) || !isOrphan(object, store)) continue;
    const found = whyUnserved(object, store, settings);
    if (found) findings.push(found.finding);
  }
  return findings;
}

/** The finding for objects of the Gateway API when the settings name no Gateway. */
function withoutSetting(routes: number, gateways: readonly KubeObject[]): Lint | undefined {
  if (routes + gateways.length === 0) return undefined;
  const counts = [plural(routes, "route"), plural(gateways.length, "Gateway")].filter(
    (text) => !text.startsWith("0 "),
  );
  const [first] = gateways;
  const example = first
    ? `gatewayRef: {namespace: ${first.meta.namespace}, name: ${first.meta.name}}`
    : "gatewayRef: {namespace: NAMESPACE, name: NAME}";
  const message = `${counts.join(" and ")} of the Gateway API ${routes + gateways.length === 1 ? "is" : "are"} not served: the settings name no Gateway; set ${example}`;
  return { reason: "NoGateway", message, path: "gatewayRef" };
}

interface GatewayName {
  readonly namespace: string;
  readonly name: string;
}

const namedBySetting = ({ namespace, name }: GatewayName): string =>
  `the setting gatewayRef names ${namespace}/${name}`;

/** The missing part of the Gateway in the settings; undefined when it is complete. */
function missingGateway(store: Store, { namespace, name }: GatewayName): string | undefined {
  const names = `names the Gateway ${namespace}/${name}`;
  const gateway = store.object(refOf("Gateway", namespace, name));
  if (gateway?.kind !== "Gateway") return `${names}, which is missing`;
  const { gatewayClassName } = gateway.spec;
  const hasClass = store.object(refOf("GatewayClass", "", gatewayClassName)) !== undefined;
  return hasClass ? undefined : `${names}, whose GatewayClass ${gatewayClassName} is missing`;
}

/** The finding for a missing Gateway. A missing GatewayClass is reported for the Gateway that names it. */
function gatewayProblem(store: Store, gatewayRef: GatewayName): Lint | undefined {
  const { namespace, name } = gatewayRef;
  if (store.object(refOf("Gateway", namespace, name))) return undefined;
  const message = `${missingGateway(store, gatewayRef)}: no route of the Gateway API is served`;
  return { reason: "GatewayNotFound", message, path: "gatewayRef" };
}

/** The Gateway that a parent of a route means, as `namespace/name`: itself, or that of a ListenerSet. */
function gatewayOf(
  { group, kind, namespace, name }: { group: string; kind: string; namespace: string; name: string },
  store: Store,
): GatewayName | undefined {
  if (group !== gatewayGroup) return undefined;
  if (kind === "Gateway") return { namespace, name };
  const set = kind === "ListenerSet" ? store.object(refOf("ListenerSet", namespace, name)) : undefined;
  if (set?.kind !== "ListenerSet") return undefined;
  const { parentRef } = set.spec;
  return { namespace: parentRef.namespace || namespace, name: parentRef.name };
}

/** Whether a Gateway is served, or the settings name it and it is not there. */
function isServedGateway({ namespace, name }: GatewayName, store: Store, settings: SettingsSpec): boolean {
  const { gatewayRef } = settings;
  if (gatewayRef?.namespace === namespace && gatewayRef.name === name) return true;
  const gateway = store.object(refOf("Gateway", namespace, name));
  return gateway?.kind === "Gateway" && whyNotServed(gateway, store, settings) === undefined;
}

const isOfAnotherFleet = (
  { namespace, name }: GatewayName,
  store: Store,
  settings: SettingsSpec,
): boolean => {
  const gateway = store.object(refOf("Gateway", namespace, name));
  return gateway?.kind === "Gateway" && !isOfFleet(gateway.spec, settings);
};

const hasDefaultGateway = (settings: SettingsSpec, store: Store): boolean =>
  store.claimants(defaultGatewaysKey).some((ref) => {
    const gateway = store.object(ref);
    return gateway?.kind === "Gateway" && isServedGateway(gateway.meta, store, settings);
  });

/** Why no parent of a route is a Gateway that is served; undefined when one is. */
function parentProblem({ meta, spec }: GatewayRoute, settings: SettingsSpec, store: Store): Lint | undefined {
  const { gatewayRef, gateway } = settings;
  const served = gatewayRef
    ? namedBySetting(gatewayRef)
    : `the setting gateway.controllerName is ${gateway.controllerName}`;
  const { useDefaultGateways } = spec;
  if (useDefaultGateways === "All" && hasDefaultGateway(settings, store)) return undefined;
  if (spec.parentRefs.length === 0)
    return {
      reason: "NoParent",
      message: `is not served: it has no parentRefs${useDefaultGateways === "All" ? ", and no Gateway that is served has defaultScope: All" : ""}; ${served}`,
      path: "spec",
    };
  const parents = spec.parentRefs.map((ref) => ({ ...ref, namespace: ref.namespace || meta.namespace }));
  const isServed = parents.some((parent) => {
    const meant = gatewayOf(parent, store);
    const isElsewhere = meant !== undefined && isOfAnotherFleet(meant, store, settings);
    return isElsewhere || (meant !== undefined && isServedGateway(meant, store, settings));
  });
  if (isServed) return undefined;
  const named = parents.map(({ kind, name, namespace }) => {
    const exists = kind !== "Gateway" || store.object(refOf("Gateway", namespace, name));
    return `${kind} ${namespace}/${name}${exists ? "" : " (missing)"}`;
  });
  return {
    reason: "NoMatchingParent",
    message: `is not served: its parents are ${named.join(", ")}; ${served}`,
    path: "spec.parentRefs",
  };
}
