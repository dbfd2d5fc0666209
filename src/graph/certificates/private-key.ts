import { type Der, listOf, readDer, type Shape, sequence } from "./der.js";
import { type Block, readPem, writePem } from "./pem.js";
import { algorithms, curves, hexOf, mostRsaBytes, natural } from "./public-key.js";
import { bits, integer, oid, tags } from "./x509.js";

export interface PrivateKey {
  /** PEM, as in the Secret. */
  readonly pem: string;
  /** PEM of the same key in PKCS #8 without a public key, so that its reader has to compute the public key. */
  readonly alone: string;
  /** The public key inside an ECPrivateKey: the content of its BIT STRING. */
  readonly repeated?: string | undefined;
}

export type ReadPrivateKey =
  | { readonly key: PrivateKey; readonly problem?: undefined }
  | { readonly key?: undefined; readonly problem: string };

type Bare = Omit<PrivateKey, "pem">;

const forms =
  "Envoy accepts consistent RSA keys of two primes, EC keys of P-256, P-384 and P-521, and Ed25519 keys";

/**
 * The private key of a PEM text, in a form that Envoy's library loads: PKCS #8 (RFC 5208), an RSAPrivateKey of two
 * primes (RFC 8017 §A.1.2) or an ECPrivateKey (RFC 5915). The numbers of an RSA key must be consistent, as that
 * library checks.
 */
export function readPrivateKey(text: string): ReadPrivateKey {
  if (/-----BEGIN ENCRYPTED |Proc-Type: 4,ENCRYPTED/.test(text))
    return { problem: "the private key is encrypted, which is not supported" };
  const { blocks, problem } = readPem(text);
  if (!blocks) return { problem };
  const keys = blocks.filter(({ label }) => /^(?:RSA |EC )?PRIVATE KEY$/.test(label));
  const [own] = keys;
  if (keys.length !== 1 || !own)
    return { problem: `${keys.length} private keys found, exactly one is required` };
  const bare = readKey(own);
  if (bare === undefined) return { problem: `the private key can't be parsed as a "${own.label}"; ${forms}` };
  return { key: { pem: writePem(own), ...bare } };
}

/** The key in a PEM block; undefined if it is not valid. */
function readKey({ label, bytes }: Block): Bare | undefined {
  const value = only(bytes);
  if (label === "RSA PRIVATE KEY") return value && rsaKey(value, bytes);
  if (label === "EC PRIVATE KEY") return value && curveKey(value, undefined);
  return value && info(value) ? ofInfo(value) : undefined;
}

/** The single DER value of bytes; undefined for none or several. */
function only(bytes: string): Der | undefined {
  const values = readDer(bytes);
  return values?.length === 1 ? values[0] : undefined;
}

const version =
  (number: number): Shape =>
  ({ tag, content }) =>
    tag === tags.integer && content === String.fromCharCode(number);
const octets: Shape = ({ tag }) => tag === tags.octets;
const identifier: Shape = (value) => value.tag === tags.sequence && oid(value.parts?.[0] ?? value);
const attributes = listOf(
  0xa0,
  sequence(tags.sequence, oid, ({ tag }) => tag === tags.set),
);
/** A PrivateKeyInfo (RFC 5208 §5). */
const info = sequence(tags.sequence, version(0), identifier, octets, { optional: attributes });

function ofInfo({ parts = [] }: Der): Bare | undefined {
  const [, algorithm, content] = parts;
  const [id, parameter, ...more] = algorithm?.parts ?? [];
  const value = only(content?.content ?? "");
  if (!value || !content || more.length > 0) return undefined;
  switch (id?.content) {
    case algorithms.rsa:
      return parameter?.tag === 5 && parameter.content === "" ? rsaKey(value, content.content) : undefined;
    case algorithms.ec:
      return parameter?.tag === tags.oid ? curveKey(value, parameter.content) : undefined;
    case algorithms.ed25519:
      return !parameter && value.tag === tags.octets && value.content.length === 32
        ? { alone: alone(tlv(tags.oid, algorithms.ed25519), content.content) }
        : undefined;
    default:
      return undefined;
  }
}

const rsaForm = sequence(tags.sequence, version(0), ...new Array<Shape>(8).fill(integer));

const rsaKey = (value: Der, bytes: string): Bare | undefined =>
  rsaForm(value) && fits(value.parts ?? [])
    ? { alone: alone(`${tlv(tags.oid, algorithms.rsa)}\x05\x00`, bytes) }
    : undefined;

/** Whether the numbers of an RSAPrivateKey (RFC 8017 §A.1.2) are consistent. */
function fits(parts: readonly Der[]): boolean {
  const numbers = parts.slice(1).flatMap((part) => natural(part, mostRsaBytes) ?? []);
  const [n = 0n, e = 0n, d = 0n, p = 0n, q = 0n, dp = 0n, dq = 0n, inverse = 0n] = numbers;
  return (
    numbers.length === 8 &&
    p > 1n &&
    q > 1n &&
    p * q === n &&
    d < n &&
    (d * e) % (p - 1n) === 1n &&
    (d * e) % (q - 1n) === 1n &&
    dp < p - 1n &&
    (dp * e) % (p - 1n) === 1n &&
    dq < q - 1n &&
    (dq * e) % (q - 1n) === 1n &&
    inverse < p &&
    (inverse * q) % p === 1n
  );
}

const named = sequence(0xa0, oid);
const publicKey = sequence(0xa1, bits);
/** An ECPrivateKey (RFC 5915 §3). */
const curveForm = sequence(tags.sequence, version(1), octets, { optional: named }, { optional: publicKey });

/** The key of an ECPrivateKey; `outer` is the curve of the enclosing PrivateKeyInfo. */
function curveKey(value: Der, outer: string | undefined): Bare | undefined {
  if (!curveForm(value)) return undefined;
  const [, secret, ...more] = value.parts ?? [];
  const inside = (tag: number): string | undefined =>
    more.find((part) => part.tag === tag)?.parts?.[0]?.content;
  const id = outer ?? inside(0xa0) ?? "";
  const curve = curves.get(id);
  if (!curve || (inside(0xa0) ?? id) !== id) return undefined;
  const digits = secret?.content.replace(/^\0+/, "") ?? "";
  if (digits === "" || digits.length > curve.size) return undefined;
  if (BigInt(`0x${hexOf(digits)}`) >= curve.order) return undefined;
  const own = tlv(tags.sequence, `\x02\x01\x01${tlv(tags.octets, digits.padStart(curve.size, "\0"))}`);
  return {
    alone: alone(tlv(tags.oid, algorithms.ec) + tlv(tags.oid, id), own),
    repeated: inside(0xa1),
  };
}

/** PEM of a PrivateKeyInfo. */
const alone = (algorithm: string, key: string): string =>
  writePem({
    label: "PRIVATE KEY",
    bytes: tlv(tags.sequence, `\x02\x01\x00${tlv(tags.sequence, algorithm)}${tlv(tags.octets, key)}`),
  });

function tlv(tag: number, content: string): string {
  const bytes: number[] = [];
  for (let left = content.length; left > 0; left = Math.floor(left / 256)) bytes.unshift(left % 256);
  const length = content.length < 0x80 ? [content.length] : [0x80 + bytes.length, ...bytes];
  return String.fromCharCode(tag, ...length) + content;
}
