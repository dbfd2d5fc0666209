import { anyHost } from "../graph/claims.js";
import { isClassed, isOfClass } from "../graph/class.js";
import { type Finding, isSubstitute, kindOf, namespaceOf } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Store } from "../store/store.js";
import { lintAnnotations } from "./annotations.js";
import { lintHttpProxy } from "./httpproxy.js";
import { lintIngress } from "./ingress.js";
import { unservedFindings } from "./unserved.js";
import { lintValues } from "./values.js";

/**
 * Warnings about objects that are valid: parts that have no effect, and objects that nothing serves. They follow from the objects
 * alone and cost a walk of them all, so that a server does not keep them.
 */
export function lintFindings(store: Store, settings: SettingsSpec): Finding[] {
  const findings: Finding[] = [];
  for (const object of store.objects()) {
    if (isSubstitute(object) || (isClassed(object) && !isOfClass(object, settings))) continue;
    findings.push(...lintAnnotations(object), ...lintValues(object), ...lintSpec(object, store));
  }
  return [...findings, ...unservedFindings(store, settings)];
}

function lintSpec(object: KubeObject, store: Store): Finding[] {
  if (object.kind === "HTTPProxy") return lintHttpProxy(object);
  if (object.kind !== "Ingress") return [];
  const { namespace } = object.meta;
  return lintIngress(object, (host) =>
    store
      .claimants(`vhost:${host || anyHost}`)
      .some((ref) => kindOf(ref) === "Ingress" && namespaceOf(ref) === namespace),
  );
}
