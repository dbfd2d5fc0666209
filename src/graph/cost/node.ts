import type { ObjectMeta, Ref } from "../../schema/meta.js";
import { refOf } from "../../schema/meta.js";
import type { KubeObject } from "../../schema/object.js";
import type { MatchCondition } from "../api/httpproxy/conditions.js";
import { secretName } from "../certificates/secret.js";
import type { ObjectByKind } from "../core/reader.js";
import { regexProgramSize } from "../matches/regex.js";
import { clusterFieldsOf } from "../policies/index.js";
import { nothing, plus, type Size } from "./size.js";

/** A reference that adds another object's content: an include, a delegation, a Secret whose content is copied. */
export interface Edge {
  readonly to: Ref;
  readonly times: number;
  /** Added to each route behind the edge: the conditions of an include. */
  readonly perRoute: Size;
}

/** The content of an object and its references, read from the object alone. */
export interface CostNode {
  readonly ref: Ref;
  readonly meta: ObjectMeta;
  /** `spec.ingressClassName`. */
  readonly className: string | undefined;
  /** Whether the object has hosts of its own, so that all its includes are charged to it. */
  readonly isOwner: boolean;
  /** One copy of its own content. */
  readonly own: Size;
  /** The part of `own` that is free once: the content that the object itself contains. */
  readonly free: Size;
  readonly edges: readonly Edge[];
  /** The servers of its remote key sets: one Envoy cluster each. */
  readonly keySets: readonly string[];
}

type Proxy = ObjectByKind<"HTTPProxy">;
type ProxyRoute = NonNullable<Proxy["spec"]["routes"]>[number];
export type RouteObject = ObjectByKind<"HTTPRoute"> | ObjectByKind<"GRPCRoute">;

/** Bytes of an Envoy route besides the content of the object. */
const frameBytes = 256;
/** Bytes of the session of one backend, and of the filter ExternalAuth of one route. */
const sessionBytes = 700;
const authBytes = 1500;
/** Instructions that an ordinary expression may have besides one for each character. */
const ordinary = 40;

/**
 * Lists all texts under the key `regex`, and origins of CORS policies, which may be expressions. Runs for every
 * object.
 */
function expressionsOf(value: unknown, found: string[] = []): string[] {
  if (typeof value !== "object" || value === null) return found;
  if (Array.isArray(value)) {
    for (const inner of value) expressionsOf(inner, found);
    return found;
  }
  for (const key in value) {
    const inner: unknown = (value as Readonly<Record<string, unknown>>)[key];
    if (typeof inner === "object") {
      if (key === "allowOrigin" && Array.isArray(inner)) found.push(...inner.map(String));
      else expressionsOf(inner, found);
    } else if (key === "regex" && typeof inner === "string" && inner !== "") found.push(inner);
  }
  return found;
}

/** The program sizes of expressions, and the free part: the program size of plain text of the same length. */
function programsOf(expressions: readonly string[]): { size: number; free: number } {
  let size = 0;
  let free = 0;
  for (const expression of expressions) {
    const program = regexProgramSize(expression);
    size += program;
    free += Math.min(program, expression.length + ordinary);
  }
  return { size, free };
}

const exceeds = (expressions: readonly string[]): boolean => {
  const { size, free } = programsOf(expressions);
  return size > free;
};

/**
 * The paths of an Ingress that may be expressions. An `ImplementationSpecific` path without operators has the size of
 * its text.
 */
const pathsOf = ({ spec }: ObjectByKind<"Ingress">): string[] =>
  (spec.rules ?? []).flatMap(({ http }) =>
    (http?.paths ?? []).flatMap(({ path, pathType }) =>
      pathType === "ImplementationSpecific" && path ? [path] : [],
    ),
  );

function gatewayExpressionsOf({ spec }: RouteObject): string[] {
  const found: string[] = [];
  const add = (match: { type?: string; value?: string; service?: string; method?: string } | undefined) => {
    if (match?.type !== "RegularExpression") return;
    for (const text of [match.value, match.service, match.method]) if (text) found.push(text);
  };
  for (const { matches } of spec.rules)
    for (const match of matches) {
      if ("path" in match) add(match.path);
      if ("method" in match && typeof match.method === "object") add(match.method);
      if ("queryParams" in match) match.queryParams.forEach(add);
      match.headers.forEach(add);
    }
  return found;
}

