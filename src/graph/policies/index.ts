import type { Reader } from "../core/reader.js";
import { authorization } from "./authorization.js";
import { basicAuth } from "./basic-auth.js";
import { circuitBreakers } from "./circuit-breakers.js";
import { compression } from "./compression.js";
import { connectTimeoutMs } from "./connect-timeout.js";
import { cookieRewrites } from "./cookie.js";
import { cors } from "./cors.js";
import { externalAuth } from "./external-auth.js";
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
import { session } from "./session.js";
import { slowStart } from "./slow-start.js";
import { idleConnectionMs, timeout } from "./timeout.js";
import { websocket } from "./websocket.js";

/**
 * All policies. The readers of every API loop over this table. The table of writers in xds/policies/index.ts has the
 * same keys; a missing key is a compile error.
 */
export const policies = {
  authorization,
  basicAuth,
  circuitBreakers,
  compression,
  connectTimeoutMs,
  cookieRewrites,
  cors,
  externalAuth,
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
  session,
  slowStart,
  timeout,
  websocket,
};

type Table = typeof policies;
export type PolicyName = keyof Table;

/** The values of a policy by scope, and whether it is a protection. */
export type ValuesOf<N extends PolicyName> = Table[N] extends Policy<infer V, boolean> ? V : never;
export type IsProtection<N extends PolicyName> = Table[N]["protects"];

/** The names of the policies that have a scope. */
export type NamesAt<S extends string> = {
  [N in PolicyName]: ValuesOf<N> extends { readonly [K in S]: unknown } ? N : never;
}[PolicyName];

type ValuesAt<S extends string> = {
  readonly [N in NamesAt<S>]?: ValuesOf<N> extends { readonly [K in S]: infer V } ? V : never;
};

/** The policies of a virtual host. */
export interface HostPolicies extends ValuesAt<"host"> {}
/** The policies of a route, beside its match and action. */
export interface RoutePolicies extends ValuesAt<"route"> {}
/** The policies of one service of a route. */
export interface BackendPolicies extends ValuesAt<"service"> {}
/** The policies of the cluster of one service of a route. */
export interface ClusterPolicies extends ValuesAt<"cluster"> {}

/** A policy of the table, with values of unknown type. */
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
    clusterFields?(route: RouteFields): unknown;
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
  clusterFields: readersOf("clusterFields"),
  ingressRoute: readersOf("ingressRoute"),
  ingress: readersOf("ingress"),
};

type Found = Record<string, unknown>;

/**
 * Adds the results of the readers of one context. Each reader gets the value of the same policy in `others`, which is
 * often empty.
 */
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

/** Reads the policies of `spec.virtualhost`; undefined with findings if one is not valid. */
export function readHostPolicies(context: HostContext): HostPolicies | undefined {
  const found: Found = {};
  collect(found, readers.host, context);
  return context.failures() > 0 ? undefined : found;
}

/** Reads the policies of a route of an HTTPProxy; undefined with findings if one is not valid. */
export function readRoutePolicies(context: RouteContext, host: HostPolicies): RoutePolicies | undefined {
  const before = context.failures();
  const found: Found = {};
  collect(found, readers.route, context, host);
  return context.failures() > before ? undefined : found;
}

/** The parts of a route that distinguish the clusters of its services. */
export const clusterFieldsOf = (route: RouteFields): readonly unknown[] =>
  readers.clusterFields.map(([, fieldsOf]) => fieldsOf(route));

/** Reads the policies of the clusters of all services of a route; undefined with findings if one is not valid. */
export function readClusterPolicies(context: RouteContext): ClusterPolicies | undefined {
  const before = context.failures();
  const found: Found = {};
  collect(found, readers.clusters, context);
  return context.failures() > before ? undefined : found;
}

/**
 * Reads the policies of one service of a route, and those of its cluster alone; undefined with findings if one is not
 * valid.
 */
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

/** The policies that the annotations of a Gateway API route set for all its rules. */
export function readAnnotatedPolicies(object: Annotated): RoutePolicies {
  const found: Found = {};
  readAnnotations(found, object);
  return found;
}

/** Annotations of an object, and the settings. */
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

/** The names of the policies with a property. */
const namesOf = (holds: (policy: AnyPolicy) => boolean): ReadonlySet<string> =>
  new Set(table.flatMap(([name, policy]) => (holds(policy) ? [name] : [])));

const forAnyAction = namesOf(({ protects, anyAction = false }) => protects || anyAction);
const protecting = namesOf(({ protects }) => protects);
const needingTls = namesOf(({ needsTls }) => needsTls !== undefined);
const compared = new Map(
  table.flatMap(([name, policy]) => (policy.compared ? [[name, policy.compared]] : [])),
);

/** Loops over the present policies only: most routes and hosts have few or none. */
function keep(values: object, isKept: (name: string) => boolean): Found {
  const kept: Found = {};
  for (const name in values) if (isKept(name)) kept[name] = lookup(values, name);
  return kept;
}

/** The policies of redirects and direct responses: the same protections as for backends, without headers. */
export const anyActionPolicies = (values: RoutePolicies): RoutePolicies =>
  keep(values, (name) => forAnyAction.has(name));

/** The policies of a host that plain HTTP supports. */
export const overPlainHttp = (values: HostPolicies): HostPolicies =>
  keep(values, (name) => !needingTls.has(name));

/** The protections of a route, for comparison with another route. */
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

/**
 * The fields of a route without effect on redirects and direct responses, because Envoy sends no request to a backend.
 */
export const backendFields: readonly (keyof RouteFields)[] = [
  ...new Set(
    table.flatMap(([, { protects, anyAction, fields }]) =>
      protects || anyAction ? [] : (fields.route ?? []),
    ),
  ),
].sort();

/** The protection of a route that plain HTTP does not support; undefined if it supports all. */
export function lostOverHttp(host: HostPolicies, route: RoutePolicies): string | undefined {
  const lost = table.find(([name, { needsTls }]) =>
    needsTls?.isAsked(lookup(host, name), lookup(route, name)),
  );
  return lost?.[1].needsTls?.name;
}
