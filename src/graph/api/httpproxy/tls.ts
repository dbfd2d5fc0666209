import type { ErrorCode } from "../../../schema/finding-codes.js";
import { isDelegated, readKeyPair } from "../../certificates/secret.js";
import type { Tls } from "../../core/nodes.js";
import type { HTTPProxy, Reader, Report } from "../../core/reader.js";
import { readClientValidation } from "../../policies/client-validation.js";
import { readServerTls } from "../roots/tls.js";

/** The TLS configuration of a host. */
export interface Security {
  readonly tls?: Tls;
  readonly passthrough: boolean;
  /** `<namespace>/<name>` of the certificate for clients without SNI. */
  readonly fallback?: string;
}

/** Reads `spec.virtualhost.tls`; the reasons of TLSError are Contour's. */
export function readTls(proxy: HTTPProxy, reader: Reader, report: Report): Security | undefined {
  const tls = proxy.spec.virtualhost?.tls;
  const path = "spec.virtualhost.tls";
  if (!tls) return { passthrough: false };
  const fail = (reason: ErrorCode, message: string, field = ""): undefined => {
    report.error(proxy.ref, "TLSError", reason, message, path + field);
    return undefined;
  };
  if (tls.passthrough && tls.secretName) {
    return fail("TLSConfigNotValid", "Spec.VirtualHost.TLS: both Passthrough and SecretName were specified");
  }
  if (!tls.passthrough && !tls.secretName) {
    return fail(
      "TLSConfigNotValid",
      "Spec.VirtualHost.TLS: neither Passthrough nor SecretName were specified",
    );
  }
  const clash = incompatible(proxy);
  if (clash) return fail("TLSIncompatibleFeatures", clash);
  if (tls.passthrough) {
    // As in Contour, the host is served nevertheless.
    if (tls.enableFallbackCertificate)
      fail(
        "TLSIncompatibleFeatures",
        "Spec.VirtualHost.TLS: both Passthrough and enableFallbackCertificate were specified",
      );
    return { passthrough: true };
  }

  const asked = { minimum: tls.minimumProtocolVersion, maximum: tls.maximumProtocolVersion };
  const secured = readServerTls(proxy, asked, reader, report, (reason, message, at) => {
    report.error(proxy.ref, "TLSError", reason, message, at);
    return undefined;
  });
  if (!secured) return undefined;
  const fallback = tls.enableFallbackCertificate ? readFallback(proxy, reader, fail) : undefined;
  if (tls.enableFallbackCertificate && !fallback) return undefined;
  const clientValidation = tls.clientValidation ? readClientValidation(proxy, reader, report) : undefined;
  if (tls.clientValidation && !clientValidation) return undefined;
  return {
    tls: { ...secured, ...(clientValidation ? { clientValidation } : {}) },
    passthrough: false,
    ...(fallback ? { fallback } : {}),
  };
}

/**
 * Features that exclude each other: with passthrough Envoy sees no HTTP, and the fallback chain serves several hosts.
 */
function incompatible({ spec: { virtualhost: host } }: HTTPProxy): string | undefined {
  const tls = host?.tls;
  if (tls?.passthrough && tls.clientValidation)
    return "Spec.VirtualHost.TLS passthrough cannot be combined with tls.clientValidation";
  if (!tls?.enableFallbackCertificate || tls.passthrough) return undefined;
  if (tls.clientValidation) return "Spec.Virtualhost.TLS fallback & client validation are incompatible";
  if (host?.authorization) return "Spec.Virtualhost.TLS fallback & client authorization are incompatible";
  if (host?.jwtProviders?.length) return "Spec.Virtualhost.TLS fallback & JWT providers are incompatible";
  return undefined;
}

/** The fallback certificate of the settings, which must be delegated to the namespace of the host. */
function readFallback(
  proxy: HTTPProxy,
  reader: Reader,
  fail: (reason: ErrorCode, message: string, field?: string) => undefined,
): string | undefined {
  const configured = reader.settings.tls.fallbackCertificate;
  const field = ".enableFallbackCertificate";
  if (!configured) {
    const message =
      "Spec.Virtualhost.TLS enabled fallback but the fallback Certificate Secret is not configured in Contour configuration file";
    return fail("FallbackNotPresent", message, field);
  }
  const secret = { namespace: configured.namespace ?? "", name: configured.name ?? "" };
  const name = `${secret.namespace}/${secret.name}`;
  if (!isDelegated(reader, secret, proxy.meta.namespace)) {
    const message = `Spec.VirtualHost.TLS Secret "${name}" is not configured for certificate delegation`;
    return fail("FallbackNotDelegated", message, field);
  }
  const { error } = readKeyPair(reader, secret);
  if (!error) return name;
  const message = `Spec.Virtualhost.TLS Secret "${name}" fallback certificate is invalid: ${error}`;
  return fail("FallbackNotValid", message, field);
}
