import type { ErrorCode } from "../../../schema/finding-codes.js";
import type { ClusterOverrides } from "../../backends/backend.js";
import { isInline, readKeyPair } from "../../certificates/secret.js";
import { secretUnit } from "../../core/keys.js";
import type { Reader } from "../../core/reader.js";
import type { Gateway } from "./gateway-listener.js";
import { isGranted } from "./grants.js";

/** `spec.tls.backend.clientCertificateRef` of a Gateway: the certificate, or the problem with it. */
export interface BackendCertificate {
  readonly secret?: string;
  readonly problem?: { readonly reason: ErrorCode; readonly message: string };
}

export function readBackendCertificate(
  { spec, meta }: Gateway,
  reader: Reader,
): BackendCertificate | undefined {
  const ref = spec.tls?.backend?.clientCertificateRef;
  if (!ref) return undefined;
  const fail = (reason: ErrorCode, message: string): BackendCertificate => ({ problem: { reason, message } });
  const at = "spec.tls.backend.clientCertificateRef";
  if (ref.group !== "" || ref.kind !== "Secret")
    return fail(
      "InvalidClientCertificateRef",
      `${at} must be a reference to a Secret, not ${ref.group || "core"}/${ref.kind}`,
    );
  const secret = { namespace: ref.namespace || meta.namespace, name: ref.name };
  const from = { kind: "Gateway", namespace: meta.namespace };
  if (!isGranted({ from, to: { kind: "Secret", ...secret } }, reader))
    return fail(
      "RefNotPermitted",
      `${at}: Secret ${secret.namespace}/${secret.name} must be in the Gateway's namespace or be covered by a ReferenceGrant`,
    );
  const { pair, error } = readKeyPair(reader, secret);
  if (!pair) return fail("InvalidClientCertificateRef", `${at}: ${error}`);
  return { secret: `${secret.namespace}/${secret.name}` };
}

/** The option of a cluster with the client certificate. Needs the unit of its Secret if SDS sends it. */
export function certificateOption(
  secret: string,
  reader: Reader,
): NonNullable<ClusterOverrides["clientCertificate"]> {
  const [namespace = "", name = ""] = secret.split("/");
  const { pair } = readKeyPair(reader, { namespace, name });
  if (pair && isInline(pair, reader)) return { secret, pair };
  reader.need(secretUnit(secret));
  return { secret };
}