/** Whether an object may generate more than its content; cheap, because it runs for every object. */
export function isCostly(object: KubeObject): boolean {
  switch (object.kind) {
    case "HTTPProxy":
      return (
        (object.spec.includes?.length ?? 0) > 0 ||
        secretsOf(object).length > 0 ||
        keySetsOf(object).length > 0 ||
        exceeds(expressionsOf([object.spec.routes, object.spec.virtualhost]))
      );
    case "IngressRoute":
      return delegationEdges(object).length > 0;
    case "Ingress":
      return exceeds(pathsOf(object));
    case "HTTPRoute":
    case "GRPCRoute":
      return true;
    default:
      return false;
  }
}

/** The sizes and edges of an object; undefined for kinds without routes. */
export function costNodeOf(object: KubeObject): CostNode | undefined {
  const base = { ref: object.ref, meta: object.meta, className: undefined, isOwner: true, keySets: [] };
  switch (object.kind) {
    case "HTTPProxy":
      return {
        ...base,
        className: object.spec.ingressClassName,
        isOwner: object.spec.virtualhost !== undefined,
        ...proxySizes(object),
        keySets: keySetsOf(object),
        edges: proxyEdges(object),
      };
    case "IngressRoute":
      return {
        ...base,
        isOwner: object.spec.virtualhost !== undefined,
        ...ownAndFree(sizeOfRoutes(object.spec.routes ?? [])),
        edges: delegationEdges(object),
      };
    case "Ingress": {
      const programs = programsOf(pathsOf(object));
      return {
        ...base,
        className: object.spec.ingressClassName,
        own: { ...nothing, programSize: programs.size },
        free: { ...nothing, programSize: programs.free },
        edges: [],
      };
    }
    case "HTTPRoute":
    case "GRPCRoute":
      // Their sizes count only where they are attached to many listeners: see `gatewaySizes`.
      return { ...base, own: nothing, free: nothing, edges: [] };
    case "Secret":
      return {
        ...base,
        isOwner: false,
        ...ownAndFree({ ...nothing, bytes: JSON.stringify(object.spec).length }),
        edges: [],
      };
    default:
      return undefined;
  }
}

const ownAndFree = (size: Size): Pick<CostNode, "own" | "free"> => ({ own: size, free: size });

const sizeOfRoutes = (routes: readonly object[]): Size => ({
  routes: routes.length,
  bytes: JSON.stringify(routes).length + routes.length * frameBytes,
  programSize: 0,
  keySets: 0,
});

function proxySizes({ spec }: Proxy): Pick<CostNode, "own" | "free"> {
  const { routes = [], includes = [] } = spec;
  const size = plus(sizeOfRoutes(routes), { ...nothing, routes: includes.length });
  const programs = programsOf(expressionsOf([routes, spec.virtualhost]));
  return { own: { ...size, programSize: programs.size }, free: { ...size, programSize: programs.free } };
}

function proxyEdges(proxy: Proxy): Edge[] {
  const { meta, spec } = proxy;
  const included = (spec.includes ?? []).map(({ name, namespace, conditions = [] }) => ({
    to: refOf("HTTPProxy", namespace || meta.namespace, name),
    times: 1,
    perRoute: perRoute(conditions),
  }));
  return [...included, ...secretEdges(secretsOf(proxy), meta.namespace)];
}

const perRoute = (conditions: readonly MatchCondition[]): Size =>
  conditions.length === 0
    ? nothing
    : {
        ...nothing,
        bytes: JSON.stringify(conditions).length,
        programSize: programsOf(expressionsOf(conditions)).size,
      };

function delegationEdges({ meta, spec }: ObjectByKind<"IngressRoute">): Edge[] {
  const edges: Edge[] = [];
  const clusters = new Map<string, string>();
  for (const { delegate, services = [] } of spec.routes ?? []) {
    if (delegate) {
      const to = refOf("IngressRoute", delegate.namespace || meta.namespace, delegate.name);
      edges.push({ to, times: 1, perRoute: nothing });
    }
    for (const { weight: _, ...service } of services)
      if (service.validation?.caSecret) clusters.set(JSON.stringify(service), service.validation.caSecret);
  }
  return [...edges, ...secretEdges([...clusters.values()], meta.namespace)];
}

