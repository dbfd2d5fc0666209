import type { ErrorCode, WarningCode } from "../../schema/finding-codes.js";
import type { FindingType } from "../../schema/finding-types.js";
import type { RestrictingField } from "../../schema/unknown-fields.js";
import type { HTTPProxy, ObjectByKind, Reader, Report } from "../core/reader.js";
import type { PathMatch } from "../matches/match-types.js";

export type VirtualHostFields = NonNullable<HTTPProxy["spec"]["virtualhost"]>;
export type RouteFields = NonNullable<HTTPProxy["spec"]["routes"]>[number];
export type ServiceFields = NonNullable<RouteFields["services"]>[number];
type IngressRouteFields = NonNullable<ObjectByKind<"IngressRoute">["spec"]["routes"]>[number];

/** What every reader of an HTTPProxy's fields gets. */
export interface Context {
  readonly proxy: HTTPProxy;
  readonly reader: Reader;
  readonly report: Report;
  /** Adds an error at a field below the virtual host or route, such as `.timeoutPolicy`; the object is not served as it is. */
  fail(type: FindingType, reason: ErrorCode, message: string, field?: string): undefined;
  /** Adds a warning that a field has no effect. */
  warnIgnored(message: string, field: string): void;
  /** How often `fail` was called. */
  failures(): number;
}

/** Reads `spec.virtualhost`. */
export interface HostContext extends Context {
  readonly virtualhost: VirtualHostFields | undefined;
  readonly tls: "terminated" | "passthrough" | "none";
}

/** Reads `spec.routes[]`. */
export interface RouteContext extends Context {
  readonly route: RouteFields;
  /** Field path of the route. */
  readonly path: string;
  readonly match: PathMatch;
  /** Of the root, which may be another object. */
  readonly root: { readonly virtualhost: VirtualHostFields | undefined; readonly secure: boolean };
}

/** Reads `spec.routes[].services[]`. */
export interface ServiceContext {
  /** The route's. */
  readonly of: RouteContext;
  readonly service: ServiceFields;
  /** Field path below the route, such as `.services[0]`. */
  readonly at: string;
}

/** Reads `routes[]` of an IngressRoute. */
export interface IngressRouteContext {
  readonly route: IngressRouteFields;
  readonly match: PathMatch;
}

/** Reads the annotations of an Ingress for one of its paths. */
export interface IngressContext {
  /** The value of an annotation of Contour's, by its name without the group. */
  annotation(name: string): string | undefined;
  /** As it is written in the rule. */
  readonly path: string;
  /** Adds a warning at `metadata.annotations`. */
  warn(reason: WarningCode, message: string): void;
}

export type Annotations = Readonly<Record<string, string>>;

/** The value that an object's annotation asks for; undefined without the annotation, or with a value that is none of its own. */
export function readAnnotation<R>(
  { name, values, read }: RouteAnnotation<R>,
  annotations: Annotations,
  settings: Reader["settings"],
): R | undefined {
  const value = annotations[name]?.trim();
  return value !== undefined && values.includes(value) ? read(value, settings) : undefined;
}

/** The nodes that a policy is part of, and its value there. */
interface Values {
  /** `HostPolicies` of a site's terms. */
  readonly host?: unknown;
  /** `RoutePolicies` of a route. */
  readonly route?: unknown;
  /** `BackendPolicies` of a route's backend. */
  readonly service?: unknown;
  /** A field of `Cluster`. */
  readonly cluster?: unknown;
}

/** Names of fields by where in an HTTPProxy they are. */
export interface Fields {
  readonly host?: readonly (keyof VirtualHostFields)[];
  readonly route?: readonly (keyof RouteFields)[];
  readonly service?: readonly (keyof ServiceFields)[];
}

/** Those of them that restrict access. */
interface RestrictingFields {
  readonly host?: readonly (keyof VirtualHostFields & RestrictingField)[];
  readonly route?: readonly (keyof RouteFields & RestrictingField)[];
  readonly service?: readonly (keyof ServiceFields & RestrictingField)[];
}

/** An annotation of IngressRoute, Ingress, HTTPRoute and GRPCRoute, for the routes of the object that nothing else gives a value. */
export interface RouteAnnotation<R> {
  readonly name: `isoline.dev/${string}`;
  /** Any other value has no effect, and the linter reports it. */
  readonly values: readonly string[];
  /** `value` is one of `values`. */
  read(value: string, settings: Reader["settings"]): R | undefined;
}

type Read<V extends Values> = (V extends { readonly host: infer H }
  ? { host(context: HostContext): H | undefined }
  : unknown) &
  (V extends { readonly route: infer R }
    ? {
        /** `host` is what the same policy has for the host. */
        route(context: RouteContext, host: V["host"] | undefined): R | undefined;
        ingressRoute?(context: IngressRouteContext): R | undefined;
        ingress?(context: IngressContext): R | undefined;
      }
    : unknown) &
  (V extends { readonly service: infer S }
    ? {
        /** `route` is what the same policy has for the route. */
        service(context: ServiceContext, route: V["route"] | undefined): S | undefined;
      }
    : unknown) &
  (V extends { readonly cluster: infer C }
    ? {
        /** For the clusters of all services of a route. */
        clusters?(context: RouteContext): C | undefined;
        /** What of a route makes `clusters` return another value. Fields of a service always count. */
        clusterFields(route: RouteFields): unknown;
        /** For the cluster of one service. */
        cluster?(context: ServiceContext): C | undefined;
      }
    : unknown);

/**
 * A policy: how it is read from each API, at each scope that it has. A reader returns undefined where an object asks for nothing, and
 * after `fail`. The writer has the same key in xds/policies/index.ts.
 */
export interface Policy<V extends Values, Protects extends boolean = false> {
  /**
   * Whether it keeps requests out. Such a policy also holds for redirects and direct responses, and is a part of `protections` in
   * explanations and route tests.
   */
  readonly protects: Protects;
  /** Set where it also holds for redirects and direct responses, though it protects nothing. */
  readonly anyAction?: true;
  /** The fields of an HTTPProxy that it is read from. An object in which one that protects is misspelt is not served. */
  readonly fields: Protects extends true ? RestrictingFields : Fields;
  readonly read: Read<V>;
  /** HTTPProxies have it, too; the readers of `host` and `route` say how. */
  readonly annotation?: RouteAnnotation<V["route"]>;
  /**
   * What of a route's value counts where a path decides which protection a request meets; all of it where this is absent. Undefined
   * is as good as no value.
   */
  compared?(route: V["route"]): unknown;
  /** A protection that plain HTTP can't give. */
  readonly needsTls?: {
    /** As in "without the JWT verification of its host". */
    readonly name: string;
    isAsked(host: V["host"] | undefined, route: V["route"] | undefined): boolean;
  };
}
