import { createPrivateKey, createPublicKey, generateKeyPairSync } from "node:crypto";
import {
  bits,
  certificateOf,
  curves,
  ecAlgorithm,
  ecKey,
  ecPrivateKey,
  hex,
  integer,
  nothing,
  octets,
  oid,
  pem,
  pkcs8,
  pointOf,
  type RsaNumbers,
  rsaKey,
  rsaNumbers,
  rsaPrivateKey,
  rsaPublicKey,
  sequence,
  set,
  tlv,
} from "./der-writer.js";
import { ec, type OddPair, pairOf, refused, rsa, strict, taken, type Verdict } from "./odd-pair.js";

const numbers = rsaNumbers(2048);
const rsaId = oid("1.2.840.113549.1.1.1");
const rsaAlgorithm = sequence(rsaId, nothing);
const certificate = (publicKey: Uint8Array): string => pem("CERTIFICATE", certificateOf(publicKey));

const sizes: readonly OddPair[] = [
  ...[1024, 2040, 2047].map((size) => sized(size, refused("is too short for Envoy"))),
  ...[2049, 3072, 4096, 8192].map((size) => sized(size, taken)),
  sized(8200, strict("is too long")),
  sized(16392, refused("is too long")),
  ...[3n, 17n, (1n << 32n) + 15n, (1n << 33n) - 9n].map((e) => exponent(e, taken)),
  ...[1n, (1n << 33n) + 1n, (1n << 64n) + 13n].map((e) =>
    exponent(e, refused("the exponent of its RSA key")),
  ),
];

function sized(size: number, verdict: Verdict): OddPair {
  return pairOf(`RSA of ${size} bits`, rsaKey(rsaNumbers(size)), {}, verdict);
}

function exponent(e: bigint, verdict: Verdict): OddPair {
  return pairOf(`RSA with the exponent ${e}`, rsaKey(rsaNumbers(2048, e)), {}, verdict);
}

const unfit = "can't be parsed";
const strangers = "the private key does not match the certificate";

/** Private keys for the certificate of `rsa`. */
const rsaPrivate = (name: string, der: Uint8Array, verdict: Verdict, label = "RSA PRIVATE KEY"): OddPair => ({
  name: `RSA key: ${name}`,
  certificate: certificate(rsa.publicKey),
  key: pem(label, der),
  ...verdict,
});

const changed = (name: string, changes: Partial<RsaNumbers>): OddPair =>
  rsaPrivate(name, rsaPrivateKey({ ...numbers, ...changes }), refused(unfit));

const { p, q, d, dp, dq, inverse, n, e } = numbers;
const third = sequence(sequence(integer(3), integer(1), integer(1)));
const friendlyName = sequence(oid("1.2.840.113549.1.9.20"), set(tlv(12, hex("61"))));

