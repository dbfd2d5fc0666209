import type { ObjectMeta } from "../schema/meta.js";
import type { SettingsSpec } from "../schema/settings.js";

const annotations = [
  "projectcontour.io/ingress.class",
  "kubernetes.io/ingress.class",
  "contour.heptio.com/ingress.class",
];

/**
 * Whether an object is of an ingress class that we serve: the annotation first, then `spec.ingressClassName`. With no
 * class configured, objects without a class and those of class `contour` or `isoline` are served.
 */
export function isAllowedClass(
  object: { readonly meta: Pick<ObjectMeta, "annotations"> },
  specClass: string | undefined,
  settings: SettingsSpec,
): boolean {
  const annotation = annotations
    .map((name) => object.meta.annotations[name])
    .find((value) => value !== undefined);
  const asked = annotation || specClass || "";
  const configured = settings.ingressClassNames;
  if (configured.length > 0) return configured.includes(asked);
  return asked === "" || asked === "contour" || asked === "isoline";
}

/** Whether roots (objects with a virtual host) may live in a namespace. */
export const isRootNamespace = (namespace: string, settings: SettingsSpec): boolean =>
  settings.rootNamespaces.length === 0 || settings.rootNamespaces.includes(namespace);
