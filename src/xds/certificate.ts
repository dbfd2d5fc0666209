import type { DownstreamTlsContext, Secret } from "../gen/envoy.js";
import type { CertificateRef } from "../graph/backends/cluster.js";
import type { KeyPair } from "../graph/certificates/secret.js";
import { pollTimes } from "../schema/polls.js";
import type { SettingsSpec } from "../schema/settings.js";
import type { Resource } from "../store/store.js";
import { configSource } from "./config-source.js";

type TlsContext = NonNullable<DownstreamTlsContext["common_tls_context"]>;
type Certificate = NonNullable<TlsContext["tls_certificates"]>[number];

const inline = ({ certificate, privateKey }: KeyPair): Certificate => ({
  certificate_chain: { inline_bytes: btoa(certificate) },
  private_key: { inline_bytes: btoa(privateKey) },
});

/** The certificate that Envoy shows, by SDS or, where there is a pair, in place; with more of them, of which Envoy chooses one, all by SDS. */
export const writeCertificate = (
  { secret, pair }: CertificateRef,
  settings: SettingsSpec,
  more: readonly string[] = [],
): Pick<TlsContext, "tls_certificates" | "tls_certificate_sds_secret_configs"> =>
  pair && more.length === 0
    ? { tls_certificates: [inline(pair)] }
    : {
        tls_certificate_sds_secret_configs: [secret, ...more].map((name) => ({
          name,
          sds_config: configSource(pollTimes(settings.polls)),
        })),
      };

/** A Secret resource under its stable name, `<namespace>/<name>`, so that a rotated certificate changes no listener. */
export function writeSecret(name: string, pair: KeyPair): Resource {
  const secret: Secret = { name, tls_certificate: inline(pair) };
  return { type: "secret", group: "", name, json: JSON.stringify(secret) };
}
