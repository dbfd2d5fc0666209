import type { TlsParameters } from "../gen/envoy.js";
import type { TlsVersion } from "../graph/core/nodes.js";

const versions = { "1.2": "TLSv1_2", "1.3": "TLSv1_3" } as const;

/** Ciphers (of TLS 1.2) and curves in order of preference; empty lists are Envoy's defaults. */
export const writeTlsParameters = (
  minimum: TlsVersion,
  maximum: TlsVersion,
  {
    cipherSuites,
    ecdhCurves,
  }: { readonly cipherSuites: readonly string[]; readonly ecdhCurves: readonly string[] },
): TlsParameters => ({
  tls_minimum_protocol_version: versions[minimum],
  tls_maximum_protocol_version: versions[maximum],
  ...(cipherSuites.length > 0 ? { cipher_suites: cipherSuites } : {}),
  ...(ecdhCurves.length > 0 ? { ecdh_curves: ecdhCurves } : {}),
});
