import type { z } from "zod";
import {
  configMapSpec,
  endpointSliceSpec,
  endpointsSpec,
  knownKeys,
  knownOptions,
  namespaceSpec,
  secretSpec,
  serviceSpec,
} from "./core.js";
import { delegationSpec } from "./delegation.js";
import { extensionServiceSpec } from "./extensionservice.js";
import {
  backendTlsPolicySpec,
  gatewayClassSpec,
  gatewayGroup,
  gatewaySpec,
  listenerSetSpec,
  referenceGrantSpec,
} from "./gateway.js";
import { grpcRouteSpec, httpRouteSpec, streamRouteSpec, tlsRouteSpec } from "./gateway-routes.js";
import { httpProxySpec } from "./httpproxy.js";
import { ingressClassSpec, ingressSpec } from "./ingress.js";
import { ingressRouteSpec } from "./ingressroute.js";
import { inspect, isRecord, schemaError, schemaProblems, withoutNulls } from "./issues.js";
import type { Finding, ObjectOf, Ref } from "./meta.js";
import { parseMeta } from "./object-meta.js";
import { oneForEachCause } from "./one-cause.js";
import { routeKinds } from "./routing-kinds.js";
import type { Settings } from "./settings.js";
import { nearestKind } from "./spelling.js";
import { unknownFields } from "./unknown-fields.js";
import { unsupportedFields } from "./unsupported-fields.js";
import { quote } from "./words.js";

type Raw = Readonly<Record<string, unknown>>;

const labelsOf = ({ metadata }: Raw): unknown => (isRecord(metadata) ? metadata.labels : undefined);
const wholeObject = (input: Raw): unknown => input;

const gatewayVersions = (...versions: readonly string[]): readonly string[] =>
  versions.map((version) => `${gatewayGroup}/${version}`);

/**
 * Per kind: the supported versions, the schema, and `body` when the schema describes other fields than `spec`
 * (paths of issues then start at the object).
 */
const kinds = {
  Namespace: {
    versions: ["v1"],
    schema: namespaceSpec,
    clusterScoped: true,
    body: (input: Raw) => ({ labels: labelsOf(input) }),
  },
  Service: { versions: ["v1"], schema: serviceSpec },
  Endpoints: { versions: ["v1"], schema: endpointsSpec, body: wholeObject },
  Secret: {
    versions: ["v1"],
    schema: secretSpec,
    body: ({ type, data, stringData }: Raw) => ({
      type,
      data: knownKeys(data, true),
      stringData: knownKeys(stringData, false),
    }),
  },
  ConfigMap: {
    versions: ["v1"],
    schema: configMapSpec,
    body: ({ data }: Raw) => ({ data: knownOptions(data) }),
  },
  EndpointSlice: {
    versions: ["discovery.k8s.io/v1", "discovery.k8s.io/v1beta1"],
    schema: endpointSliceSpec,
    body: (input: Raw) => {
      const labels = labelsOf(input);
      const service = (isRecord(labels) && labels["kubernetes.io/service-name"]) || "";
      return { addressType: input.addressType, endpoints: input.endpoints, ports: input.ports, service };
    },
  },
  Ingress: {
    versions: ["networking.k8s.io/v1", "networking.k8s.io/v1beta1", "extensions/v1beta1"],
    schema: ingressSpec,
  },
  IngressClass: {
    versions: ["networking.k8s.io/v1", "networking.k8s.io/v1beta1"],
    schema: ingressClassSpec,
    clusterScoped: true,
  },
  HTTPProxy: { versions: ["projectcontour.io/v1", "projectcontour.io/v1alpha1"], schema: httpProxySpec },
  ExtensionService: { versions: ["projectcontour.io/v1alpha1"], schema: extensionServiceSpec },
  IngressRoute: { versions: ["contour.heptio.com/v1beta1"], schema: ingressRouteSpec },
  TLSCertificateDelegation: {
    versions: ["projectcontour.io/v1", "contour.heptio.com/v1beta1"],
    schema: delegationSpec,
  },
  GatewayClass: { versions: gatewayVersions("v1", "v1beta1"), schema: gatewayClassSpec, clusterScoped: true },
  Gateway: {
    versions: gatewayVersions("v1", "v1beta1"),
    schema: gatewaySpec,
    body: (input: Raw) => (isRecord(input.spec) ? { ...input.spec, labels: labelsOf(input) } : input.spec),
  },
  HTTPRoute: { versions: gatewayVersions("v1", "v1beta1"), schema: httpRouteSpec },
  GRPCRoute: { versions: gatewayVersions("v1", "v1alpha2"), schema: grpcRouteSpec },
  TLSRoute: { versions: gatewayVersions("v1", "v1alpha3", "v1alpha2"), schema: tlsRouteSpec },
  TCPRoute: { versions: gatewayVersions("v1", "v1alpha2"), schema: streamRouteSpec },
  UDPRoute: { versions: gatewayVersions("v1", "v1alpha2"), schema: streamRouteSpec },
  ListenerSet: { versions: gatewayVersions("v1"), schema: listenerSetSpec },
  ReferenceGrant: { versions: gatewayVersions("v1", "v1beta1", "v1alpha2"), schema: referenceGrantSpec },
  BackendTLSPolicy: { versions: gatewayVersions("v1", "v1alpha3"), schema: backendTlsPolicySpec },
} as const;

