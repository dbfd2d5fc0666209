import { type Finding, isShadowed } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import type { SettingsSpec } from "../../schema/settings.js";
import type { Store } from "../../store/store.js";
import { isOfClass } from "./class.js";
import { isHostUnit } from "./keys.js";

type Delegating = Extract<KubeObject, { kind: "HTTPProxy" | "IngressRoute" }>;

export const orphanText = (kind: Delegating["kind"]): string =>
  `this ${kind} is not part of a delegation chain from a root ${kind}`;

/** Whether an object has no virtual host and no root includes (or delegates to) it. */
export function isOrphan(object: KubeObject, store: Store): object is Delegating {
  if (object.kind !== "HTTPProxy" && object.kind !== "IngressRoute") return false;
  if (object.spec.virtualhost) return false;
  return !store.readers(object.ref).some(isHostUnit);
}

/** Declares that an object may be without a root, such as the idle one of a blue-green pair. */
export const idleAnnotation = "isoline.dev/idle";

export const mayBeIdle = ({ meta }: KubeObject): boolean =>
  meta.annotations[idleAnnotation]?.trim() === "true";

/**
 * Findings of type `Orphaned` for HTTPProxies and IngressRoutes that no root includes and that are not declared idle.
 */
export function orphanFindings(store: Store, settings: SettingsSpec): Finding[] {
  const found: Finding[] = [];
  for (const object of store.objects())
    if (!isShadowed(object) && isOrphan(object, store) && isOfClass(object, settings) && !mayBeIdle(object))
      found.push(orphanFinding(object));
  return found;
}

export const orphanFinding = ({ ref, kind }: Delegating): Finding => ({
  about: ref,
  severity: "warning",
  type: "Orphaned",
  reason: "Orphaned",
  message: orphanText(kind),
});
