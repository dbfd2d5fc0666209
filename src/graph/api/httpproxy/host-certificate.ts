import type { ErrorCode } from "../../../schema/finding-codes.js";
import { warnOfCertificate } from "../../certificates/certificate.js";
import { isDelegated, readKeyPair, secretName } from "../../certificates/secret.js";
import type { HTTPProxy, ObjectByKind, Reader, Report } from "../../core/reader.js";

/**
 * `<namespace>/<name>` of the Secret in `spec.virtualhost.tls.secretName` of a root; undefined if the root may not use
 * it, or if Envoy would not load it. `fail` reports why.
 */
export function hostCertificate(
  { ref, meta, spec: { virtualhost } }: HTTPProxy | ObjectByKind<"IngressRoute">,
  reader: Reader,
  report: Report,
  fail: (reason: ErrorCode, message: string, path: string) => undefined,
): string | undefined {
  const path = "spec.virtualhost.tls.secretName";
  const text = virtualhost?.tls?.secretName ?? "";
  const secret = secretName(text, meta.namespace);
  const name = `${secret.namespace}/${secret.name}`;
  if (!isDelegated(reader, secret, meta.namespace)) {
    const message = `Spec.VirtualHost.TLS Secret "${name}" certificate delegation not permitted`;
    return fail("DelegationNotPermitted", message, path);
  }
  const { pair, error } = readKeyPair(reader, secret);
  if (!pair)
    return fail("SecretNotValid", `Spec.VirtualHost.TLS Secret "${text}" is invalid: ${error}`, path);
  const host = virtualhost?.fqdn?.toLowerCase() ?? "";
  warnOfCertificate(pair, { about: ref, path, secret, host }, report);
  return name;
}
