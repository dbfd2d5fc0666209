import { idleAnnotation, mayBeIdle } from "../graph/core/orphan.js";
import { routeAnnotations } from "../graph/policies/index.js";
import { isForeignRestriction } from "../schema/foreign-annotations.js";
import type { Finding } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import { nearestName } from "../schema/spelling.js";
import { type Lint, lint } from "./lint.js";
import { suppressAnnotation } from "./suppress.js";

const classes = ["kubernetes.io/ingress.class", "projectcontour.io/ingress.class"];

const ofRoutes = routeAnnotations.map(({ name }) => name);

/** The annotations of Contour (internal/annotation of its source) and of Isoline, by kind. */
const known: Readonly<Record<string, readonly string[]>> = {
  Ingress: [
    ...classes,
    ...ofRoutes,
    "ingress.kubernetes.io/force-ssl-redirect",
    "kubernetes.io/ingress.allow-http",
    "kubernetes.io/ingress.global-static-ip-name",
    "projectcontour.io/num-retries",
    "projectcontour.io/per-try-timeout",
    "projectcontour.io/request-timeout",
    "projectcontour.io/response-timeout",
    "projectcontour.io/retry-on",
    "projectcontour.io/tls-cert-namespace",
    "projectcontour.io/tls-maximum-protocol-version",
    "projectcontour.io/tls-minimum-protocol-version",
    "projectcontour.io/websocket-routes",
  ],
  IngressClass: ["ingressclass.kubernetes.io/is-default-class"],
  Service: [
    "isoline.dev/endpoints",
    "projectcontour.io/max-connections",
    "projectcontour.io/max-pending-requests",
    "projectcontour.io/max-requests",
    "projectcontour.io/max-retries",
    "projectcontour.io/per-host-max-connections",
    "projectcontour.io/upstream-protocol.h2",
    "projectcontour.io/upstream-protocol.h2c",
    "projectcontour.io/upstream-protocol.tls",
  ],
  HTTPProxy: [...classes, idleAnnotation, ...ofRoutes, "isoline.dev/included-by"],
  IngressRoute: [...classes, idleAnnotation, ...ofRoutes, "isoline.dev/included-by"],
  HTTPRoute: ofRoutes,
  GRPCRoute: ofRoutes,
  Secret: ["projectcontour.io/generated-by-version"],
};

/** The annotations for `isoline check`, which every kind may have. */
const general: readonly string[] = [suppressAnnotation];
const all = [...new Set([...Object.values(known).flat(), ...general])];
/** The prefixes that only Contour and Isoline use. */
const ours = /^(?:projectcontour\.io|contour\.heptio\.com|isoline\.dev)\//;

const isNumber = (value: string): string | undefined =>
  /^\d+$/.test(value) && Number(value) <= 4294967295 ? undefined : "must be a whole number below 2^32";
const isOneOf =
  (...values: readonly string[]) =>
  (value: string): string | undefined =>
    values.includes(value) ? undefined : `must be one of ${values.join(", ")}`;

const version = isOneOf("1.2", "1.3");
const boolean = isOneOf("true", "false");

/** The problem of a value, for annotations whose readers ignore invalid values. */
const values: Readonly<Record<string, (value: string) => string | undefined>> = {
  "ingress.kubernetes.io/force-ssl-redirect": boolean,
  "ingressclass.kubernetes.io/is-default-class": boolean,
  "isoline.dev/endpoints": isOneOf("eds", "inline", "service"),
  ...Object.fromEntries(routeAnnotations.map(({ name, values }) => [name, isOneOf(...values)])),
  [idleAnnotation]: boolean,
  "kubernetes.io/ingress.allow-http": boolean,
  "projectcontour.io/max-connections": isNumber,
  "projectcontour.io/max-pending-requests": isNumber,
  "projectcontour.io/max-requests": isNumber,
  "projectcontour.io/max-retries": isNumber,
  "projectcontour.io/num-retries": (value) =>
    /^-1$|^\d{1,9}$/.test(value) ? undefined : "must be a whole number, or -1 for no retries",
  "projectcontour.io/per-host-max-connections": isNumber,
  "projectcontour.io/tls-maximum-protocol-version": version,
  "projectcontour.io/tls-minimum-protocol-version": version,
};

/** Warnings about annotations without effect, and about values that are ignored. */
export function lintAnnotations(object: KubeObject): Finding[] {
  return Object.entries(object.meta.annotations).flatMap(([name, value]) => {
    const problem = problemOf(object, name, value);
    return problem
      ? lint(object.ref, { ...problem, path: `metadata.annotations[${JSON.stringify(name)}]` })
      : [];
  });
}

const isRoot = ({ kind, spec }: KubeObject): boolean =>
  (kind === "HTTPProxy" || kind === "IngressRoute") &&
  "virtualhost" in spec &&
  spec.virtualhost !== undefined;

function problemOf(object: KubeObject, name: string, value: string): Omit<Lint, "path"> | undefined {
  const { kind } = object;
  if (kind === "Ingress" && isForeignRestriction(name))
    return {
      reason: "ForeignAnnotation",
      message: `${JSON.stringify(name)} is an annotation of another controller and has no effect: the routes are open; use an HTTPProxy or an HTTPRoute with the policy`,
    };
  const current = name.replace(/^contour\.heptio\.com\//, "projectcontour.io/");
  if (general.includes(current)) return undefined;
  if (known[kind]?.includes(current)) {
    const wrong = values[current]?.(value.trim());
    if (current === idleAnnotation && mayBeIdle(object) && isRoot(object))
      return {
        reason: "IgnoredField",
        message: `${JSON.stringify(name)} has no effect on an object with a virtual host, which is always served`,
      };
    return wrong
      ? {
          reason: "AnnotationNotValid",
          message: `${wrong}, found ${JSON.stringify(value.slice(0, 80))}; it has no effect`,
        }
      : undefined;
  }
  const owners = Object.keys(known).filter((one) => known[one]?.includes(current));
  if (owners.length > 0 && known[kind] !== undefined)
    return {
      reason: "AnnotationOfAnotherKind",
      message: `${JSON.stringify(name)} has no effect on ${kind}; it is for ${owners.join(", ")}`,
    };
  if (owners.length > 0 || !ours.test(name)) return undefined;
  const near = nearestName(current, known[kind] ? [...known[kind], ...general] : all);
  const hint = near ? `; did you mean ${near}?` : "; it has no effect";
  return {
    reason: "UnknownAnnotation",
    message: `${JSON.stringify(name)} is not an annotation of ${kind}${hint}`,
  };
}
