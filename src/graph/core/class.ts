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

/** The class that an object names: the annotation first, then `spec.ingressClassName`; empty when it names none. */
function namedClass({ meta }: Annotated, specClass: string | undefined): string {
  const annotation = annotations.map((name) => meta.annotations[name]).find((value) => value !== undefined);
  return annotation || specClass || "";
}

/**
 * Whether an object is of an ingress class that we serve. With no class configured, objects without a class and those of class
 * `contour` or `isoline` are served.
 */
export function isAllowedClass(
  object: Annotated,
  specClass: string | undefined,
  settings: SettingsSpec,
): boolean {
  const asked = namedClass(object, specClass);
  const configured = settings.ingressClassNames;
  if (configured.length > 0) return configured.includes(asked);
  return asked === "" || asked === "contour" || asked === "isoline";
}

/** Whether an Ingress is of a class that is served as ingress-nginx serves it. */
export const isNginxClass = (
  ingress: Annotated,
  specClass: string | undefined,
  { ingressNginx }: SettingsSpec,
): boolean => ingressNginx?.classes.includes(namedClass(ingress, specClass)) ?? false;

/** An object of a kind that has a class. */
export const isClassed = (object: KubeObject): object is Classed =>
  object.kind === "HTTPProxy" || object.kind === "Ingress" || object.kind === "IngressRoute";

const specClassOf = (object: Classed): string | undefined =>
  object.kind === "IngressRoute" ? undefined : object.spec.ingressClassName;

/** The class that an object names; empty when it names none. */
export const classOf = (object: Classed): string => namedClass(object, specClassOf(object));

/** Whether an object is of an ingress class that we serve: see `isAllowedClass`. */
export const isOfClass = (object: Classed, settings: SettingsSpec): boolean =>
  isAllowedClass(object, specClassOf(object), settings) || isOfNginx(object, settings);

/** Whether an object is an Ingress that is served as ingress-nginx serves it. */
export const isOfNginx = (object: KubeObject, settings: SettingsSpec): boolean =>
  object.kind === "Ingress" && isNginxClass(object, object.spec.ingressClassName, settings);

/** Whether roots (objects with a virtual host) may live in a namespace. */
export const isRootNamespace = (namespace: string, settings: SettingsSpec): boolean =>
  settings.rootNamespaces.length === 0 || settings.rootNamespaces.includes(namespace);