type Kinds = typeof kinds;

/** The supported API versions of a kind, newest first. */
export const versionsRead = (kind: keyof Kinds): readonly string[] => kinds[kind].versions;
type Kind = keyof Kinds;

/** Whether Isoline reads a kind of this name in the API group of `apiVersion`. */
export const isKindRead = (kind: string, apiVersion: string): boolean =>
  Object.hasOwn(kinds, kind) &&
  kinds[kind as Kind].versions.some((known) => groupOf(known) === groupOf(apiVersion));

interface KindReader {
  readonly versions: readonly string[];
  readonly schema: z.ZodType;
  readonly clusterScoped?: boolean;
  readonly body?: (input: Raw) => unknown;
}

/** An object that routing reads, as a union over `kind`. */
export type KubeObject = { [K in Kind]: ObjectOf<K, z.output<Kinds[K]["schema"]>> }[Kind] | Settings;

export type GatewayRoute = Extract<KubeObject, { kind: (typeof routeKinds)[number] }>;

export const isGatewayRoute = (object: KubeObject): object is GatewayRoute =>
  (routeKinds as readonly string[]).includes(object.kind);

export type Parsed =
  /** `findings`: warnings for unknown and unsupported fields. */
  | { readonly object: KubeObject; readonly findings: readonly Finding[] }
  /** A kind that is not read; `findings` has a warning when it is a routing kind that is not supported. */
  | { readonly ignored: string; readonly findings: readonly Finding[] }
  /** `ref` is present when the object has a valid name; `noObject`: the value is not a Kubernetes object. */
  | { readonly findings: readonly Finding[]; readonly ref?: Ref; readonly noObject?: true };

const unnamed: Ref = "Unknown//";

/**
 * Parses one manifest: keeps known fields, and returns each problem as a finding with its field path. Never throws on
 * input. With `namespaces`, objects in other namespaces are ignored without being read.
 */
export function parseObject(input: unknown, namespaces: readonly string[] = []): Parsed {
  if (!isRecord(input))
    return { ...refuse("must be a map with apiVersion, kind and metadata"), noObject: true };
  const { kind, apiVersion } = input;
  if (typeof kind !== "string" || kind === "")
    return { ...refuse("is missing; every object has a kind", "kind"), noObject: true };
  if (typeof apiVersion !== "string" || apiVersion === "")
    return { ...refuse(`is missing; ${quote(kind)} needs one`, "apiVersion"), noObject: true };
  if (namespaces.length > 0 && !isWatched(kind, input, namespaces))
    return { ignored: notWatched(kind), findings: noFindings };
  if (!Object.hasOwn(kinds, kind)) return unknownKind(kind, apiVersion);
  return parseKind(kind as Kind, apiVersion, input);
}

