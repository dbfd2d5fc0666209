import type { Reader } from "../core/reader.js";
import { authorization } from "./authorization.js";
import { basicAuth } from "./basic-auth.js";
import { circuitBreakers } from "./circuit-breakers.js";
import { compression } from "./compression.js";
import { connectTimeoutMs } from "./connect-timeout.js";
import { cookieRewrites } from "./cookie.js";
import { cors } from "./cors.js";
import { requestHeaders, responseHeaders } from "./headers.js";
import { healthCheck } from "./health-check.js";
import { internalRedirect } from "./internal-redirect.js";
import { ipFilter } from "./ip-filter.js";
import { jwt } from "./jwt.js";
import { hash, loadBalancing } from "./load-balancing.js";
import { nginxPhases } from "./nginx-phases.js";
import { pathRewrite } from "./path-rewrite.js";
import {
  type Annotations,
  type Fields,
  type HostContext,
  type IngressContext,
  type IngressRouteContext,
  type Policy,
  type RouteAnnotation,
  type RouteContext,
  type RouteFields,
  readAnnotation,
  type ServiceContext,
} from "./policy.js";
import { globalRateLimit, localRateLimit } from "./rate-limit.js";
import { retry } from "./retry.js";
import { slowStart } from "./slow-start.js";
import { idleConnectionMs, timeout } from "./timeout.js";
import { websocket } from "./websocket.js";

/**
 * All policies. The readers of every API loop over this table, and the table of writers in xds/policies/index.ts has the same keys: it
 * does not compile without one of them.
 */
export const policies = {
  authorization,
  basicAuth,
  circuitBreakers,
  compression,
  connectTimeoutMs,
  cookieRewrites,
  cors,
  globalRateLimit,
  hash,
  healthCheck,
  idleConnectionMs,
  internalRedirect,
  ipFilter,
  jwt,
  loadBalancing,
  localRateLimit,
  nginxPhases,
  pathRewrite,
  requestHeaders,
  responseHeaders,
  retry,
  slowStart,
  timeout,
  websocket,
};

type Table = typeof policies;
export type PolicyName = keyof Table;

/** The values of a policy by scope, and whether it protects. */
export type ValuesOf<N extends PolicyName> = Table[N] extends Policy<infer V, boolean> ? V : never;
export type IsProtection<N extends PolicyName> = Table[N]["protects"];

/** The names of the policies that have a scope. */
export type NamesAt<S extends string> = {
  [N in PolicyName]: ValuesOf<N> extends { readonly [K in S]: unknown } ? N : never;
}[PolicyName];

type ValuesAt<S extends string> = {
  readonly [N in NamesAt<S>]?: ValuesOf<N> extends { readonly [K in S]: infer V } ? V : never;
};

/** What a virtual host carries. */
export interface HostPolicies extends ValuesAt<"host"> {}
/** What a route carries beside its match and action. */
export interface RoutePolicies extends ValuesAt<"route"> {}
/** What one service of a route carries. */
export interface BackendPolicies extends ValuesAt<"service"> {}
/** How the cluster of one service of a route is reached. */
export interface ClusterPolicies extends ValuesAt<"cluster"> {}

/** A policy of the table whose values are not looked at. */
interface AnyPolicy {
  readonly protects: boolean;
  readonly anyAction?: true;
  readonly fields: Fields;
  readonly read: {
    host?(context: HostContext): unknown;
    route?(context: RouteContext, host: unknown): unknown;
    service?(context: ServiceContext, route: unknown): unknown;
    clusters?(context: RouteContext): unknown;
    cluster?(context: ServiceContext): unknown;
    ingressRoute?(context: IngressRouteContext): unknown;
    ingress?(context: IngressContext): unknown;
  };
  readonly annotation?: RouteAnnotation<unknown>;
  compared?(route: unknown): unknown;
  readonly needsTls?: {
    readonly name: string;
    isAsked(host: unknown, route: unknown): boolean;
  };
}

const table = Object.entries<AnyPolicy>(policies);
type Read = AnyPolicy["read"];

/** The readers of one kind with the names of their policies. */
const readersOf = <K extends keyof Read>(kind: K): readonly (readonly [string, NonNullable<Read[K]>])[] =>
  table.flatMap(([name, { read }]) => {
    const reader = read[kind];
    return reader ? [[name, reader] as const] : [];
  });

const readers = {
  host: readersOf("host"),
  route: readersOf("route"),
  service: readersOf("service"),
  clusters: readersOf("clusters"),
  cluster: readersOf("cluster"),
  ingressRoute: readersOf("ingressRoute"),
  ingress: readersOf("ingress"),
};

type Found = Record<string, unknown>;

/** Adds what readers of one context return; each gets what the same policy has among `others`, of which there are often none. */
function collect<C>(
  found: Found,
  list: readonly (readonly [string, (context: C, other: unknown) => unknown])[],
  context: C,
  others: object = none,
): void {
  const isAlone = isEmpty(others);
  for (const [name, read] of list) {
    const value = read(context, isAlone ? undefined : lookup(others, name));
    if (value !== undefined) found[name] = value;
  }
}

const none = {};

function isEmpty(values: object): boolean {
  for (const _ in values) return false;
  return true;
}

const lookup = (values: object, name: string): unknown => (values as Found)[name];

