import { durationMs } from "../../schema/duration.js";
import type { ErrorCode } from "../../schema/finding-codes.js";
import { quote } from "../../schema/words.js";
import { type Reachable, readHost } from "../backends/address.js";
import type { UpstreamValidation } from "../backends/cluster.js";
import { readUpstreamValidation } from "../backends/upstream-validation.js";
import { readJwks } from "../certificates/secret.js";
import type { HTTPProxy, Reader } from "../core/reader.js";
import type { HostContext, Policy, RouteContext, VirtualHostFields } from "./policy.js";

/** An issuer of the tokens that a virtual host accepts. */
export interface JwtProvider {
  readonly name: string;
  readonly issuer?: string;
  readonly audiences: readonly string[];
  /** Whether the token is forwarded to the backend. */
  readonly forward: boolean;
  readonly keys:
    | { readonly kind: "local"; readonly jwks: string }
    | ({ readonly kind: "remote" } & RemoteKeys);
}

export interface RemoteKeys {
  readonly uri: string;
  readonly timeoutMs: number;
  readonly cacheMs?: number;
  readonly server: JwksServer;
}

/** The source of a remote key set. Equal values are one Envoy cluster. */
export interface JwksServer {
  readonly scheme: "http" | "https";
  readonly host: Reachable;
  readonly port: number;
  readonly family: "auto" | "v4" | "v6" | "all";
  readonly validation?: UpstreamValidation;
}

/** At least one. */
export interface JwtProviders {
  readonly providers: readonly JwtProvider[];
  /** The provider of routes that name none. */
  readonly default?: string;
}

type Fields = NonNullable<VirtualHostFields["jwtProviders"]>[number];
type RemoteFields = NonNullable<Fields["remoteJWKS"]>;
type Fail = (reason: ErrorCode, message: string, field?: string) => undefined;

const base = ".jwtProviders";
/** The same as in Contour. */
const defaultTimeoutMs = 1000;
const about = "Spec.VirtualHost.JWTProviders";

/** Reads `virtualhost.jwtProviders`; undefined without providers, and with a finding if one is not valid. */
function readProviders({
  proxy,
  virtualhost,
  reader,
  fail: failHost,
}: HostContext): JwtProviders | undefined {
  const fields = virtualhost?.jwtProviders ?? [];
  const fail = (reason: ErrorCode, message: string, field = base): undefined =>
    failHost("JWTVerificationError", reason, message, field);
  if (fields.length === 0) return undefined;
  if (!virtualhost?.tls?.secretName) {
    return fail(
      "JWTVerificationNotPermitted",
      `${about} can only be defined for root HTTPProxies that terminate TLS`,
    );
  }
  const providers: JwtProvider[] = [];
  let good = true;
  for (const [i, one] of fields.entries()) {
    if (fields.findIndex(({ name }) => name === one.name) < i)
      return fail(
        "DuplicateProviderName",
        `${about} is invalid: duplicate name ${one.name}`,
        `${base}[${i}].name`,
      );
    const provider = readProvider(proxy, one, `${base}[${i}]`, reader, fail);
    if (provider) providers.push(provider);
    else good = false;
  }
  if (!good) return undefined;
  const defaults = fields.filter((provider) => provider.default);
  if (defaults.length > 1) {
    return fail(
      "MultipleDefaultProvidersSpecified",
      `${about} is invalid: at most one provider can be set as the default`,
    );
  }
  return { providers, ...(defaults[0] ? { default: defaults[0].name } : {}) };
}

function readProvider(
  proxy: HTTPProxy,
  fields: Fields,
  path: string,
  reader: Reader,
  fail: Fail,
): JwtProvider | undefined {
  const keys = fields.localJWKS
    ? readLocalKeys(proxy, fields, path, reader, fail)
    : fields.remoteJWKS && readRemoteKeys(proxy, fields.remoteJWKS, `${path}.remoteJWKS`, reader, fail);
  return (
    keys && {
      name: fields.name,
      ...(fields.issuer ? { issuer: fields.issuer } : {}),
      audiences: fields.audiences ?? [],
      forward: fields.forwardJWT ?? false,
      keys,
    }
  );
}

/** Reads keys from a Secret in the namespace of the proxy; delegation does not apply. */
function readLocalKeys(
  proxy: HTTPProxy,
  { name, localJWKS }: Fields,
  path: string,
  reader: Reader,
  fail: Fail,
): JwtProvider["keys"] | undefined {
  const secret = { namespace: proxy.meta.namespace, name: localJWKS?.secretName ?? "" };
  const { jwks, error } = readJwks(reader, secret, localJWKS?.key ?? "");
  if (jwks !== undefined) return { kind: "local", jwks };
  const message = `${about}.LocalJWKS for provider "${name}" is invalid: ${error}`;
  return fail("LocalJWKSInvalid", message, `${path}.localJWKS`);
}

