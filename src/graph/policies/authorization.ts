import { readTimeout } from "../../schema/duration.js";
import type { ErrorCode } from "../../schema/finding-codes.js";
import type { SettingsSpec } from "../../schema/settings.js";
import type { Cluster } from "../backends/cluster.js";
import { type Extension, extensionCluster, readExtensionService } from "../backends/extension-service.js";
import type { Reader } from "../core/reader.js";
import type { HostContext, Policy, VirtualHostFields } from "./policy.js";

/** How Envoy authorizes requests with an external service. */
export interface Authorization {
  /** The Envoy cluster of the service. */
  readonly cluster: string;
  /** The `:authority` of gRPC calls. */
  readonly authority: string;
  /** Without it: gRPC. */
  readonly http?: HttpAuthorization;
  /** In ms; 0 is no limit, undefined is Envoy's default. */
  readonly timeoutMs?: number;
  /** Allows requests if the service does not respond. */
  readonly failOpen: boolean;
  readonly body?: { readonly maxBytes: number; readonly allowPartial: boolean; readonly asBytes: boolean };
}

export interface HttpAuthorization {
  readonly pathPrefix?: string;
  /** Headers of the request that are sent to the service. */
  readonly requestHeaders: readonly AllowedHeader[];
  /** Headers of the service's response that are sent to the backend. */
  readonly upstreamHeaders: readonly AllowedHeader[];
}

export interface AllowedHeader {
  readonly kind: "exact" | "prefix" | "suffix" | "contains";
  readonly value: string;
  readonly ignoreCase: boolean;
}

/** A Service that authorizes requests over HTTP. It gets the headers of the request at its own path. */
export interface AskedService {
  readonly cluster: Cluster;
  /** Includes the query. */
  readonly path: string;
  /** Headers of its response that are sent to the backend. */
  readonly upstreamHeaders: readonly string[];
}

export type RouteAuthorization =
  | { readonly disabled: true }
  /** For an Ingress of ingress-nginx. */
  | { readonly ask: AskedService }
  /** Context about the route for the authorization service. */
  | { readonly context: Readonly<Record<string, string>> };

type Fields = NonNullable<VirtualHostFields["authorization"]>;
type HeaderFields = NonNullable<NonNullable<Fields["httpSettings"]>["allowedUpstreamHeaders"]>[number];

interface AuthorizationProblem {
  readonly reason: ErrorCode;
  readonly message: string;
  /** Field path below `authorization`. */
  readonly field: string;
}

type Read = { readonly authorization: Authorization } | { readonly problem: AuthorizationProblem };

const apiVersion = "projectcontour.io/v1alpha1";
const about = "Spec.Virtualhost.Authorization";
const problem = (reason: ErrorCode, message: string, field: string): Read => ({
  problem: { reason, message, field },
});

/** Reads `virtualhost.authorization` of an object in a namespace. */
function readAuthorization(fields: Fields, namespace: string, reader: Reader): Read {
  const ref = fields.extensionRef;
  const version = ref?.apiVersion || apiVersion;
  if (version !== apiVersion) {
    const message = `${about}.extensionRef specifies an unsupported resource version "${version}"`;
    return problem("AuthBadResourceVersion", message, ".extensionRef.apiVersion");
  }
  const target = { namespace: ref?.namespace || namespace, name: ref?.name ?? "" };
  const extension = readExtensionService(reader, target.namespace, target.name);
  if (!extension) {
    const message = `${about}.ServiceRef extension service "${target.namespace}/${target.name}" not found`;
    return problem("ExtensionServiceNotFound", message, ".extensionRef");
  }
  return readFields(fields, target, extension);
}

/**
 * The authorization of the settings, for every host without its own. If its ExtensionService is missing, the filter
 * stays and gets no response, so that requests are refused (or, with `failOpen`, allowed). A missing service never
 * disables authorization.
 */
export function readGlobalAuthorization(reader: Reader): (Read & { readonly found: boolean }) | undefined {
  const fields = reader.settings.globalExtAuth;
  if (!fields) return undefined;
  const target = globalTarget(fields);
  const extension = readExtensionService(reader, target.namespace, target.name);
  return { ...readFields(fields, target, extension), found: extension !== undefined };
}

/** `<namespace>/<name>`, or the reference as ContourConfiguration has it. */
function globalTarget({ extensionService, extensionRef }: NonNullable<SettingsSpec["globalExtAuth"]>): {
  namespace: string;
  name: string;
} {
  const [namespace = "", name = ""] = (extensionService ?? "").split("/");
  return extensionService
    ? { namespace, name }
    : { namespace: extensionRef?.namespace ?? "", name: extensionRef?.name ?? "" };
}

