import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";

/**
 * Compares the public key of a PEM certificate with the one computed from a private key (PKCS #8, PEM). Returns the
 * problem; undefined when they match.
 */
export function checkKeyPair(certificate: string, privateKey: string): string | undefined {
  try {
    const own = createPublicKey(createPrivateKey(privateKey)).export({ type: "spki", format: "pem" });
    const { publicKey } = new X509Certificate(certificate);
    return own === publicKey.export({ type: "spki", format: "pem" })
      ? undefined
      : "the private key does not match the certificate";
  } catch {
    return "the certificate or its private key can't be parsed";
  }
}
