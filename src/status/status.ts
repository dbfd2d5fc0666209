import { isIP } from "../graph/address.js";
import { isAllowedClass } from "../graph/class.js";
import { ledgerOf } from "../graph/cost/ledger.js";
import type { Kind, ObjectByKind, Reader } from "../graph/reader.js";
import { gatewayGroup } from "../schema/gateway.js";
import { type Finding, findingsAt, isSubstitute, type ObjectMeta, type Ref, refOf } from "../schema/meta.js";
import type { KubeObject } from "../schema/object.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Store } from "../store/store.js";
import { clipped, firstOf } from "./bounds.js";
import { type GatewayKind, gatewayStatuses } from "./gateway.js";

/** The status of an object, as its CRD (or the Kubernetes API) describes it, but for times. */
export interface ObjectStatus {
  readonly ref: Ref;
  readonly apiVersion: string;
  readonly kind: StatusKind;
  readonly metadata: { readonly namespace: string; readonly name: string };
  readonly status: Readonly<Record<string, unknown>>;
}

const apiVersions = {
  HTTPProxy: "projectcontour.io/v1",
  IngressRoute: "contour.heptio.com/v1beta1",
  ExtensionService: "projectcontour.io/v1alpha1",
  Ingress: "networking.k8s.io/v1",
} as const;

type OwnKind = keyof typeof apiVersions;
export type StatusKind = OwnKind | GatewayKind;
type Reported = Extract<KubeObject, { kind: OwnKind }>;

/** The objects of one cluster, and which of them another cluster's object of the same name stands for. */
interface View {
  held(ref: Ref): KubeObject | undefined;
  conflict(ref: Ref): Finding | undefined;
}

const orphanText = (kind: "HTTPProxy" | "IngressRoute"): string =>
  `this ${kind} is not part of a delegation chain from a root ${kind}`;

/** Whether an object without a virtual host is included (or delegated to) by nobody. */
function isOrphan(object: Reported, store: Store): boolean {
  if (object.kind !== "HTTPProxy" && object.kind !== "IngressRoute") return false;
  if (object.spec.virtualhost) return false;
  return !store.readers(object.ref).some((unit) => unit.startsWith("vhost:"));
}

/** HTTPProxies and IngressRoutes that no root leads to, as findings of error type `Orphaned`. */
export function orphanFindings(store: Store, settings: SettingsSpec): Finding[] {
  return reported(store, settings).flatMap((object) => {
    if (!isOrphan(object, store)) return [];
    const message = orphanText(object.kind as "HTTPProxy");
    return [
      { about: object.ref, severity: "warning" as const, type: "Orphaned", reason: "Orphaned", message },
    ];
  });
}

export interface StatusInput {
  /** About objects that the store does not hold (those that could not be read) or does not know of. */
  readonly others?: readonly Finding[];
  /** Speak of this one of several clusters, on its own objects. */
  readonly member?: View;
  /** As `Platform` has it. */
  checkKeyPair(certificate: string, privateKey: string): string | undefined;
}

/**
 * The status of every object that is ours to judge, at a time in ms: those of our ingress class, and with a Gateway what belongs to
 * it.
 */
export function statuses(
  store: Store,
  settings: SettingsSpec,
  now: number,
  { others = [], member, checkKeyPair }: StatusInput,
): ObjectStatus[] {
  const findings = new Map<Ref, Finding[]>();
  for (const finding of [...others, ...findingsAt(now, store.findings())]) {
    findings.set(finding.about, [...(findings.get(finding.about) ?? []), finding]);
  }
  const held = reported(store, settings).flatMap((object) => {
    const own = member ? member.held(object.ref) : object;
    if (!own) return [];
    const conflict = member?.conflict(object.ref);
    const about = conflict ? [conflict] : (findings.get(object.ref) ?? []);
    const judged = { ...object, meta: own.meta };
    return [statusOf(judged, about, !conflict && isOrphan(object, store), settings)];
  });
  const known = new Set(held.map(({ ref }) => ref));
  const unread = [...findings].flatMap(([ref, about]) => {
    const [kind = "", namespace = "", name = ""] = ref.split("/");
    const unheld = Object.hasOwn(apiVersions, kind) && !known.has(ref) && !store.object(ref);
    // An Ingress has no place for a verdict.
    if (!unheld || !name || kind === "Ingress") return [];
    const condition = kind === "IngressRoute" ? {} : conditioned(0, about);
    const words = kind === "ExtensionService" ? {} : verdict(about);
    return [entry(ref, kind as OwnKind, { namespace, name }, { ...words, ...condition })];
  });
  const gateway = gatewayStatuses({
    store,
    reader: readerOf(store, settings, checkKeyPair),
    findingsOf: (ref) => findings.get(ref) ?? [],
    addresses: addressesOf(settings),
  }).flatMap(({ ref, kind, meta, status }) => {
    if (member && !member.held(ref)) return [];
    const { namespace, name } = meta;
    return [{ ref, apiVersion: `${gatewayGroup}/v1`, kind, metadata: { namespace, name }, status }];
  });
  return [...held, ...unread, ...gateway].sort((a, b) => (a.ref < b.ref ? -1 : 1));
}