const label = "[A-Za-z0-9](?:-*[A-Za-z0-9])*";
const uriForm = new RegExp(
  `^([A-Za-z][A-Za-z0-9+.-]*)://(\\[[0-9A-Fa-f:.]+\\]|${label}(?:\\.${label})*)(?::(\\d+))?([/?][A-Za-z0-9._~:/?@!$&'()*+,;=%-]*)?$`,
);

function readRemoteKeys(
  proxy: HTTPProxy,
  fields: RemoteFields,
  path: string,
  reader: Reader,
  fail: Fail,
): JwtProvider["keys"] | undefined {
  const key = `${about}.RemoteJWKS`;
  if (!/^[A-Za-z][A-Za-z0-9+.-]*:/.test(fields.uri)) {
    const message = `${key}.URI has invalid scheme "", must be http or https`;
    return fail("RemoteJWKSSchemeInvalid", message, `${path}.uri`);
  }
  const found = uriForm.exec(fields.uri);
  if (!found?.[1] || !found[2]) {
    const message = `${key}.URI is invalid: ${JSON.stringify(fields.uri)} is not scheme://host[:port]/path`;
    return fail("RemoteJWKSURIInvalid", message, `${path}.uri`);
  }
  const scheme = found[1].toLowerCase();
  if (scheme !== "http" && scheme !== "https") {
    const message = `${key}.URI has invalid scheme "${scheme}", must be http or https`;
    return fail("RemoteJWKSSchemeInvalid", message, `${path}.uri`);
  }
  const port = found[3] ? Number(found[3]) : scheme === "http" ? 80 : 443;
  if (port < 1 || port > 65535)
    return fail("RemoteJWKSPortInvalid", `${key}.URI has an invalid port: ${found[3]}`, `${path}.uri`);
  if (fields.validation && scheme === "http") {
    return fail(
      "RemoteJWKSUpstreamValidationInvalid",
      `${key}.UpstreamValidation must not be specified when URI scheme is http.`,
      `${path}.validation`,
    );
  }
  const { namespace } = proxy.meta;
  const reached = readHost(found[2], { namespace, settings: reader.settings });
  if ("problem" in reached) {
    const message = `${key}.URI is invalid: its host ${quote(found[2])} ${reached.problem}`;
    return fail("RemoteJWKSURIInvalid", message, `${path}.uri`);
  }
  const checked = fields.validation && readUpstreamValidation(reader, fields.validation, namespace);
  if (checked?.problem === "not-delegated") {
    const message = `${key}.UpstreamValidation.CACertificate Secret "${checked.secret}" is not configured for certificate delegation`;
    return fail("RemoteJWKSCACertificateNotDelegated", message, `${path}.validation.caSecret`);
  }
  if (checked?.problem) {
    const message = `${key}.UpstreamValidation is invalid: ${checked.message}`;
    return fail("RemoteJWKSUpstreamValidationInvalid", message, `${path}.validation`);
  }
  // 0 is the same as an absent value.
  const timeout = fields.timeout && durationMs(fields.timeout);
  const cache = fields.cacheDuration && durationMs(fields.cacheDuration);
  return {
    kind: "remote",
    uri: fields.uri,
    timeoutMs: timeout || defaultTimeoutMs,
    ...(cache ? { cacheMs: cache } : {}),
    server: {
      scheme,
      host: reached.host,
      port,
      family: fields.dnsLookupFamily ?? reader.settings.dnsLookupFamily,
      ...(checked?.validation ? { validation: checked.validation } : {}),
    },
  };
}

/**
 * The provider of a route, or the default of its host. A redirect discloses nothing, so the default does not apply to
 * it.
 */
function readRoute(
  { route, root, fail, proxy, path, report }: RouteContext,
  host: JwtProviders | undefined,
): string | undefined {
  const policy = route.jwtVerificationPolicy;
  if (policy?.require && policy.disabled) {
    const message = "route's JWT verification policy cannot specify both require and disabled";
    return fail("JWTVerificationError", "InvalidJWTVerificationPolicy", message, ".jwtVerificationPolicy");
  }
  if (policy?.disabled) return undefined;
  if (!policy?.require) return route.requestRedirectPolicy ? undefined : host?.default;
  if (!host?.providers.some(({ name }) => name === policy.require)) {
    const message = `Route references an undefined JWT provider "${policy.require}"`;
    const field = ".jwtVerificationPolicy.require";
    if (!root.secure) return fail("JWTVerificationError", "JWTProviderNotDefined", message, field);
    // The route stays: Envoy refuses all its requests, because no token can satisfy an undefined provider.
    report.error(proxy.ref, "JWTVerificationError", "JWTProviderNotDefined", message, path + field);
  }
  return policy.require;
}

/** `virtualhost.jwtProviders`, and the name of the provider whose token a route requires. */
export const jwt: Policy<{ host: JwtProviders; route: string }, true> = {
  protects: true,
  fields: { host: ["jwtProviders"], route: ["jwtVerificationPolicy"] },
  read: { host: readProviders, route: readRoute },
  needsTls: { name: "JWT verification", isAsked: (_, route) => route !== undefined },
};
