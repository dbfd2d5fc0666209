import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";

/**
 * Why a PEM certificate and a private key (PKCS #8, PEM) do not belong together; undefined when they do. The public key is
 * computed from the private one.
 */
export function checkKeyPair(certificate: string, privateKey: string): string | undefined {
  try {
    const own = createPublicKey(createPrivateKey(privateKey)).export({ type: "spki", format: "pem" });
    const { publicKey } = new X509Certificate(certificate);
    return own === publicKey.export({ type: "spki", format: "pem" })
      ? undefined
      : "the private key is not the certificate's";
  } catch {
    return "the certificate or its private key can't be parsed";
  }
}
