import { classOf, isClassed, isOfClass } from "../graph/class.js";
import { gatewayGroup } from "../schema/gateway.js";
import { type Finding, isSubstitute, refOf } from "../schema/meta.js";
import { type GatewayRoute, isGatewayRoute } from "../schema/object.js";
import { type SettingsSpec, settingsRef } from "../schema/settings.js";
import { plural } from "../schema/words.js";
import type { Store } from "../store/store.js";
import { type Lint, lint } from "./lint.js";

/** Reasons of findings about objects that nothing serves; `Orphaned` is told where includes are read. */
export const unservedReasons: ReadonlySet<string> = new Set([
  "ClassNotServed",
  "NoParent",
  "NoMatchingParent",
  "Orphaned",
]);

/**
 * Objects of routing kinds that nothing serves although they are valid: without the class that is served, without a Gateway, or with
 * parents that are not there. Objects that name another class are left out, as another controller serves them.
 */
export function unservedFindings(store: Store, settings: SettingsSpec): Finding[] {
  const findings: Finding[] = [];
  let routes = 0;
  for (const object of store.objects()) {
    if (isSubstitute(object)) continue;
    if (isClassed(object) && classOf(object) === "" && !isOfClass(object, settings))
      findings.push(lint(object.ref, withoutClass(settings)));
    else if (isGatewayRoute(object)) {
      routes++;
      const problem = settings.gatewayRef && parentProblem(object, settings.gatewayRef, store);
      if (problem) findings.push(lint(object.ref, problem));
    }
  }
  if (settings.gatewayRef) {
    const missing = gatewayProblem(store, settings.gatewayRef);
    if (missing && routes > 0) findings.push(lint(settingsRef, missing));
  } else findings.push(...withoutSetting(store, routes));
  return findings;
}

const withoutClass = ({ ingressClassNames }: SettingsSpec): Lint => ({
  reason: "ClassNotServed",
  message: `is not served: it names no class, and the setting ingressClassNames has ${ingressClassNames.join(", ")} alone`,
  path: "spec",
});

/** Objects of the Gateway API beside settings that name no Gateway. */
function withoutSetting(store: Store, routes: number): Finding[] {
  const gateways = [...store.objects()].filter(({ kind }) => kind === "Gateway");
  if (routes + gateways.length === 0) return [];
  const counts = [plural(routes, "route"), plural(gateways.length, "Gateway")].filter(
    (text) => !text.startsWith("0 "),
  );
  const [first] = gateways;
  const example = first
    ? `gatewayRef: {namespace: ${first.meta.namespace}, name: ${first.meta.name}}`
    : "gatewayRef: {namespace: NAMESPACE, name: NAME}";
  const message = `${counts.join(" and ")} of the Gateway API ${routes + gateways.length === 1 ? "is" : "are"} not served: the settings name no Gateway; set ${example}`;
  return [lint(settingsRef, { reason: "NoGateway", message, path: "gatewayRef" })];
}

interface GatewayName {
  readonly namespace: string;
  readonly name: string;
}

function gatewayProblem(store: Store, { namespace, name }: GatewayName): Lint | undefined {
  const gateway = store.object(refOf("Gateway", namespace, name));
  if (gateway) return undefined;
  const message = `names the Gateway ${namespace}/${name}, which is not there: no route of the Gateway API is served`;
  return { reason: "GatewayNotFound", message, path: "gatewayRef" };
}

/** Why no parent of a route is the Gateway that is served; undefined when one is. */
function parentProblem({ meta, spec }: GatewayRoute, gateway: GatewayName, store: Store): Lint | undefined {
  const served = `the setting gatewayRef names ${gateway.namespace}/${gateway.name}`;
  if (spec.parentRefs.length === 0)
    return {
      reason: "NoParent",
      message: `is not served: it has no parentRefs; ${served}`,
      path: "spec",
    };
  const parents = spec.parentRefs.map((ref) => ({ ...ref, namespace: ref.namespace || meta.namespace }));
  const isServed = parents.some(
    ({ group, kind, name, namespace }) =>
      group === gatewayGroup &&
      kind === "Gateway" &&
      name === gateway.name &&
      namespace === gateway.namespace,
  );
  if (isServed) return undefined;
  const named = parents.map(({ kind, name, namespace }) => {
    const there = kind !== "Gateway" || store.object(refOf("Gateway", namespace, name));
    return `${kind} ${namespace}/${name}${there ? "" : " (not there)"}`;
  });
  return {
    reason: "NoMatchingParent",
    message: `is not served: its parents are ${named.join(", ")}; ${served}`,
    path: "spec.parentRefs",
  };
}
