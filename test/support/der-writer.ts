import { createHash, createPrivateKey, createPublicKey } from "node:crypto";

/** An ASN.1 value in DER: its tag, the shortest form of its length, and its content. */
export function tlv(tag: number, ...parts: readonly Uint8Array[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag]), shortest(content.length), content]);
}

function shortest(length: number): Buffer {
  if (length < 0x80) return Buffer.from([length]);
  const bytes = unsigned(BigInt(length));
  return Buffer.concat([Buffer.from([0x80 + bytes.length]), bytes]);
}

function unsigned(value: bigint): Buffer {
  const hex = value.toString(16);
  return Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
}

export const hex = (text: string): Buffer => Buffer.from(text.replaceAll(" ", ""), "hex");
export const ascii = (tag: number, text: string): Buffer => tlv(tag, Buffer.from(text, "latin1"));
export const sequence = (...parts: readonly Uint8Array[]): Buffer => tlv(0x30, ...parts);
export const set = (...parts: readonly Uint8Array[]): Buffer => tlv(0x31, ...parts);
export const octets = (...parts: readonly Uint8Array[]): Buffer => tlv(4, ...parts);
export const bits = (content: Uint8Array, unused = 0): Buffer => tlv(3, Buffer.from([unused]), content);
export const nothing = tlv(5);

/** An INTEGER that is not negative. */
export function integer(value: bigint | number): Buffer {
  const bytes = unsigned(BigInt(value));
  return tlv(2, (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.from([0]), bytes]));
}

export function oid(text: string): Buffer {
  const [first = 0, second = 0, ...rest] = text.split(".").map(Number);
  return tlv(6, Buffer.from([first * 40 + second, ...rest.flatMap(base128)]));
}

const base128 = (number: number): number[] => {
  const digits = [number % 128];
  for (let left = Math.floor(number / 128); left > 0; left = Math.floor(left / 128))
    digits.unshift(0x80 + (left % 128));
  return digits;
};

