import { isIP } from "../graph/backends/address.js";
import { isClassed, isOfClass } from "../graph/core/class.js";
import { orphanText } from "../graph/core/orphan.js";
import { type Finding, isShadowed, type ObjectMeta } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import type { SettingsSpec } from "../schema/settings.js";
import { clipped, firstOf } from "./bounds.js";

/** Contour's kinds and Ingress, which have a status without a Gateway. */
export const apiVersions = {
  HTTPProxy: "projectcontour.io/v1",
  IngressRoute: "contour.heptio.com/v1beta1",
  ExtensionService: "projectcontour.io/v1alpha1",
  Ingress: "networking.k8s.io/v1",
} as const;

export type ContourKind = keyof typeof apiVersions;
export type ContourObject = Extract<KubeObject, { kind: ContourKind }>;

export const isContourKind = (kind: string): kind is ContourKind => Object.hasOwn(apiVersions, kind);

/** Whether Isoline reports a status for an object: it is of a served ingress class, and not shadowed. */
export function isReported(object: KubeObject, settings: SettingsSpec): object is ContourObject {
  if (!isContourKind(object.kind) || isShadowed(object)) return false;
  return !isClassed(object) || isOfClass(object, settings);
}

/** The status of an object that was read, from its findings. */
export function contourStatus(
  { kind, meta }: Pick<ContourObject, "kind" | "meta">,
  findings: readonly Finding[],
  orphan: boolean,
  settings: SettingsSpec,
): Record<string, unknown> {
  const balancer = loadBalancer(settings);
  switch (kind) {
    case "Ingress":
      return balancer;
    case "ExtensionService":
      return conditioned(meta.generation, findings, "Valid ExtensionService");
    case "IngressRoute": {
      const described = orphan
        ? { currentStatus: "orphaned", description: orphanText(kind) }
        : verdict(findings, "valid IngressRoute");
      return { ...described, ...balancer };
    }
    case "HTTPProxy":
      return { ...proxyStatus(meta, findings, orphan), ...balancer };
  }
}

/** The status of an object that could not be read; undefined for an Ingress, whose status has no field for errors. */
export function unreadStatus(
  kind: ContourKind,
  generation: number,
  findings: readonly Finding[],
): Record<string, unknown> | undefined {
  if (kind === "Ingress") return undefined;
  const condition = kind === "IngressRoute" ? {} : conditioned(generation, findings);
  const words = kind === "ExtensionService" ? {} : verdict(findings);
  return { ...words, ...condition };
}

function proxyStatus(
  meta: ObjectMeta,
  findings: readonly Finding[],
  orphan: boolean,
): Record<string, unknown> {
  if (!orphan) {
    const valid = errorsOf(findings).length === 0;
    return {
      currentStatus: valid ? "valid" : "invalid",
      description: valid ? "Valid HTTPProxy" : someErrors,
      ...conditioned(meta.generation, findings, "Valid HTTPProxy"),
    };
  }
  const message = orphanText("HTTPProxy");
  const own: Finding = {
    about: "HTTPProxy//",
    severity: "error",
    type: "Orphaned",
    reason: "Orphaned",
    message,
  };
  return {
    currentStatus: "orphaned",
    description: message,
    ...conditioned(meta.generation, [...findings, own]),
  };
}

const someErrors = "At least one error present, see Errors for details";
const errorsOf = (findings: readonly Finding[]): readonly Finding[] =>
  findings.filter(({ severity }) => severity === "error");

/** The status of an IngressRoute: one word and the first error. */
function verdict(findings: readonly Finding[], good = ""): Record<string, unknown> {
  const [first] = errorsOf(findings);
  return first
    ? { currentStatus: "invalid", description: sentenceOf(first) }
    : { currentStatus: "valid", description: good };
}

const sentenceOf = ({ message, path, type }: Finding): string =>
  clipped(`${type === "SchemaError" && path ? `${path}: ` : ""}${message}`);

/** Findings as subconditions, in their order. */
function details(findings: readonly Finding[], what: "errors" | "warnings"): object[] {
  const { first, more } = firstOf(findings);
  const listed = first.map((finding) => ({
    type: finding.type,
    status: "True",
    reason: finding.reason,
    message: sentenceOf(finding),
  }));
  if (more === 0) return listed;
  const message = `and ${more} more ${what}; \`isoline check\` and the server's /status list all`;
  return [...listed, { type: "Truncated", status: "True", reason: "TooMany", message }];
}

/** The condition `Valid` with its errors and warnings. */
function conditioned(
  observedGeneration: number,
  findings: readonly Finding[],
  good = "",
): Record<string, unknown> {
  const errors = errorsOf(findings);
  const warnings = findings.filter(({ severity }) => severity === "warning");
  const valid = errors.length === 0;
  return {
    conditions: [
      {
        type: "Valid",
        status: valid ? "True" : "False",
        observedGeneration,
        reason: valid ? "Valid" : "ErrorPresent",
        message: valid ? good : someErrors,
        ...(valid ? {} : { errors: details(errors, "errors") }),
        ...(warnings.length > 0 ? { warnings: details(warnings, "warnings") } : {}),
      },
    ],
  };
}

/** The addresses and host names of the setting `ingressStatusAddress`. */
export const addressesOf = ({ ingressStatusAddress }: SettingsSpec): string[] =>
  ingressStatusAddress
    .split(",")
    .map((part) => part.trim())
    .filter((part) => part !== "");

/** `status.loadBalancer` from the setting `ingressStatusAddress`: a list of addresses and host names. */
function loadBalancer(settings: SettingsSpec): Record<string, unknown> {
  const ingress = addressesOf(settings).map((address) =>
    isIP(address) ? { ip: address } : { hostname: address },
  );
  return ingress.length > 0 ? { loadBalancer: { ingress } } : {};
}