/** What a unit sees of a store, unrecorded. */
const readerOf = (store: Store, settings: SettingsSpec, checkKeyPair: Reader["checkKeyPair"]): Reader => ({
  settings,
  checkKeyPair,
  overrun(ref) {
    return ledgerOf(store, this).overrun(ref);
  },
  get<K extends Kind>(kind: K, namespace: string, name: string): ObjectByKind<K> | undefined {
    const object = store.object(refOf(kind, namespace, name));
    return object?.kind === kind ? (object as ObjectByKind<K>) : undefined;
  },
  claimants: (key) => store.claimants(key),
  need: () => undefined,
});

const reported = (store: Store, settings: SettingsSpec): Reported[] =>
  [...store.objects()].filter(
    (object): object is Reported =>
      Object.hasOwn(apiVersions, object.kind) &&
      !isSubstitute(object) &&
      (object.kind === "ExtensionService" ||
        isAllowedClass(
          object,
          object.kind === "HTTPProxy" || object.kind === "Ingress" ? object.spec.ingressClassName : undefined,
          settings,
        )),
  );

function entry(
  ref: Ref,
  kind: OwnKind,
  { namespace, name }: { namespace: string; name: string },
  status: ObjectStatus["status"],
): ObjectStatus {
  return { ref, apiVersion: apiVersions[kind], kind, metadata: { namespace, name }, status };
}

function statusOf(
  object: Reported,
  findings: readonly Finding[],
  orphan: boolean,
  settings: SettingsSpec,
): ObjectStatus {
  const { ref, kind, meta } = object;
  const balancer = loadBalancer(settings);
  switch (kind) {
    case "Ingress":
      return entry(ref, kind, meta, balancer);
    case "ExtensionService":
      return entry(ref, kind, meta, conditioned(meta.generation, findings, "Valid ExtensionService"));
    case "IngressRoute": {
      const described = orphan
        ? { currentStatus: "orphaned", description: orphanText(kind) }
        : verdict(findings, "valid IngressRoute");
      return entry(ref, kind, meta, { ...described, ...balancer });
    }
    case "HTTPProxy":
      return entry(ref, kind, meta, { ...proxyStatus(meta, findings, orphan), ...balancer });
  }
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

/** The form that IngressRoute has: one word and the first error. */
function verdict(findings: readonly Finding[], good = ""): Record<string, unknown> {
  const [first] = errorsOf(findings);
  return first
    ? { currentStatus: "invalid", description: told(first) }
    : { currentStatus: "valid", description: good };
}

const told = ({ message, path, type }: Finding): string =>
  clipped(`${type === "SchemaError" && path ? `${path}: ` : ""}${message}`);

/** Findings as conditions of their own, in the order they were found. */
function details(findings: readonly Finding[], what: "errors" | "warnings"): object[] {
  const { first, more } = firstOf(findings);
  const listed = first.map((finding) => ({
    type: finding.type,
    status: "True",
    reason: finding.reason,
    message: told(finding),
  }));
  if (more === 0) return listed;
  const message = `and ${more} more ${what}; \`isoline check\` and the server's /status have them all`;
  return [...listed, { type: "Truncated", status: "True", reason: "TooMany", message }];
}

/** The condition `Valid` with errors and warnings inside. */
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

const addressesOf = ({ ingressStatusAddress }: SettingsSpec): string[] =>
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
