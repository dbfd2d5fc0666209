import { createPrivateKey, createPublicKey, X509Certificate } from "node:crypto";

/**
 * Why a PEM certificate chain and private key do not make a pair that Envoy loads; undefined when they do.
 * An empty key checks the certificate alone.
 */
export function checkKeyPair(certificate: string, privateKey: string): string | undefined {
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(certificate);
  } catch {
    return "the certificate can't be parsed";
  }
  if (privateKey === "") return undefined;
  try {
    const own = createPublicKey(createPrivateKey(privateKey)).export({ type: "spki", format: "pem" });
    if (own !== leaf.publicKey.export({ type: "spki", format: "pem" })) {
      return "the private key is not the certificate's";
    }
  } catch {
    return "the private key can't be parsed (encrypted keys are not supported)";
  }
  if (leaf.publicKey.asymmetricKeyType === "rsa") {
    const bits = leaf.publicKey.asymmetricKeyDetails?.modulusLength ?? 0;
    if (bits < 2048) return `an RSA key of ${bits} bits is too short for Envoy, 2048 are needed`;
  }
  return undefined;
}
