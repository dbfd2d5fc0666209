import type { ErrorCode } from "../../schema/finding-codes.js";
import { isDelegated, readCaBundle, readCrl, secretName } from "../certificates/secret.js";
import type { HTTPProxy, Reader, Report } from "../core/reader.js";

/** Requirements for the certificate of a client. */
export interface ClientValidation {
  /** PEM. */
  readonly ca?: string;
  /** PEM. */
  readonly crl?: string;
  readonly crlLeafOnly: boolean;
  readonly optional: boolean;
  /** Accepts any certificate. */
  readonly skipVerification: boolean;
  /** The maximum number of CA certificates between the client's certificate and a trusted one. */
  readonly maxDepth?: number;
  /** The content of `x-forwarded-client-cert` for the backend; undefined: no such header. */
  readonly forward?: {
    readonly subject: boolean;
    readonly cert: boolean;
    readonly chain: boolean;
    readonly dns: boolean;
    readonly uri: boolean;
  };
}

const path = "spec.virtualhost.tls.clientValidation";

/** Reads `tls.clientValidation`; undefined with a finding if clients could not be validated as configured. */
export function readClientValidation(
  proxy: HTTPProxy,
  reader: Reader,
  report: Report,
): ClientValidation | undefined {
  const fields = proxy.spec.virtualhost?.tls?.clientValidation;
  const fail = (reason: ErrorCode, message: string, field: string): undefined => {
    report.error(proxy.ref, "TLSError", reason, message, path + field);
    return undefined;
  };
  const read = <T extends object>(
    text: string,
    label: string,
    field: string,
    reading: (reader: Reader, secret: { namespace: string; name: string }) => T & { error?: string },
  ): T | undefined => {
    const secret = secretName(text, proxy.meta.namespace);
    if (!isDelegated(reader, secret, proxy.meta.namespace)) {
      const message = `Spec.VirtualHost.TLS ${label} Secret "${text}" is invalid: certificate delegation not permitted`;
      return fail("DelegationNotPermitted", message, field);
    }
    const found = reading(reader, secret);
    if (!found.error) return found;
    const name = `${secret.namespace}/${secret.name}`;
    const message = `Spec.VirtualHost.TLS client validation is invalid: invalid ${label} Secret "${name}": ${found.error}`;
    return fail("ClientValidationInvalid", message, field);
  };
  if (!fields?.caSecret && !fields?.skipClientCertValidation) {
    const message = "Spec.VirtualHost.TLS client validation is invalid: CA Secret must be specified";
    return fail("ClientValidationInvalid", message, ".caSecret");
  }
  const ca = fields.caSecret ? read(fields.caSecret, "CA", ".caSecret", readCaBundle) : {};
  const crl = fields.crlSecret ? read(fields.crlSecret, "CRL", ".crlSecret", readCrl) : {};
  if (!ca || !crl) return undefined;
  const forward = fields.forwardClientCertificate;
  return {
    ...ca,
    ...crl,
    crlLeafOnly: fields.crlOnlyVerifyLeafCert ?? false,
    optional: fields.optionalClientCertificate ?? false,
    skipVerification: fields.skipClientCertValidation ?? false,
    ...(forward
      ? {
          forward: {
            subject: forward.subject ?? false,
            cert: forward.cert ?? false,
            chain: forward.chain ?? false,
            dns: forward.dns ?? false,
            uri: forward.uri ?? false,
          },
        }
      : {}),
  };
}