const rsaKeys: readonly OddPair[] = [
  rsaPrivate("PKCS #1", rsaPrivateKey(numbers), taken),
  rsaPrivate(
    "with attributes",
    pkcs8(rsaAlgorithm, rsaPrivateKey(numbers), tlv(0xa0, friendlyName)),
    taken,
    "PRIVATE KEY",
  ),
  rsaPrivate("of another certificate", rsaPrivateKey(rsaNumbers(2048, 65537n, "other")), refused(strangers)),
  rsaPrivate("with another exponent", rsaPrivateKey(rsaNumbers(2048, 17n)), refused(strangers)),
  rsaPrivate("three primes", rsaPrivateKey({ ...numbers, version: 1n }, third), refused(unfit)),
  rsaPrivate("more numbers", rsaPrivateKey(numbers, integer(5)), refused(unfit)),
  rsaPrivate("PKCS #1 with PKCS #8's label", rsaPrivateKey(numbers), refused(unfit), "PRIVATE KEY"),
  rsaPrivate("with EC's label", rsaPrivateKey(numbers), refused(unfit), "EC PRIVATE KEY"),
  rsaPrivate(
    "PKCS #8 with EC's label",
    pkcs8(rsaAlgorithm, rsaPrivateKey(numbers)),
    refused(unfit),
    "EC PRIVATE KEY",
  ),
  rsaPrivate("PKCS #8 with RSA's label", pkcs8(rsaAlgorithm, rsaPrivateKey(numbers)), strict(unfit)),
  rsaPrivate(
    "without parameters",
    pkcs8(sequence(rsaId), rsaPrivateKey(numbers)),
    refused(unfit),
    "PRIVATE KEY",
  ),
  rsaPrivate("bytes behind it", Buffer.concat([rsaPrivateKey(numbers), hex("00")]), strict(unfit)),
  rsaPrivate(
    "bytes behind it in PKCS #8",
    pkcs8(rsaAlgorithm, Buffer.concat([rsaPrivateKey(numbers), nothing])),
    refused(unfit),
    "PRIVATE KEY",
  ),
  rsaPrivate(
    "version 1 of PKCS #8",
    sequence(integer(1), rsaAlgorithm, octets(rsaPrivateKey(numbers))),
    refused(unfit),
    "PRIVATE KEY",
  ),
  rsaPrivate(
    "junk for attributes",
    pkcs8(rsaAlgorithm, rsaPrivateKey(numbers), hex("ffff")),
    refused(unfit),
    "PRIVATE KEY",
  ),
  rsaPrivate(
    "a negative number",
    sequence(...[0n, n, e].map(integer), tlv(2, hex("ff")), ...[p, q, dp, dq, inverse].map(integer)),
    refused(unfit),
  ),
  rsaPrivate(
    "a padded number",
    sequence(...[0n, n].map(integer), hex("020400010001"), ...[d, p, q, dp, dq, inverse].map(integer)),
    refused(unfit),
  ),
  changed("a version alone", { version: 1n }),
  changed("a wrong private exponent", { d: d + 2n }),
  changed("a private exponent beyond the modulus", { d: d + (p - 1n) * (q - 1n) }),
  changed("a private exponent of 0", { d: 0n }),
  changed("a wrong first exponent", { dp: dp + 2n }),
  changed("a first exponent that is not reduced", { dp: dp + p - 1n }),
  changed("a wrong second exponent", { dq: dq + 2n }),
  changed("a wrong coefficient", { inverse: inverse + 2n }),
  changed("a coefficient that is not reduced", { inverse: inverse + p }),
  changed("primes exchanged", { p: q, q: p }),
  changed("primes n and 1", { p: n, q: 1n }),
  changed("no primes", { p: 0n, q: 0n, dp: 0n, dq: 0n, inverse: 0n }),
];

/** Certificates with such a public key, for the private key of `rsa`. */
const rsaPublic = (name: string, info: Uint8Array, problem: string, key = rsa.privateKey): OddPair => ({
  name: `RSA certificate: ${name}`,
  certificate: certificate(info),
  key,
  ...refused(problem),
});
const form = "its RSA key is not a modulus and an exponent";
const own = sequence(integer(n), integer(e));
const even = { ...numbers, q: q + 1n, n: p * (q + 1n) };

const rsaCertificates: readonly OddPair[] = [
  rsaPublic("without NULL", rsaPublicKey(numbers, sequence(rsaId)), form),
  rsaPublic("another parameter", rsaPublicKey(numbers, sequence(rsaId, oid("1.2.3"))), form),
  rsaPublic("bytes behind the key", sequence(rsaAlgorithm, bits(Buffer.concat([own, hex("00")]))), form),
  rsaPublic(
    "a third number",
    sequence(rsaAlgorithm, bits(sequence(integer(n), integer(e), integer(1)))),
    form,
  ),
  rsaPublic(
    "a padded modulus",
    sequence(rsaAlgorithm, bits(sequence(tlv(2, hex("0000"), integer(n).subarray(5)), integer(e)))),
    form,
  ),
  rsaPublic(
    "a negative exponent",
    sequence(rsaAlgorithm, bits(sequence(integer(n), tlv(2, hex("ff"))))),
    "the exponent of its RSA key",
  ),
  rsaPublic("an even exponent", rsaPublicKey({ n, e: 65536n }), "the exponent of its RSA key"),
  rsaPublic(
    "an even modulus",
    rsaPublicKey(even),
    "the modulus of its RSA key",
    pem("RSA PRIVATE KEY", rsaPrivateKey(even)),
  ),
  rsaPublic(
    "not whole bytes",
    sequence(rsaAlgorithm, bits(hex("300602010102010100"), 1)),
    "is not a multiple of 8",
  ),
  rsaPublic("no key", sequence(rsaAlgorithm, bits(Buffer.alloc(0))), form),
  rsaPublic(
    "the algorithm of PSS",
    rsaPublicKey(numbers, sequence(oid("1.2.840.113549.1.1.10"))),
    "a key of type RSASSA-PSS",
  ),
  rsaPublic("an unknown algorithm", rsaPublicKey(numbers, sequence(oid("1.2.3.4"))), "a key of type 1.2.3.4"),
];