function secretEdges(names: readonly string[], namespace: string): Edge[] {
  const found = new Map<Ref, number>();
  for (const one of names) {
    const secret = secretName(one, namespace);
    const ref = refOf("Secret", secret.namespace, secret.name);
    found.set(ref, (found.get(ref) ?? 0) + 1);
  }
  return [...found].map(([to, times]) => ({ to, times, perRoute: nothing }));
}

function keySetsOf({ spec: { virtualhost } }: Proxy): string[] {
  const servers = (virtualhost?.jwtProviders ?? []).flatMap(({ remoteJWKS }) =>
    remoteJWKS
      ? JSON.stringify([originOf(remoteJWKS.uri), remoteJWKS.dnsLookupFamily, remoteJWKS.validation])
      : [],
  );
  return [...new Set(servers)];
}

const originOf = (uri: string): string => /^[^:/?#]+:\/\/[^/?#]*/.exec(uri)?.[0].toLowerCase() ?? uri;

/** Secrets whose content is copied into clusters and listeners: one entry for each copy. */
function secretsOf({ spec: { virtualhost: host, routes = [], tcpproxy } }: Proxy): string[] {
  const { caSecret, crlSecret } = host?.tls?.clientValidation ?? {};
  const keySets = (host?.jwtProviders ?? []).flatMap(({ localJWKS, remoteJWKS }) => [
    localJWKS?.secretName,
    remoteJWKS?.validation?.caSecret,
  ]);
  const clusters = new Map<string, string>();
  for (const route of routes)
    for (const service of route.services ?? [])
      if (service.validation) clusters.set(clusterKey(route, service), service.validation.caSecret);
  for (const service of tcpproxy?.services ?? [])
    if (service.validation) clusters.set(JSON.stringify(["tcp", service]), service.validation.caSecret);
  return [caSecret, crlSecret, ...keySets, ...clusters.values()].filter((name) => name !== undefined);
}

/** The fields that distinguish the clusters of an object; equal ones are one cluster. */
const clusterKey = (
  route: ProxyRoute,
  { weight: _weight, mirror: _mirror, ...service }: NonNullable<ProxyRoute["services"]>[number],
): string =>
  // The name that TLS asks for follows from the Host header.
  JSON.stringify([service, clusterFieldsOf(route), route.requestHeadersPolicy]);

/** Whether one copy of a route for each host and port is all that it generates: no rule is written several times. */
export const isWrittenOnce = (route: RouteObject): boolean =>
  route.spec.rules.every(({ matches }) => matches.length <= 1) && gatewayExpressionsOf(route).length === 0;

/** Filters and backends of a rule are written for each of its matches. */
export function gatewaySizes(route: RouteObject): Pick<CostNode, "own" | "free"> {
  let routes = 0;
  let bytes = 0;
  let matched = 0;
  let copies = 0;
  for (const { matches, ...shared } of route.spec.rules) {
    const count = Math.max(1, matches.length);
    const kept = sessionCopies(shared);
    routes += count;
    copies += count * kept;
    const size = JSON.stringify(shared).length + frameBytes + (shared.sessionPersistence ? sessionBytes : 0);
    const auth = shared.filters.filter(({ externalAuth }) => externalAuth).length * authBytes;
    bytes += JSON.stringify(matches).length * (1 + kept) + count * (1 + 2 * kept) * (size + auth);
    matched += JSON.stringify(matches).length + size + auth + count * frameBytes;
  }
  const programs = programsOf(gatewayExpressionsOf(route));
  return {
    own: { routes: routes + copies, bytes, programSize: programs.size, keySets: 0 },
    free: { routes, bytes: matched, programSize: programs.free, keySets: 0 },
  };
}

/** Each match of a rule with sessions has a route for each backend besides its own, if there are several backends. */
const sessionCopies = ({
  sessionPersistence,
  backendRefs,
}: Pick<RouteObject["spec"]["rules"][number], "sessionPersistence" | "backendRefs">): number =>
  sessionPersistence && backendRefs.length > 1 ? backendRefs.length : 0;