/** The label under which objects outside of `watchNamespaces` are counted. */
export const notWatched = (kind: string): string => `${kind.slice(0, 80)} in namespaces that are not watched`;

function isWatched(kind: string, { metadata }: Raw, namespaces: readonly string[]): boolean {
  const reader: KindReader | undefined = Object.hasOwn(kinds, kind) ? kinds[kind as Kind] : undefined;
  if (reader?.clusterScoped) return true;
  const namespace = isRecord(metadata) ? metadata.namespace : undefined;
  return namespaces.includes(String(namespace || "default"));
}

function parseKind(kind: Kind, apiVersion: string, raw: Raw): Parsed {
  const { versions, schema, clusterScoped = false, body }: KindReader = kinds[kind];
  const version = versions.includes(apiVersion);
  // A kind of the same name in another group, such as a Knative Service, is another kind.
  if (!version && !isKindRead(kind, apiVersion)) return ignore(kind, apiVersion);
  const { problem, path, nulls } = inspect(raw);
  if (problem) return hostile(kind, raw, schemaError(unnamed, problem, path));
  const input = nulls ? (withoutNulls(raw) as Raw) : raw;
  const { meta, ref, about, problems: wrong } = parseMeta(kind, input.metadata, clusterScoped);
  const problems = [...wrong];
  if (!version) {
    const message = `${quote(apiVersion)} of ${kind} is not supported; use ${versions[0]}`;
    const findings = [...wrong.map(({ finding }) => finding), schemaError(about, message, "apiVersion")];
    return { findings, ...(ref ? { ref } : {}) };
  }
  const content = body ? body(input) : (input.spec ?? {});
  const parsed = schema.safeParse(content);
  if (!parsed.success) {
    const prefix = kind === "Namespace" ? ["metadata"] : body && kind !== "Gateway" ? [] : ["spec"];
    problems.push(...schemaProblems(about, parsed.error.issues, content, prefix, kind === "Secret"));
  }
  const unknown = unknownFields(kind, about, input);
  const isRefused = problems.length > 0 || unknown.some(({ severity }) => severity === "error");
  if (isRefused) return { findings: oneForEachCause(problems, unknown), ...(ref ? { ref } : {}) };
  const object = { kind, ref: about, meta, spec: parsed.data } as KubeObject;
  const unsupported = unsupportedFields(kind, about, input);
  return { object, findings: unsupported.length > 0 ? [...unknown, ...unsupported] : unknown };
}

/** For an object that is unsafe to read, reads only the name, so that its previous state is kept. */
function hostile(kind: Kind, { metadata }: Raw, finding: Finding): Parsed {
  const { clusterScoped = false }: KindReader = kinds[kind];
  const { name, namespace } = isRecord(metadata) ? metadata : {};
  const { ref } = parseMeta(kind, { name, namespace }, clusterScoped);
  return ref ? { findings: [{ ...finding, about: ref }], ref } : { findings: [finding] };
}

const groupOf = (apiVersion: string): string => apiVersion.slice(0, Math.max(apiVersion.indexOf("/"), 0));
const contourGroups = new Set(["projectcontour.io", "contour.heptio.com"]);
const unusedContourKinds = new Set(["ContourConfiguration", "ContourDeployment"]);

/** Reports a misspelt kind in a known API group as an error; other unknown kinds are ignored. */
function unknownKind(kind: string, apiVersion: string): Parsed {
  const group = groupOf(apiVersion);
  const inGroup = Object.entries(kinds).filter(([, { versions }]) =>
    versions.some((known) => groupOf(known) === group),
  );
  const near = nearestKind(
    kind,
    inGroup.map(([known]) => known),
  );
  if (near)
    return refuse(`${quote(kind)} is not a kind of ${quote(apiVersion)}; did you mean ${near}?`, "kind");
  if (contourGroups.has(group) && !unusedContourKinds.has(kind)) {
    return refuse(
      `${quote(kind)} is not a kind of ${quote(apiVersion)}; use HTTPProxy or another kind that it has`,
      "kind",
    );
  }
  return ignore(kind, apiVersion);
}

