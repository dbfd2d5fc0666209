import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { FindingType } from "../../../schema/finding-types.js";
import type { Authorization } from "../../core/nodes.js";
import type { HTTPProxy, Reader, Report } from "../../core/reader.js";
import {
  type AuthorizationDefaults,
  authorizationDefaults,
  readAuthorization,
} from "../../policies/authorization.js";
import { readCors } from "../../policies/cors.js";
import type { HostPolicies } from "../../policies/index.js";
import { readIpFilter } from "../../policies/ip-filter.js";
import { type JwtProviders, readJwtProviders } from "../../policies/jwt.js";
import { readDescriptors, readLocalRateLimit } from "../../policies/rate-limit.js";
import type { Security } from "./tls.js";

/** What the root of a host says for all of its routes. */
export interface Host {
  readonly secure: boolean;
  readonly policies: HostPolicies;
  readonly authorization?: Authorization;
  readonly authorizationDefaults?: AuthorizationDefaults;
  readonly jwt: JwtProviders;
  /** Clients need a certificate, which plain HTTP has not. */
  readonly clientCertificates: boolean;
}

/** `spec.virtualhost` but for its TLS; undefined (and a finding) when the host can't be served as it says. */
export function readHost(
  proxy: HTTPProxy,
  security: Security,
  reader: Reader,
  report: Report,
): Host | undefined {
  const policies = readHostPolicies(proxy, reader, report);
  const jwt = readJwtProviders(proxy, reader, report);
  const asked = readHostAuthorization(proxy, security, reader, report);
  if (!policies || !jwt || !asked) return undefined;
  const host = proxy.spec.virtualhost;
  const defaults = authorizationDefaults(host?.authorization, reader.settings);
  return {
    secure: security.tls !== undefined || security.passthrough,
    policies,
    jwt,
    ...asked,
    ...(defaults ? { authorizationDefaults: defaults } : {}),
    clientCertificates: security.tls?.clientValidation !== undefined,
  };
}

function readHostAuthorization(
  proxy: HTTPProxy,
  security: Security,
  reader: Reader,
  report: Report,
): { authorization?: Authorization } | undefined {
  const fields = proxy.spec.virtualhost?.authorization;
  const path = "spec.virtualhost.authorization";
  const named = fields?.extensionRef && Object.keys(fields.extensionRef).length > 0;
  if (!fields) return {};
  if (!named) {
    if (!reader.settings.globalExtAuth && !fields.authPolicy?.disabled) {
      const message = `ignoring field "Spec.VirtualHost.Authorization"; it names no extensionRef and the settings have no globalExtAuth, so nobody is asked`;
      report.warn(proxy.ref, "SpecError", "IgnoredField", message, path);
    }
    return {};
  }
  if (!security.tls) {
    if (security.passthrough) {
      const message = `ignoring field "Spec.VirtualHost.Authorization"; nothing of a TLS passthrough can be asked about`;
      report.warn(proxy.ref, "SpecError", "IgnoredField", message, path);
      return {};
    }
    const message =
      "Spec.VirtualHost.Authorization.ExtensionServiceRef can only be defined for root HTTPProxies that terminate TLS";
    report.error(proxy.ref, "AuthError", "AuthNotPermitted", message, path);
    return undefined;
  }
  const read = readAuthorization(fields, proxy.meta.namespace, reader);
  if ("authorization" in read) return { authorization: read.authorization };
  const { reason, message, field } = read.problem;
  report.error(proxy.ref, "AuthError", reason, message, path + field);
  return undefined;
}

function readHostPolicies(proxy: HTTPProxy, reader: Reader, report: Report): HostPolicies | undefined {
  const host = proxy.spec.virtualhost;
  const fail = (type: FindingType, reason: ErrorCode, message: string, field: string): undefined => {
    report.error(proxy.ref, type, reason, message, `spec.virtualhost${field}`);
    return undefined;
  };
  const { budgets, rateLimitService } = reader.settings;
  const cors = readCors(host?.corsPolicy, budgets.regexProgramSize);
  if (cors.error)
    return fail(
      "CORSError",
      "PolicyDidNotParse",
      `Spec.VirtualHost.CORSPolicy: ${cors.error}`,
      ".corsPolicy",
    );
  const { filter, problems } = readIpFilter(host?.ipAllowPolicy, host?.ipDenyPolicy);
  for (const { reason, message, field } of problems) fail("IPFilterError", reason, message, field);
  const local = readLocalRateLimit(host?.rateLimitPolicy?.local);
  const own = readDescriptors(host?.rateLimitPolicy?.global, budgets.regexProgramSize);
  const wrong = local.error ?? own.error;
  if (wrong) {
    const message = `Spec.VirtualHost.RateLimitPolicy is invalid: ${wrong}`;
    return fail("VirtualHostError", "RateLimitPolicyNotValid", message, ".rateLimitPolicy");
  }
  if (problems.some(({ reason }) => reason === "IncompatibleIPAddressFilters")) return undefined;
  if (problems.length > 0) {
    const message = "Spec.VirtualHost.IPAllowFilterPolicy or Spec.VirtualHost.IPDenyFilterPolicy is invalid";
    return fail("IPFilterError", "IPFilterPolicyNotValid", message, "");
  }
  const standard = host?.rateLimitPolicy?.global?.disabled
    ? {}
    : readDescriptors(rateLimitService?.defaultGlobalRateLimitPolicy, budgets.regexProgramSize);
  if (standard.error) {
    const message = `Default Global RateLimit Policy is invalid: ${standard.error}`;
    return fail("VirtualHostError", "RateLimitPolicyNotValid", message, ".rateLimitPolicy");
  }
  const rateLimits = own.descriptors ?? standard.descriptors;
  return {
    ...(cors.policy ? { cors: cors.policy } : {}),
    ...(filter ? { ipFilter: filter } : {}),
    ...(local.limit ? { localRateLimit: local.limit } : {}),
    ...(rateLimits ? { rateLimits } : {}),
  };
}
