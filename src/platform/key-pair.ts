import { createPrivateKey, createPublicKey, type KeyObject, X509Certificate } from "node:crypto";

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
  return keyProblem(leaf.publicKey) ?? (hasExplicitCurve(leaf.raw) ? explicitCurve : undefined);
}

const explicitCurve = "an elliptic curve key that spells out its curve is not for Envoy; name the curve";
/** DER of the object identifier id-ecPublicKey (RFC 5480 §2.1.1); a curve's name is one more identifier. */
const ecPublicKey = Buffer.from("06072a8648ce3d0201", "hex");

function hasExplicitCurve(certificate: Buffer): boolean {
  const at = certificate.indexOf(ecPublicKey);
  return at >= 0 && certificate[at + ecPublicKey.length] !== 0x06;
}

const curves: readonly string[] = ["prime256v1", "secp384r1", "secp521r1"];

/** Why Envoy takes no certificate with such a key. */
function keyProblem({
  asymmetricKeyType: type,
  asymmetricKeyDetails: details,
}: KeyObject): string | undefined {
  if (type === "rsa") {
    const bits = details?.modulusLength ?? 0;
    return bits < 2048 ? `an RSA key of ${bits} bits is too short for Envoy, 2048 are needed` : undefined;
  }
  if (type === "ec") {
    const curve = details?.namedCurve ?? "unnamed parameters";
    return !curves.includes(curve)
      ? `an elliptic curve key of ${curve} is not for Envoy, which takes P-256, P-384 and P-521`
      : undefined;
  }
  return type === "ed25519"
    ? undefined
    : `a key of type ${type} is not for Envoy, which takes RSA, EC and Ed25519`;
}