const noFindings: readonly Finding[] = [];

const ignore = (kind: string, apiVersion: string): Parsed => ({
  ignored: `${kind.slice(0, 80)} of ${apiVersion.slice(0, 80)}`,
  findings: noFindings,
});

const refuse = (message: string, path?: string): { readonly findings: readonly Finding[] } => ({
  findings: [schemaError(unnamed, message, path)],
});

/** The objects of a document. `problem`: the document is not a manifest; callers must not treat it as an empty one. */
export type Members = { readonly members: readonly unknown[] } | { readonly problem: string };

/**
 * Returns the objects of a document: the items of a Kubernetes list (`kind: List`, `HTTPProxyList`), the items of a JSON
 * array, or the value itself. Items of a typed list get its kind and version. Answers of the Kubernetes API that are not
 * objects (an error, a table, a page of a list) are a problem, because they do not show which objects exist.
 */
export function membersOf(input: unknown): Members {
  if (Array.isArray(input)) return arrayMembers(input);
  if (!isRecord(input)) return { members: [input] };
  const problem = answerProblem(input) ?? listProblem(input);
  if (problem) return { problem };
  if (!isList(input) || !Array.isArray(input.items)) return { members: [input] };
  const kind = String(input.kind).slice(0, -"List".length);
  if (!kind) return { members: input.items };
  return {
    members: input.items.map((item: unknown) =>
      isRecord(item) ? { apiVersion: input.apiVersion, kind, ...item } : item,
    ),
  };
}

function arrayMembers(input: readonly unknown[]): Members {
  const members: unknown[] = [];
  for (const [i, one] of input.entries()) {
    const found: Members = Array.isArray(one) ? { members: [one] } : membersOf(one);
    if ("problem" in found) return { problem: `[${i}] ${found.problem}` };
    for (const member of found.members) members.push(member);
  }
  return { members };
}

const isList = ({ kind, items }: Raw): boolean =>
  kind === "List" ||
  (typeof kind === "string" &&
    kind.endsWith("List") &&
    (items !== undefined || Object.hasOwn(kinds, kind.slice(0, -"List".length))));

/** Kinds of the group meta.k8s.io that contain parts of objects. */
const partialKinds: ReadonlySet<unknown> = new Set([
  "Table",
  "PartialObjectMetadata",
  "PartialObjectMetadataList",
]);

function answerProblem({ kind, apiVersion }: Raw): string | undefined {
  const version = typeof apiVersion === "string" ? apiVersion : "";
  if (kind === "Status" && (version === "v1" || groupOf(version) === "meta.k8s.io"))
    return "is a Status, which is an error of the Kubernetes API; provide the objects instead";
  if (partialKinds.has(kind) && groupOf(version) === "meta.k8s.io")
    return `is a ${String(kind)}, which does not contain whole objects; get them as YAML or JSON`;
  return undefined;
}

function listProblem(input: Raw): string | undefined {
  if (!isList(input)) return undefined;
  const { kind, apiVersion, metadata, items } = input;
  if (kind === "List" && apiVersion !== "v1") return 'is a List whose apiVersion is not "v1"';
  if (!Array.isArray(items)) return "is a list without `items`; an empty one has `items: []`";
  if (isRecord(metadata) && metadata.continue)
    return "is one page of a list (`metadata.continue` is set); get the whole list";
  for (const [i, item] of items.entries()) {
    if (!isRecord(item)) return `items[${i}] is not an object`;
    if (isList(item)) return `items[${i}] is a list; move its items into the outer list`;
    const problem = answerProblem(item);
    if (problem) return `items[${i}] ${problem}`;
  }
  return undefined;
}