const generated = (
  name: string,
  verdict: Verdict,
  pair: { publicKey: Generated; privateKey: Generated },
): OddPair => ({
  name,
  certificate: certificate(pair.publicKey.export({ type: "spki", format: "der" }) as Buffer),
  key: pair.privateKey.export({ type: "pkcs8", format: "pem" }) as string,
  ...verdict,
});
type Generated = ReturnType<typeof generateKeyPairSync>["publicKey"];

const kinds: readonly OddPair[] = [
  pairOf("P-384", ecKey("P-384"), {}, taken),
  pairOf("P-521", ecKey("P-521"), {}, taken),
  pairOf("P-224", ecKey("P-224"), {}, refused("key of P-224")),
  pairOf("secp256k1", ecKey("secp256k1"), {}, refused("key of secp256k1")),
  pairOf("brainpoolP256r1", ecKey("brainpoolP256r1"), {}, refused("key of 1.3.36.3.3.2.8.1.1.7")),
  generated("Ed448", refused("a key of type Ed448"), generateKeyPairSync("ed448")),
  generated(
    "DSA",
    refused("a key of type DSA"),
    generateKeyPairSync("dsa", { modulusLength: 1024, divisorLength: 160 }),
  ),
];

const ecId = oid("1.2.840.10045.2.1");
const curve = curves["P-256"].id;
const algorithm = ecAlgorithm("P-256");
const scalar = hex("0123456789abcdef");
const point = pointOf("P-256", ec.publicKey);
const otherPoint = pointOf("P-256", ecKey("P-256", hex("05")).publicKey);
const compressed = (sign: number): Buffer =>
  Buffer.concat([Buffer.from([sign + ((point.at(-1) ?? 0) & 1)]), point.subarray(1, 33)]);
const named = tlv(0xa0, curve);
const repeated = (bytes: Uint8Array, unused = 0): Buffer => tlv(0xa1, bits(bytes, unused));
const order = hex("ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551");

/** Private keys for the certificate of `ec`. */
const ecPrivate = (name: string, der: Uint8Array, verdict: Verdict, label = "EC PRIVATE KEY"): OddPair => ({
  name: `EC key: ${name}`,
  certificate: certificate(ec.publicKey),
  key: pem(label, der),
  ...verdict,
});
const plainKey = (...more: readonly Uint8Array[]): Buffer => ecPrivateKey("P-256", scalar, ...more);
const scalarKey = (bytes: Uint8Array): Buffer => sequence(integer(1), octets(bytes), named);

const ecKeys: readonly OddPair[] = [
  ecPrivate("with curve and public key", plainKey(named, repeated(point)), taken),
  ecPrivate("with curve", plainKey(named), taken),
  ecPrivate("curve named twice", pkcs8(algorithm, plainKey(named)), taken, "PRIVATE KEY"),
  ecPrivate("a short number", scalarKey(scalar), taken),
  ecPrivate("a long number", scalarKey(Buffer.concat([Buffer.alloc(40), scalar])), taken),
  ecPrivate("no curve", plainKey(repeated(point)), refused(unfit)),
  ecPrivate("no curve in PKCS #8", pkcs8(sequence(ecId), plainKey(named)), refused(unfit), "PRIVATE KEY"),
  ecPrivate("another curve", plainKey(tlv(0xa0, curves["P-384"].id)), refused(strangers)),
  ecPrivate(
    "two curves",
    pkcs8(algorithm, plainKey(tlv(0xa0, curves["P-384"].id))),
    refused(unfit),
    "PRIVATE KEY",
  ),
  ecPrivate("more behind the curve", plainKey(tlv(0xa0, curve, nothing)), refused(unfit)),
  ecPrivate("NULL for the curve", plainKey(tlv(0xa0, nothing)), refused(unfit)),
  ecPrivate("more behind the public key", plainKey(named, repeated(point), nothing), refused(unfit)),
  ecPrivate("version 0", sequence(integer(0), octets(order.subarray(1)), named), refused(unfit)),
  ecPrivate("version 2", sequence(integer(2), octets(order.subarray(1)), named), refused(unfit)),
  ecPrivate("with PKCS #8's label", plainKey(named), refused(unfit), "PRIVATE KEY"),
  ecPrivate("with RSA's label", plainKey(named), refused(unfit), "RSA PRIVATE KEY"),
  ecPrivate("PKCS #8 with EC's label", pkcs8(algorithm, plainKey()), strict(unfit)),
  ecPrivate("0", scalarKey(Buffer.alloc(32)), refused(unfit)),
  ecPrivate("no number", scalarKey(Buffer.alloc(0)), refused(unfit)),
  ecPrivate("the order of the curve", scalarKey(order), refused(unfit)),
  ecPrivate("beyond the order", scalarKey(Buffer.alloc(32, 0xff)), refused(unfit)),
  ecPrivate("of another certificate", scalarKey(hex("05")), refused(strangers)),
  ecPrivate(
    "another's number and its own public key",
    ecPrivateKey("P-256", hex("05"), named, repeated(point)),
    refused(strangers),
  ),
  ecPrivate("another's public key", plainKey(named, repeated(otherPoint)), refused("the public key in it")),
  ecPrivate("a public key in bits", plainKey(named, repeated(point, 1)), refused("the public key in it")),
  ecPrivate("infinity for public key", plainKey(named, repeated(hex("00"))), refused("the public key in it")),
  ecPrivate(
    "a compressed public key",
    plainKey(named, repeated(compressed(2))),
    strict("the public key in it"),
  ),
];

