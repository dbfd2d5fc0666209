import { type Der, primitive, readDer, sequence } from "./der.js";
import { integer, isOne, oid, tags } from "./x509.js";

/** Object identifiers (X.660) as byte strings of their DER content. */
export const algorithms = {
  rsa: "\x2a\x86\x48\x86\xf7\x0d\x01\x01\x01",
  ec: "\x2a\x86\x48\xce\x3d\x02\x01",
  ed25519: "\x2b\x65\x70",
} as const;

interface Curve {
  readonly name: "P-256" | "P-384" | "P-521";
  /** Bytes of a coordinate. */
  readonly size: number;
  /** A private key is a number above 0 and below this. */
  readonly order: bigint;
}

const order = (hex: string): bigint => BigInt(`0x${hex}`);

/** The curves that Envoy loads (FIPS 186-5, SP 800-186), by object identifier. */
export const curves: ReadonlyMap<string, Curve> = new Map([
  [
    "\x2a\x86\x48\xce\x3d\x03\x01\x07",
    {
      name: "P-256",
      size: 32,
      order: order("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
    },
  ],
  [
    "\x2b\x81\x04\x00\x22",
    {
      name: "P-384",
      size: 48,
      order: order(
        "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973",
      ),
    },
  ],
  [
    "\x2b\x81\x04\x00\x23",
    {
      name: "P-521",
      size: 66,
      order: order(
        "1fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffa51868783bf2f966b7fcc0148f709a5d03bb5c9b8899c47aebb6fb71e91386409",
      ),
    },
  ],
]);

const otherCurves: ReadonlyMap<string, string> = new Map([
  ["\x2b\x81\x04\x00\x0a", "secp256k1"],
  ["\x2b\x81\x04\x00\x21", "P-224"],
]);
const otherAlgorithms: ReadonlyMap<string, string> = new Map([
  ["\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a", "RSASSA-PSS"],
  ["\x2a\x86\x48\xce\x38\x04\x01", "DSA"],
  ["\x2b\x65\x71", "Ed448"],
]);

export interface PublicKey {
  readonly kind: keyof typeof algorithms;
  /** The content of the BIT STRING, a byte string. */
  readonly bits: string;
  /** Public authorities sign keys of this kind. */
  readonly usual: boolean;
}

export type ReadPublicKey =
  | { readonly key: PublicKey; readonly problem?: undefined }
  | { readonly key?: undefined; readonly problem: string };
type Validated = { readonly usual: boolean } | { readonly problem: string };

/**
 * Envoy refuses a shorter RSA key. Its library accepts longer ones, up to 16,384 bits, but workerd's does not; and the
 * CPU time of a handshake grows with the cube of the length.
 */
const rsaBits = { least: 2048, most: 8192 };
const leastExponent = 3n;
/** Exponents are below this. */
const exponentLimit = 1n << 33n;

const isNull = primitive(5, (content) => content === "");
const rsaAlgorithm = sequence(tags.sequence, oid, isNull);
const rsaKey = sequence(tags.sequence, integer, integer);

/** The value of a positive INTEGER in DER; undefined for a negative one, or one of more than `mostBytes`. */
export function natural({ tag, content }: Der, mostBytes: number): bigint | undefined {
  if (tag !== tags.integer || content.length > mostBytes || content.charCodeAt(0) > 0x7f) return undefined;
  return BigInt(`0x${hexOf(content)}`);
}

export const hexOf = (bytes: string): string => {
  let hex = "";
  for (let i = 0; i < bytes.length; i++) hex += bytes.charCodeAt(i).toString(16).padStart(2, "0");
  return hex;
};

/** Bytes of the INTEGER of the longest RSA number: its digits and one byte for the sign. */
export const mostRsaBytes = rsaBits.most / 8 + 1;

const validators = { rsa: validateRsa, ec: validatePoint, ed25519: validateEdwards };

/**
 * The key of a SubjectPublicKeyInfo (RFC 5280 §4.1.2.7) with the parameters and encodings that Envoy's library accepts
 * (RFC 3279 §2.3.1, RFC 5480 §2, RFC 8410 §3); or why Envoy refuses a certificate with it.
 */
export function readPublicKey({ parts: [algorithm, content] = [] }: Der): ReadPublicKey {
  const id = algorithm?.parts?.[0]?.content ?? "";
  const kind = kinds.find((one) => algorithms[one] === id);
  if (!algorithm || !content || !kind) {
    const type = otherAlgorithms.get(id) ?? dotted(id);
    return { problem: `Envoy does not support a key of type ${type}, only RSA, EC and Ed25519` };
  }
  // The first byte is the number of unused bits in the last byte.
  if (!content.content.startsWith("\0"))
    return { problem: "its public key has a number of bits that is not a multiple of 8" };
  const validated = validators[kind](algorithm, content.content.slice(1));
  return "problem" in validated ? validated : { key: { kind, bits: content.content, ...validated } };
}

const kinds = ["rsa", "ec", "ed25519"] as const;

function validateRsa(algorithm: Der, bytes: string): Validated {
  const values = readDer(bytes);
  if (!rsaAlgorithm(algorithm) || !isOne(values, rsaKey))
    return { problem: "its RSA key is not a modulus and an exponent, or its algorithm lacks NULL" };
  const [n, e] = values?.[0]?.parts ?? [];
  const digits = n?.content.replace(/^\0/, "") ?? "";
  const bits = digits === "" ? 0 : digits.length * 8 - Math.clz32(digits.charCodeAt(0)) + 24;
  if (bits < rsaBits.least)
    return { problem: `an RSA key of ${bits} bits is too short for Envoy, which requires ${rsaBits.least}` };
  if (bits > rsaBits.most)
    return { problem: `an RSA key of ${bits} bits is too long, the maximum is ${rsaBits.most}` };
  const modulus = n && natural(n, mostRsaBytes);
  const exponent = e && natural(e, mostRsaBytes);
  if (modulus === undefined || modulus % 2n === 0n)
    return { problem: "the modulus of its RSA key is not positive and odd" };
  if (exponent === undefined || exponent < leastExponent || exponent >= exponentLimit || exponent % 2n === 0n)
    return {
      problem: "Envoy does not support the exponent of its RSA key, only odd numbers from 3 to 2^33 - 1",
    };
  return { usual: exponent === 65537n && bits <= 4096 };
}

function validatePoint(algorithm: Der, point: string): Validated {
  const [, named, ...more] = algorithm.parts ?? [];
  if (named?.tag !== tags.oid || more.length > 0)
    return {
      problem:
        "Envoy does not support an elliptic curve key with explicit curve parameters; use a named curve",
    };
  const curve = curves.get(named.content);
  if (!curve)
    return {
      problem: `Envoy does not support an elliptic curve key of ${otherCurves.get(named.content) ?? dotted(named.content)}, only P-256, P-384 and P-521`,
    };
  if (!point.startsWith("\x04") || point.length !== 1 + 2 * curve.size)
    return { problem: `its key is not an uncompressed point of ${curve.name}` };
  return { usual: curve.name !== "P-521" };
}

function validateEdwards({ parts }: Der, bytes: string): Validated {
  if (parts?.length === 1 && bytes.length === 32) return { usual: false };
  return { problem: "its Ed25519 key has parameters or is not 32 bytes long" };
}

/** An object identifier in dotted form, truncated to 16 numbers. */
function dotted(id: string): string {
  const numbers: number[] = [];
  let number = 0;
  for (let i = 0; i < id.length && numbers.length < 16; i++) {
    const byte = id.charCodeAt(i);
    number = number * 128 + (byte & 0x7f);
    if (byte < 0x80) {
      numbers.push(number);
      number = 0;
    }
  }
  const [first = 0, ...rest] = numbers;
  const root = Math.min(2, Math.floor(first / 40));
  return [root, first - root * 40, ...rest].join(".");
}