function readFields(
  fields: Fields,
  target: { namespace: string; name: string },
  extension: Extension | undefined,
): Read {
  const timeout = readTimeout(fields.responseTimeout);
  if (timeout.error) {
    const message = `${about}.ResponseTimeout is invalid: ${timeout.error}`;
    return problem("AuthResponseTimeoutInvalid", message, ".responseTimeout");
  }
  const http = fields.serviceType === "http";
  if (http && Object.keys(fields.authPolicy?.context ?? {}).length > 0) {
    const message = `${about}.AuthPolicy.Context are only applied to grpc service type`;
    return problem("AuthContextForHTTP", message, ".authPolicy.context");
  }
  const cluster = extensionCluster(target);
  const timeoutMs = timeout.ms ?? extension?.responseMs;
  const body = fields.withRequestBody;
  return {
    authorization: {
      cluster,
      authority: extension?.cluster.sni || cluster.replaceAll("/", "."),
      ...(http ? { http: readHttp(fields.httpSettings) } : {}),
      ...(timeoutMs === undefined ? {} : { timeoutMs }),
      failOpen: fields.failOpen ?? false,
      ...(body
        ? {
            body: {
              maxBytes: body.maxRequestBytes,
              allowPartial: body.allowPartialMessage ?? false,
              asBytes: body.packAsBytes ?? false,
            },
          }
        : {}),
    },
  };
}

const readHttp = (settings: Fields["httpSettings"]): HttpAuthorization => ({
  ...(settings?.pathPrefix ? { pathPrefix: settings.pathPrefix } : {}),
  requestHeaders: (settings?.allowedAuthorizationHeaders ?? []).map(readHeader),
  upstreamHeaders: (settings?.allowedUpstreamHeaders ?? []).map(readHeader),
});

function readHeader(fields: HeaderFields): AllowedHeader {
  const kind = (["exact", "prefix", "suffix", "contains"] as const).find((one) => fields[one] !== undefined);
  return {
    kind: kind ?? "exact",
    value: fields[kind ?? "exact"] ?? "",
    ignoreCase: fields.ignoreCase ?? false,
  };
}

/** Applies to routes of a host without an `authPolicy`. */
interface AuthorizationDefaults {
  readonly disabled: boolean;
  readonly context: Readonly<Record<string, string>>;
}

/** The host's own policy, else that of the settings; undefined without both. */
function authorizationDefaults(
  host: Fields | undefined,
  { globalExtAuth }: SettingsSpec,
): AuthorizationDefaults | undefined {
  const policy = host ? host.authPolicy : globalExtAuth?.authPolicy;
  if (!host && !globalExtAuth) return undefined;
  return { disabled: policy?.disabled ?? false, context: policy?.context ?? {} };
}

/** `authPolicy` of a route, combined with the defaults of its host. */
function routeAuthorization(
  defaults: AuthorizationDefaults | undefined,
  policy: { readonly disabled?: boolean; readonly context?: Readonly<Record<string, string>> } | undefined,
): RouteAuthorization | undefined {
  if (!defaults) return undefined;
  if (policy ? policy.disabled : defaults.disabled) return { disabled: true };
  const context = { ...defaults.context, ...policy?.context };
  return Object.keys(context).length > 0 ? { context } : undefined;
}

function readHost({
  virtualhost,
  tls,
  proxy,
  reader,
  fail,
  warnIgnored,
}: HostContext): Authorization | undefined {
  const fields = virtualhost?.authorization;
  if (!fields) return undefined;
  const ignored = `ignoring field "Spec.VirtualHost.Authorization"`;
  if (!fields.extensionRef || Object.keys(fields.extensionRef).length === 0) {
    if (!reader.settings.globalExtAuth && !fields.authPolicy?.disabled)
      warnIgnored(
        `${ignored}; it has no extensionRef and the settings have no globalExtAuth, so requests are not authorized`,
        ".authorization",
      );
    return undefined;
  }
  if (tls === "passthrough") {
    warnIgnored(`${ignored}; requests of a TLS passthrough can't be authorized`, ".authorization");
    return undefined;
  }
  if (tls === "none") {
    const message =
      "Spec.VirtualHost.Authorization.ExtensionServiceRef can only be defined for root HTTPProxies that terminate TLS";
    return fail("AuthError", "AuthNotPermitted", message, ".authorization");
  }
  const read = readAuthorization(fields, proxy.meta.namespace, reader);
  if ("authorization" in read) return read.authorization;
  const { reason, message, field } = read.problem;
  return fail("AuthError", reason, message, `.authorization${field}`);
}

/** `virtualhost.authorization`, and `authPolicy` of a route. */
export const authorization: Policy<{ host: Authorization; route: RouteAuthorization }, true> = {
  protects: true,
  fields: { host: ["authorization"], route: ["authPolicy"] },
  read: {
    host: readHost,
    route({ route, root, reader, warnIgnored }) {
      const defaults = authorizationDefaults(root.virtualhost?.authorization, reader.settings);
      if (route.authPolicy && !defaults)
        warnIgnored(
          "has no effect: neither the virtual host nor the settings have an authorization",
          ".authPolicy",
        );
      return routeAuthorization(defaults, route.authPolicy);
    },
  },
  /** Only whether requests are authorized counts, not the context. */
  compared: (route) => (route && !("context" in route) ? route : undefined),
  needsTls: {
    name: "authorization",
    isAsked: (host, route) => host !== undefined && !(route && "disabled" in route),
  },
};