/** Certificates with such a public key, for the private key of `ec`. */
const ecPublic = (name: string, info: Uint8Array, verdict: Verdict): OddPair => ({
  name: `EC certificate: ${name}`,
  certificate: certificate(info),
  key: ec.privateKey,
  ...verdict,
});
const pointProblem = "not an uncompressed point";
const offCurve = Buffer.concat([point.subarray(0, -1), hex("00")]);

const ecCertificates: readonly OddPair[] = [
  ecPublic("a compressed point", sequence(algorithm, bits(compressed(2))), strict(pointProblem)),
  ecPublic(
    "a hybrid point",
    sequence(algorithm, bits(Buffer.concat([Buffer.from([6]), point.subarray(1)]))),
    refused(pointProblem),
  ),
  ecPublic("infinity", sequence(algorithm, bits(hex("00"))), refused(pointProblem)),
  ecPublic(
    "bytes behind the point",
    sequence(algorithm, bits(Buffer.concat([point, hex("00")]))),
    refused(pointProblem),
  ),
  ecPublic("a point beside the curve", sequence(algorithm, bits(offCurve)), refused(unfit)),
  ecPublic("no curve", sequence(sequence(ecId), bits(point)), refused("explicit curve parameters")),
  ecPublic(
    "NULL for the curve",
    sequence(sequence(ecId, nothing), bits(point)),
    refused("explicit curve parameters"),
  ),
  ecPublic(
    "more behind the curve",
    sequence(sequence(ecId, curve, nothing), bits(point)),
    refused("can't be parsed"),
  ),
];

const edwards = sequence(oid("1.3.101.112"));
const seed = Buffer.alloc(32, 7);
const edwardsPublic = createPublicKey(
  createPrivateKey({ key: pkcs8(edwards, octets(seed)), format: "der", type: "pkcs8" }),
).export({ type: "spki", format: "der" });
const edwardsPair = (
  name: string,
  der: Uint8Array,
  verdict: Verdict,
  info: Uint8Array = edwardsPublic,
): OddPair => ({
  name: `Ed25519: ${name}`,
  certificate: certificate(info),
  key: pem("PRIVATE KEY", der),
  ...verdict,
});

const edwardsKeys: readonly OddPair[] = [
  edwardsPair("plain", pkcs8(edwards, octets(seed)), taken),
  edwardsPair("of another certificate", pkcs8(edwards, octets(Buffer.alloc(32, 9))), refused(strangers)),
  edwardsPair("31 bytes", pkcs8(edwards, octets(seed.subarray(1))), refused(unfit)),
  edwardsPair("without its wrapping", pkcs8(edwards, seed), refused(unfit)),
  edwardsPair("parameters", pkcs8(sequence(oid("1.3.101.112"), nothing), octets(seed)), refused(unfit)),
  edwardsPair(
    "version 2 with its public key",
    sequence(integer(1), edwards, octets(octets(seed)), tlv(0x81, hex("00"), edwardsPublic.subarray(-32))),
    refused(unfit),
  ),
  edwardsPair(
    "a certificate with parameters",
    pkcs8(edwards, octets(seed)),
    refused("its Ed25519 key has parameters"),
    sequence(sequence(oid("1.3.101.112"), nothing), bits(edwardsPublic.subarray(-32))),
  ),
];

export const oddKeys: readonly OddPair[] = [
  ...sizes,
  ...rsaKeys,
  ...rsaCertificates,
  ...kinds,
  ...ecKeys,
  ...ecCertificates,
  ...edwardsKeys,
];