/** The policies of `spec.virtualhost`; undefined (and findings) when one is not valid. */
export function readHostPolicies(context: HostContext): HostPolicies | undefined {
  const found: Found = {};
  collect(found, readers.host, context);
  return context.failures() > 0 ? undefined : found;
}

/** The policies of a route of an HTTPProxy; undefined (and findings) when one is not valid. */
export function readRoutePolicies(context: RouteContext, host: HostPolicies): RoutePolicies | undefined {
  const before = context.failures();
  const found: Found = {};
  collect(found, readers.route, context, host);
  return context.failures() > before ? undefined : found;
}

/** What holds for the clusters of all services of a route; undefined (and findings) when something is not valid. */
export function readClusterPolicies(context: RouteContext): ClusterPolicies | undefined {
  const before = context.failures();
  const found: Found = {};
  collect(found, readers.clusters, context);
  return context.failures() > before ? undefined : found;
}

/** The policies of one service of a route and of its cluster alone; undefined (and findings) when one is not valid. */
export function readServicePolicies(
  context: ServiceContext,
  route: RoutePolicies,
): { readonly backend: BackendPolicies; readonly cluster: ClusterPolicies } | undefined {
  const before = context.of.failures();
  const backend: Found = {};
  const cluster: Found = {};
  collect(backend, readers.service, context, route);
  collect(cluster, readers.cluster, context);
  return context.of.failures() > before ? undefined : { backend, cluster };
}

/** The policies of a route of an IngressRoute. */
export function readIngressRoutePolicies(context: IngressRouteContext, object: Annotated): RoutePolicies {
  const found: Found = {};
  collect(found, readers.ingressRoute, context);
  readAnnotations(found, object);
  return found;
}

/** The policies of one path of an Ingress. */
export function readIngressPolicies(context: IngressContext, object: Annotated): RoutePolicies {
  const found: Found = {};
  collect(found, readers.ingress, context);
  readAnnotations(found, object);
  return found;
}

/** What the annotations of a route of the Gateway API ask for all its rules. */
export function readAnnotatedPolicies(object: Annotated): RoutePolicies {
  const found: Found = {};
  readAnnotations(found, object);
  return found;
}

/** An object whose annotations are read, and the settings. */
interface Annotated {
  readonly annotations: Annotations;
  readonly settings: Reader["settings"];
}

const annotated = table.flatMap(([name, { annotation }]) =>
  annotation ? [[name, annotation] as const] : [],
);

/** The annotations of objects that have routes. */
export const routeAnnotations: readonly RouteAnnotation<unknown>[] = annotated.map(
  ([, annotation]) => annotation,
);

function readAnnotations(found: Found, { annotations, settings }: Annotated): void {
  for (const [name, annotation] of annotated) {
    const value = found[name] === undefined ? readAnnotation(annotation, annotations, settings) : undefined;
    if (value !== undefined) found[name] = value;
  }
}

/** The names of the policies that something holds for. */
const namesOf = (holds: (policy: AnyPolicy) => boolean): ReadonlySet<string> =>
  new Set(table.flatMap(([name, policy]) => (holds(policy) ? [name] : [])));

const forAnyAction = namesOf(({ protects, anyAction = false }) => protects || anyAction);
const protecting = namesOf(({ protects }) => protects);
const needingTls = namesOf(({ needsTls }) => needsTls !== undefined);
const compared = new Map(
  table.flatMap(([name, policy]) => (policy.compared ? [[name, policy.compared]] : [])),
);

/** Most routes and hosts have few policies or none: only what is there is looked at. */
function keep(values: object, isKept: (name: string) => boolean): Found {
  const kept: Found = {};
  for (const name in values) if (isKept(name)) kept[name] = lookup(values, name);
  return kept;
}

/** What redirects and direct responses carry: they are protected as backends are, but have no headers to set. */
export const anyActionPolicies = (values: RoutePolicies): RoutePolicies =>
  keep(values, (name) => forAnyAction.has(name));

/** What plain HTTP can give of the policies of a host. */
export const overPlainHttp = (values: HostPolicies): HostPolicies =>
  keep(values, (name) => !needingTls.has(name));

/** What protects a route, to compare it with that of another. */
export function comparedProtections(values: RoutePolicies): object {
  const found: Found = {};
  for (const name in values) {
    if (!protecting.has(name)) continue;
    const value = lookup(values, name);
    const shown = (compared.get(name) ?? same)(value);
    if (shown !== undefined) found[name] = shown;
  }
  return found;
}

const same = (value: unknown): unknown => value;

/** The fields of a route that have no effect on redirects and direct responses, as Envoy asks no backend. */
export const backendFields: readonly (keyof RouteFields)[] = [
  ...new Set(
    table.flatMap(([, { protects, anyAction, fields }]) =>
      protects || anyAction ? [] : (fields.route ?? []),
    ),
  ),
].sort();

/** Which protection of a route plain HTTP can't give; undefined when it gives all. */
export function lostOverHttp(host: HostPolicies, route: RoutePolicies): string | undefined {
  const lost = table.find(([name, { needsTls }]) =>
    needsTls?.isAsked(lookup(host, name), lookup(route, name)),
  );
  return lost?.[1].needsTls?.name;
}
