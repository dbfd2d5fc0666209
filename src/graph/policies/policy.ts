import type { ErrorCode, WarningCode } from "../../schema/finding-codes.js";
import type { FindingType } from "../../schema/finding-types.js";
import type { RestrictingField } from "../../schema/unknown-fields.js";
import type { HTTPProxy, ObjectByKind, Reader, Report } from "../core/reader.js";
import type { PathMatch } from "../matches/match-types.js";

export type VirtualHostFields = NonNullable<HTTPProxy["spec"]["virtualhost"]>;
export type RouteFields = NonNullable<HTTPProxy["spec"]["routes"]>[number];
export type ServiceFields = NonNullable<RouteFields["services"]>[number];
type IngressRouteFields = NonNullable<ObjectByKind<"IngressRoute">["spec"]["routes"]>[number];

/** The inputs of every reader of HTTPProxy fields. */
export interface Context {
  readonly proxy: HTTPProxy;
  readonly reader: Reader;
  readonly report: Report;
  /**
   * Adds an error at a field below the virtual host or route, such as `.timeoutPolicy`; the object is not served with
   * this field.
   */
  fail(type: FindingType, reason: ErrorCode, message: string, field?: string): undefined;
  /** Adds a warning that a field has no effect. */
  warnIgnored(message: string, field: string): void;
  /** The number of calls of `fail`. */
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
  /** The root of the route, which may be another object. */
  readonly root: { readonly virtualhost: VirtualHostFields | undefined; readonly secure: boolean };
}

/** Reads `spec.routes[].services[]`. */
export interface ServiceContext {
  /** The context of the route. */
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
  /** The value of a Contour annotation, by its name without the group. */
  annotation(name: string): string | undefined;
  /** The path as written in the rule. */
  readonly path: string;
  /** Adds a warning at `metadata.annotations`. */
  warn(reason: WarningCode, message: string): void;
}

export type Annotations = Readonly<Record<string, string>>;

/**
 * The value that an annotation of an object sets; undefined without the annotation, or if its value is not in
 * `values`.
 */
export function readAnnotation<R>(
  { name, values, read }: RouteAnnotation<R>,
  annotations: Annotations,
  settings: Reader["settings"],
): R | undefined {
  const value = annotations[name]?.trim();
  return value !== undefined && values.includes(value) ? read(value, settings) : undefined;
}

/** The nodes that have a policy, and its value there. */
interface Values {
  /** In `HostPolicies` of the terms of a site. */
  readonly host?: unknown;
  /** In `RoutePolicies` of a route. */
  readonly route?: unknown;
  /** In `BackendPolicies` of a backend of a route. */
  readonly service?: unknown;
  /** A field of `Cluster`. */
  readonly cluster?: unknown;
}

/** Names of fields by their place in an HTTPProxy. */
export interface Fields {
  readonly host?: readonly (keyof VirtualHostFields)[];
  readonly route?: readonly (keyof RouteFields)[];
  readonly service?: readonly (keyof ServiceFields)[];
}

/** The fields that restrict access. */
interface RestrictingFields {
  readonly host?: readonly (keyof VirtualHostFields & RestrictingField)[];
  readonly route?: readonly (keyof RouteFields & RestrictingField)[];
  readonly service?: readonly (keyof ServiceFields & RestrictingField)[];
}

/**
 * An annotation of IngressRoute, Ingress, HTTPRoute and GRPCRoute. It applies to the routes of the object that have no
 * other value.
 */
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
        /** `host` is the value of the same policy for the host. */
        route(context: RouteContext, host: V["host"] | undefined): R | undefined;
        ingressRoute?(context: IngressRouteContext): R | undefined;
        ingress?(context: IngressContext): R | undefined;
      }
    : unknown) &
  (V extends { readonly service: infer S }
    ? {
        /** `route` is the value of the same policy for the route. */
        service(context: ServiceContext, route: V["route"] | undefined): S | undefined;
      }
    : unknown) &
  (V extends { readonly cluster: infer C }
    ? {
        /** For the clusters of all services of a route. */
        clusters?(context: RouteContext): C | undefined;
        /** The fields of a route that `clusters` depends on. Fields of a service always count. */
        clusterFields(route: RouteFields): unknown;
        /** For the cluster of one service. */
        cluster?(context: ServiceContext): C | undefined;
      }
    : unknown);

/**
 * A policy: how it is read from each API, for each of its scopes. A reader returns undefined if an object does not
 * configure the policy, and after `fail`. Its writer has the same key in xds/policies/index.ts.
 */
export interface Policy<V extends Values, Protects extends boolean = false> {
  /**
   * Whether the policy refuses requests. If so, it also applies to redirects and direct responses, and is a part of
   * `protections` in explanations and route tests.
   */
  readonly protects: Protects;
  /** Set if the policy also applies to redirects and direct responses without being a protection. */
  readonly anyAction?: true;
  /**
   * The fields of an HTTPProxy that the policy is read from. An object with a misspelt field of a protection is not
   * served.
   */
  readonly fields: Protects extends true ? RestrictingFields : Fields;
  readonly read: Read<V>;
  /** HTTPProxy also has the annotation; the readers of `host` and `route` read it. */
  readonly annotation?: RouteAnnotation<V["route"]>;
  /**
   * The part of a route's value that counts when `%2f` may select another protection; by default all of it. Undefined
   * is the same as no value.
   */
  compared?(route: V["route"]): unknown;
  /** Set for a protection that plain HTTP does not support. */
  readonly needsTls?: {
    /** For messages, as in "without the JWT verification of its host". */
    readonly name: string;
    isAsked(host: V["host"] | undefined, route: V["route"] | undefined): boolean;
  };
}
