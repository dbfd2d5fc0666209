import { anyHost } from "../graph/core/claims.js";
import { isClassed, isOfClass } from "../graph/core/class.js";
import { hostUnit } from "../graph/core/keys.js";
import { type Finding, isShadowed, kindOf, namespaceOf } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Store } from "../store/store.js";
import { lintAnnotations } from "./annotations.js";
import { lintHttpProxy } from "./httpproxy.js";
import { lintIngress } from "./ingress.js";
import { unservedFindings, whyUnserved } from "./unserved.js";
import { lintValues } from "./values.js";

/**
 * Warnings about valid objects: parts without effect, and objects that are not served. They depend only on the objects, and
 * their computation visits all of them, so a server does not store them.
 */
export function lintFindings(store: Store, settings: SettingsSpec): Finding[] {
  const findings: Finding[] = [];
  for (const object of store.objects()) findings.push(...lintParts(object, store, settings));
  return [...findings, ...unservedFindings(store, settings)];
}

/** The warnings about one object of the store, including those that `lintFindings` reports for the settings. */
export function lintObject(object: KubeObject, store: Store, settings: SettingsSpec): Finding[] {
  const unserved = whyUnserved(object, store, settings);
  const parts = lintParts(object, store, settings);
  return unserved && unserved.foundIn !== "none" ? [...parts, unserved.finding] : parts;
}

function lintParts(object: KubeObject, store: Store, settings: SettingsSpec): Finding[] {
  if (isShadowed(object) || (isClassed(object) && !isOfClass(object, settings))) return [];
  return [...lintAnnotations(object), ...lintValues(object), ...lintSpec(object, store)];
}

function lintSpec(object: KubeObject, store: Store): Finding[] {
  if (object.kind === "HTTPProxy") return lintHttpProxy(object);
  if (object.kind !== "Ingress") return [];
  const { namespace } = object.meta;
  return lintIngress(object, (host) =>
    store
      .claimants(hostUnit(host || anyHost))
      .some((ref) => kindOf(ref) === "Ingress" && namespaceOf(ref) === namespace),
  );
}
