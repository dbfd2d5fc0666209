import { generateKeyPairSync, type KeyPairKeyObjectResult, sign } from "node:crypto";

/** A signer of JSON Web Tokens with a key of its own. */
export interface Signer {
  /** Its public key as a JSON Web Key Set. */
  readonly jwks: string;
  token(claims: Readonly<Record<string, unknown>>): string;
}

interface Algorithm {
  /** Undefined if the key determines it. */
  readonly hash?: string;
  generate(): KeyPairKeyObjectResult;
}

const elliptic = (namedCurve: string, hash: string): Algorithm => ({
  hash,
  generate: () => generateKeyPairSync("ec", { namedCurve }),
});

const algorithms = {
  RS256: { hash: "sha256", generate: () => generateKeyPairSync("rsa", { modulusLength: 2048 }) },
  ES256: elliptic("P-256", "sha256"),
  ES384: elliptic("P-384", "sha384"),
  ES512: elliptic("P-521", "sha512"),
  EdDSA: { generate: () => generateKeyPairSync("ed25519") },
} satisfies Record<string, Algorithm>;

const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString("base64url");

export function createSigner(kid: string, alg: keyof typeof algorithms = "RS256"): Signer {
  const { generate, hash }: Algorithm = algorithms[alg];
  const { publicKey, privateKey } = generate();
  const key = { ...publicKey.export({ format: "jwk" }), kid, alg, use: "sig" };
  return {
    jwks: JSON.stringify({ keys: [key] }),
    token: (claims) => {
      const text = `${encode({ alg, typ: "JWT", kid })}.${encode(claims)}`;
      const signature = sign(hash, Buffer.from(text), { key: privateKey, dsaEncoding: "ieee-p1363" });
      return `${text}.${signature.toString("base64url")}`;
    },
  };
}
