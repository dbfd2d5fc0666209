import type { ErrorCode } from "../../../schema/finding-codes.js";
import { warnOfCertificate } from "../../certificates/certificate.js";
import { isDelegated, readKeyPair, secretName } from "../../certificates/secret.js";
import type { Tls, TlsVersion } from "../../core/nodes.js";
import type { HTTPProxy, ObjectByKind, Reader, Report } from "../../core/reader.js";

type Root = HTTPProxy | ObjectByKind<"IngressRoute">;
/** Reports why a host has no TLS; `field` is the path in the object. */
type Fail = (reason: ErrorCode, message: string, field: string) => undefined;

const versions: readonly TlsVersion[] = ["1.2", "1.3"];
const asVersion = (text: string | undefined, fallback: TlsVersion): TlsVersion =>
  text === "1.2" || text === "1.3" ? text : fallback;

const higher = (a: TlsVersion, b: TlsVersion): TlsVersion =>
  versions.indexOf(a) > versions.indexOf(b) ? a : b;
const lower = (a: TlsVersion, b: TlsVersion): TlsVersion =>
  versions.indexOf(a) < versions.indexOf(b) ? a : b;

/** The intersection of the object's and the settings' TLS versions; undefined if it is empty. */
export function tlsRange(
  minimum: string | undefined,
  maximum: string | undefined,
  reader: Reader,
): { minimum: TlsVersion; maximum: TlsVersion } | undefined {
  const settings = reader.settings.tls;
  const min = higher(asVersion(settings.minimumProtocolVersion, "1.2"), asVersion(minimum, "1.2"));
  const max = lower(asVersion(settings.maximumProtocolVersion, "1.3"), asVersion(maximum, "1.3"));
  return higher(min, max) === max ? { minimum: min, maximum: max } : undefined;
}

/** The certificate and the TLS versions of a root's host, from `spec.virtualhost.tls`. */
export function readServerTls(
  root: Root,
  versions: { readonly minimum: string | undefined; readonly maximum?: string | undefined },
  reader: Reader,
  report: Report,
  fail: Fail,
): Pick<Tls, "secret" | "minimum" | "maximum"> | undefined {
  const secret = hostCertificate(root, reader, report, fail);
  if (secret === undefined) return undefined;
  const range = tlsRange(versions.minimum, versions.maximum, reader);
  if (range) return { secret, ...range };
  const message =
    "Spec.Virtualhost.TLS the minimum protocol version is greater than the maximum protocol version";
  return fail("TLSConfigNotValid", message, "spec.virtualhost.tls");
}

/**
 * `<namespace>/<name>` of the Secret in `spec.virtualhost.tls.secretName` of a root. Undefined, after `fail`, if
 * delegation does not permit it or Envoy would not load it.
 */
function hostCertificate(
  { ref, meta, spec: { virtualhost } }: Root,
  reader: Reader,
  report: Report,
  fail: Fail,
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
