import type { ObjectMeta } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import type { SettingsSpec } from "../../schema/settings.js";

type Classed = Extract<KubeObject, { kind: "HTTPProxy" | "Ingress" | "IngressRoute" }>;

interface Annotated {
  readonly meta: Pick<ObjectMeta, "annotations">;
}

const annotations = [
  "projectcontour.io/ingress.class",
  "kubernetes.io/ingress.class",
  "contour.heptio.com/ingress.class",
];

/** The class of an object: its annotation, else `spec.ingressClassName`; empty without both. */
function namedClass({ meta }: Annotated, specClass: string | undefined): string {
  const annotation = annotations.map((name) => meta.annotations[name]).find((value) => value !== undefined);
  return annotation || specClass || "";
}

/**
 * Whether an object is of a served ingress class. Without configured classes, objects without a class and objects of
 * class `contour` or `isoline` are served.
 */
export function isAllowedClass(
  object: Annotated,
  specClass: string | undefined,
  settings: SettingsSpec,
): boolean {
  const named = namedClass(object, specClass);
  const configured = settings.ingressClassNames;
  if (configured.length > 0) return configured.includes(named);
  return named === "" || named === "contour" || named === "isoline";
}

/** An object of a kind that has a class. */
export const isClassed = (object: KubeObject): object is Classed =>
  object.kind === "HTTPProxy" || object.kind === "Ingress" || object.kind === "IngressRoute";

const specClassOf = (object: Classed): string | undefined =>
  object.kind === "IngressRoute" ? undefined : object.spec.ingressClassName;

/** The class of an object; empty without one. */
export const classOf = (object: Classed): string => namedClass(object, specClassOf(object));

/** Whether an object is of a served ingress class: see `isAllowedClass`. */
export const isOfClass = (object: Classed, settings: SettingsSpec): boolean =>
  isAllowedClass(object, specClassOf(object), settings);

/** Whether a namespace may contain roots (objects with a virtual host). */
export const isRootNamespace = (namespace: string, settings: SettingsSpec): boolean =>
  settings.rootNamespaces.length === 0 || settings.rootNamespaces.includes(namespace);
