import type { DownstreamTlsContext, Secret } from "../gen/envoy.js";
import type { CertificateRef } from "../graph/backends/cluster.js";
import type { KeyPair } from "../graph/certificates/secret.js";
import type { Resource } from "../store/store.js";
import { configSource } from "./config-source.js";

type TlsContext = NonNullable<DownstreamTlsContext["common_tls_context"]>;
type Certificate = NonNullable<TlsContext["tls_certificates"]>[number];

const inline = ({ certificate, privateKey }: KeyPair): Certificate => ({
  certificate_chain: { inline_bytes: btoa(certificate) },
  private_key: { inline_bytes: btoa(privateKey) },
});

/** The certificate that Envoy presents: by SDS or, if there is a pair, inline. */
export const writeCertificate = ({
  secret,
  pair,
}: CertificateRef): Pick<TlsContext, "tls_certificates" | "tls_certificate_sds_secret_configs"> =>
  pair
    ? { tls_certificates: [inline(pair)] }
    : { tls_certificate_sds_secret_configs: [{ name: secret, sds_config: configSource }] };

/** A Secret resource under its stable name, `<namespace>/<name>`, so that a rotated certificate changes no listener. */
export function writeSecret(name: string, pair: KeyPair): Resource {
  const secret: Secret = { name, tls_certificate: inline(pair) };
  return { type: "secret", group: "", name, json: JSON.stringify(secret) };
}