export const pem = (label: string, der: Uint8Array): string => {
  const lines =
    Buffer.from(der)
      .toString("base64")
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join("\n")}\n-----END ${label}-----\n`;
};

/** The decoded PEM blocks of a text, concatenated. */
export const derOf = (text: string): Buffer =>
  Buffer.concat(
    (text.match(/-----BEGIN[^-]+-----[^-]+/g) ?? []).map((block) =>
      Buffer.from(block.replace(/-----[^-]+-----|\s/g, ""), "base64"),
    ),
  );

/** An odd number of this many bits, the same for the same seed. */
function oddNumber(seed: string, size: number): bigint {
  let digits = "";
  for (let i = 0; digits.length * 4 < size; i++)
    digits += createHash("sha256").update(`${seed} ${i}`).digest("hex");
  const value = BigInt(`0x${digits}`) & ((1n << BigInt(size)) - 1n);
  return value | (3n << BigInt(size - 2)) | 1n;
}

/** The inverse of a number; undefined if there is none. */
function inverse(value: bigint, modulus: bigint): bigint | undefined {
  let [a, b, x, y] = [value % modulus, modulus, 1n, 0n];
  while (b > 0n) [a, b, x, y] = [b, a % b, y, x - (a / b) * y];
  return a === 1n ? ((x % modulus) + modulus) % modulus : undefined;
}

export interface RsaNumbers {
  readonly version: bigint;
  readonly n: bigint;
  readonly e: bigint;
  readonly d: bigint;
  readonly p: bigint;
  readonly q: bigint;
  readonly dp: bigint;
  readonly dq: bigint;
  readonly inverse: bigint;
}

/** The numbers of an RSA key that pass every check of a library, although p and q are not prime. */
export function rsaNumbers(size: number, e = 65537n, seed = "key"): RsaNumbers {
  for (let i = 0; ; i++) {
    const p = oddNumber(`${seed} p ${size} ${i}`, Math.ceil(size / 2));
    const q = oddNumber(`${seed} q ${size} ${i}`, Math.floor(size / 2));
    const dp = inverse(e, p - 1n);
    const dq = inverse(e, q - 1n);
    const d = inverse(e, (p - 1n) * (q - 1n));
    const own = inverse(q, p);
    if (dp !== undefined && dq !== undefined && d !== undefined && own !== undefined)
      return { version: 0n, n: p * q, e, d, p, q, dp, dq, inverse: own };
  }
}

const rsaEncryption = sequence(oid("1.2.840.113549.1.1.1"), nothing);

export interface Key {
  /** SubjectPublicKeyInfo. */
  readonly publicKey: Buffer;
  /** PEM. */
  readonly privateKey: string;
}

export const rsaPublicKey = ({ n, e }: Pick<RsaNumbers, "n" | "e">, algorithm = rsaEncryption): Buffer =>
  sequence(algorithm, bits(sequence(integer(n), integer(e))));

export const rsaPrivateKey = (numbers: RsaNumbers, ...more: readonly Uint8Array[]): Buffer =>
  sequence(
    ...[numbers.version, numbers.n, numbers.e, numbers.d, numbers.p, numbers.q].map(integer),
    ...[numbers.dp, numbers.dq, numbers.inverse].map(integer),
    ...more,
  );

export const pkcs8 = (algorithm: Uint8Array, key: Uint8Array, ...more: readonly Uint8Array[]): Buffer =>
  sequence(integer(0), algorithm, octets(key), ...more);

export const rsaKey = (numbers: RsaNumbers): Key => ({
  publicKey: rsaPublicKey(numbers),
  privateKey: pem("PRIVATE KEY", pkcs8(rsaEncryption, rsaPrivateKey(numbers))),
});

export const curves = {
  "P-224": { id: oid("1.3.132.0.33"), size: 28 },
  "P-256": { id: oid("1.2.840.10045.3.1.7"), size: 32 },
  "P-384": { id: oid("1.3.132.0.34"), size: 48 },
  "P-521": { id: oid("1.3.132.0.35"), size: 66 },
  secp256k1: { id: oid("1.3.132.0.10"), size: 32 },
  brainpoolP256r1: { id: oid("1.3.36.3.3.2.8.1.1.7"), size: 32 },
} as const;
export type Curve = keyof typeof curves;

export const ecAlgorithm = (curve: Curve): Buffer => sequence(oid("1.2.840.10045.2.1"), curves[curve].id);

/** An ECPrivateKey (RFC 5915) with a small number, without a public key unless one is given. */
export const ecPrivateKey = (curve: Curve, scalar: Uint8Array, ...more: readonly Uint8Array[]): Buffer =>
  sequence(integer(1), octets(Buffer.alloc(curves[curve].size - scalar.length), scalar), ...more);

export function ecKey(curve: Curve, scalar = hex("0123456789abcdef")): Key {
  const der = pkcs8(ecAlgorithm(curve), ecPrivateKey(curve, scalar));
  return {
    publicKey: createPublicKey(createPrivateKey({ key: der, format: "der", type: "pkcs8" })).export({
      type: "spki",
      format: "der",
    }),
    privateKey: pem("PRIVATE KEY", der),
  };
}

/** The bytes of the point in a SubjectPublicKeyInfo of an EC key. */
export const pointOf = (curve: Curve, publicKey: Buffer): Buffer =>
  publicKey.subarray(-(2 * curves[curve].size + 1));

export const relativeName = (id: string, value: Uint8Array): Buffer => set(sequence(oid(id), value));
export const commonName = (text: string): Buffer => sequence(relativeName("2.5.4.3", ascii(0x0c, text)));
export const extension = (id: string, value: Uint8Array, critical = false): Buffer =>
  sequence(oid(id), ...(critical ? [tlv(1, hex("ff"))] : []), octets(value));
export const dnsNames = (...names: readonly string[]): Buffer =>
  extension("2.5.29.17", sequence(...names.map((name) => ascii(0x82, name))));

export const sha256WithRsa = sequence(oid("1.2.840.113549.1.1.11"), nothing);

/** The parts of a certificate, which may be any bytes; undefined omits an optional part. */
export interface CertificateParts {
  readonly version?: Uint8Array | undefined;
  readonly serial?: Uint8Array;
  readonly algorithm?: Uint8Array;
  readonly issuer?: Uint8Array;
  readonly validity?: Uint8Array;
  readonly subject?: Uint8Array;
  readonly publicKey?: Uint8Array;
  readonly uniqueIds?: Uint8Array;
  readonly extensions?: Uint8Array | undefined;
  readonly outerAlgorithm?: Uint8Array;
  readonly signature?: Uint8Array;
  readonly more?: Uint8Array;
}

export const extensionList = (...all: readonly Uint8Array[]): Buffer => tlv(0xa3, sequence(...all));

/**
 * A certificate in DER for odd.test. Libraries do not verify the signature when they load it, so that it is arbitrary.
 */
export function certificateOf(publicKey: Uint8Array, parts: CertificateParts = {}): Buffer {
  const algorithm = parts.algorithm ?? sha256WithRsa;
  const version = "version" in parts ? parts.version : tlv(0xa0, integer(2));
  const extensions = "extensions" in parts ? parts.extensions : extensionList(dnsNames("odd.test"));
  const body = sequence(
    version ?? Buffer.alloc(0),
    parts.serial ?? integer(4711),
    algorithm,
    parts.issuer ?? commonName("odd authority"),
    parts.validity ?? sequence(ascii(0x17, "200101000000Z"), ascii(0x18, "21000101000000Z")),
    parts.subject ?? commonName("odd.test"),
    parts.publicKey ?? publicKey,
    parts.uniqueIds ?? Buffer.alloc(0),
    extensions ?? Buffer.alloc(0),
  );
  const signature = parts.signature ?? bits(Buffer.alloc(256, 0x5a));
  return sequence(body, parts.outerAlgorithm ?? algorithm, signature, parts.more ?? Buffer.alloc(0));
}
