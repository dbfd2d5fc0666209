import { certificateFile } from "./backend.js";
import {
  ascii,
  bits,
  type CertificateParts,
  certificateOf,
  commonName,
  extension,
  extensionList,
  hex,
  integer,
  nothing,
  octets,
  oid,
  pem,
  sequence,
  set,
  sha256WithRsa,
  tlv,
} from "./der-writer.js";
import { oddNames } from "./odd-names.js";
import {
  ec,
  group,
  type OddPair,
  odd,
  pairOf,
  refused,
  rsa,
  strict,
  taken,
  type Verdict,
} from "./odd-pair.js";

const own = (...extensions: readonly Uint8Array[]): CertificateParts => ({
  extensions: extensionList(odd, ...extensions),
});
const utc = (text: string): CertificateParts => ({
  validity: sequence(ascii(0x17, text), ascii(0x17, "491231235959Z")),
});
const general = (text: string): CertificateParts => ({
  validity: sequence(ascii(0x18, text), ascii(0x18, "99991231235959Z")),
});
const numbered = (bytes: string): CertificateParts => ({ serial: tlv(2, hex(bytes)) });
const parameter = (value: Uint8Array): CertificateParts => ({
  algorithm: sequence(oid("1.2.840.113549.1.1.11"), value),
});
const signedBy = (id: string): CertificateParts => ({ algorithm: sequence(oid(id), nothing) });
const versioned = (version: Buffer | undefined, parts: CertificateParts = {}): CertificateParts => ({
  version,
  extensions: undefined,
  ...parts,
});
const ids = (...values: readonly Uint8Array[]): CertificateParts => ({ uniqueIds: Buffer.concat(values) });

const frame: readonly OddPair[] = [
  ...group(taken, {
    "serial: zero": numbered("00"),
    "serial: negative": numbered("80"),
    "serial: 21 bytes": numbered(`00ff${"ff".repeat(19)}`),
    "serial: 100 bytes": numbered(`7f${"ff".repeat(99)}`),
    "version 1": versioned(undefined),
    "version 2": versioned(tlv(0xa0, integer(1))),
    "version 2 with identifiers": versioned(
      tlv(0xa0, integer(1)),
      ids(tlv(0x81, hex("0001")), tlv(0x82, hex("0001"))),
    ),
    "identifiers: the second only": ids(tlv(0x82, hex("0001"))),
    "signature: empty": { signature: bits(Buffer.alloc(0)) },
    "signature: one bit": { signature: bits(hex("80"), 7) },
  }),
  ...group(refused(), {
    "serial: empty": numbered(""),
    "serial: padded": numbered("0001"),
    "serial: negative and padded": numbered("ff80"),
    "serial: constructed": { serial: tlv(0x22, integer(1)) },
    "version 1 with extensions": { version: undefined },
    "version 1 with identifiers": versioned(undefined, ids(tlv(0x81, hex("0001")))),
    "version 2 with extensions": { version: tlv(0xa0, integer(1)) },
    "version 4": { version: tlv(0xa0, integer(3)) },
    "a negative version": { version: tlv(0xa0, tlv(2, hex("ff"))) },
    "a version and another": { version: tlv(0xa0, integer(2), integer(2)) },
    "identifiers: exchanged": ids(tlv(0x82, hex("0001")), tlv(0x81, hex("0001"))),
    "identifiers: padding that is not zero": ids(tlv(0x81, hex("0101"))),
    "signature: padding that is not zero": { signature: bits(hex("ff"), 7) },
    "signature: octets": { signature: octets(hex("00")) },
    "signature: no content": { signature: tlv(3) },
    "signature: constructed": { signature: tlv(0x23, bits(hex("00"))) },
    "something behind the signature": { more: nothing },
  }),
  ...group(strict(), {
    "version 1, explicit": versioned(tlv(0xa0, integer(0))),
    "signature: a length of four bytes": { signature: hex(`0383000101${"00".repeat(257)}`) },
  }),
  ...group(taken, {
    "time: the year 1950": utc("500101000000Z"),
    "time: a leap day": utc("200229000000Z"),
    "time: the year 0": general("00000101000000Z"),
    "time: the year 9999": general("99991231235959Z"),
    "time: over": { validity: sequence(ascii(0x17, "200101000000Z"), ascii(0x17, "210101000000Z")) },
    "time: the end before the start": {
      validity: sequence(ascii(0x17, "300101000000Z"), ascii(0x17, "200101000000Z")),
    },
  }),
  ...group(
    refused(),
    Object.fromEntries([
      ...["", "2001010000Z", "200101000000", "200101000060Z", "200101240000Z", "201301000000Z"].map(
        (text) => [`time: ${text} in UTC`, utc(text)] as const,
      ),
      ...["200001000000Z", "200230000000Z", "210229000000Z", "20010100000aZ", "200101000000ZZ"].map(
        (text) => [`time: ${text} in UTC`, utc(text)] as const,
      ),
      ...["20200101000000.5Z", "20200101000000+0100", "20200101000000", "21000229000000Z"].map(
        (text) => [`time: ${text}`, general(text)] as const,
      ),
    ]),
  ),
  ...group(refused(), {
    "time: one only": { validity: sequence(ascii(0x17, "200101000000Z")) },
    "time: text": { validity: sequence(ascii(12, "200101000000Z"), ascii(0x17, "491231235959Z")) },
  }),
  ...group(strict(), { "time: an offset": utc("200101000000+0100") }),
];

const signatures: readonly OddPair[] = [
  ...group(taken, {
    "algorithm: SHA-1": signedBy("1.2.840.113549.1.1.5"),
    "algorithm: MD5": signedBy("1.2.840.113549.1.1.4"),
    "algorithm: MD2": signedBy("1.2.840.113549.1.1.2"),
    "algorithm: unknown": signedBy("1.2.3.4"),
    "algorithm: RSASSA-PSS": { algorithm: sequence(oid("1.2.840.113549.1.1.10"), sequence()) },
    "algorithm: two that differ": {
      algorithm: sha256WithRsa,
      outerAlgorithm: sequence(oid("1.2.840.113549.1.1.12"), nothing),
    },
    "algorithm: without NULL": { algorithm: sequence(oid("1.2.840.113549.1.1.11")) },
    "parameter: an identifier": parameter(oid("1.2.3")),
  }),
  ...group(refused(), {
    "algorithm: none": { algorithm: sequence() },
    "algorithm: two parameters": { algorithm: sequence(oid("1.2.3"), nothing, nothing) },
    "algorithm: without identifier": { algorithm: sequence(tlv(6), nothing) },
    "parameter: NULL with content": parameter(tlv(5, hex("00"))),
    "parameter: a broken identifier": parameter(tlv(6, hex("80"))),
    "parameter: broken UTF-8": parameter(tlv(12, hex("ff"))),
    "parameter: a tag of two bytes": parameter(hex("1f0101")),
  }),
  ...group(strict(), {
    "parameter: an integer": parameter(integer(1)),
    "parameter: a broken sequence": parameter(tlv(0x30, hex("ff"))),
    "parameter: forty levels": parameter(
      Array.from({ length: 40 }).reduce<Buffer>((inner) => sequence(inner), sequence()),
    ),
  }),
];

const feature = (value: string, critical = false): Buffer =>
  extension("1.3.6.1.5.5.7.1.24", hex(value), critical);
const usage = (value: string): Buffer => extension("2.5.29.15", hex(value), true);
const known = ["2.5.29.19", "2.5.29.14", "2.5.29.35", "2.5.29.37", "2.5.29.30", "2.5.29.32", "2.5.29.31"];
const others = ["1.3.6.1.5.5.7.1.1", "2.5.29.36", "2.5.29.54", "1.3.6.1.4.1.11129.2.4.2", "2.5.29.33"];

const extensions: readonly OddPair[] = [
  ...group(taken, {
    "extension: unknown and critical": own(extension("1.2.3.4", nothing, true)),
    "extension: a value that is not DER": own(extension("1.2.3.4", hex("ff00ff"))),
    "extension: an empty value": own(extension("1.2.3.4", Buffer.alloc(0))),
    "extension: FALSE, explicit": own(sequence(oid("1.2.3.4"), tlv(1, hex("00")), octets(nothing))),
    "extension: 500 of them": own(...Array.from({ length: 500 }, (_, i) => extension(`1.2.3.${i}`, nothing))),
    "extension: for clients only": own(extension("2.5.29.37", sequence(oid("1.3.6.1.5.5.7.3.2")))),
    "TLS features: another": own(feature("3003020111")),
    "TLS features: none": own(feature("3000")),
    ...Object.fromEntries(
      [...known, ...others].map((id) => [`extension ${id}: garbage`, own(extension(id, hex("ff00"), true))]),
    ),
  }),
  ...group(refused(), {
    "extension: TRUE of two bytes": own(sequence(oid("1.2.3.4"), tlv(1, hex("ffff")), octets(nothing))),
    "extension: without value": own(sequence(oid("1.2.3.4"))),
    "extension: a value that is not octets": own(sequence(oid("1.2.3.4"), nothing)),
    "extension: more behind the value": own(sequence(oid("1.2.3.4"), octets(), nothing)),
    "extension: not a sequence": own(nothing),
    "extension: without identifier": own(sequence(tlv(6), octets(nothing))),
    "extension: octets in parts": own(
      sequence(oid("1.2.3"), tlv(0x24, octets(hex("05")), octets(hex("00")))),
    ),
    "extensions: an empty tag": { extensions: tlv(0xa3) },
    "extensions: a set": { extensions: tlv(0xa3, set(odd)) },
    "extensions: more behind them": { extensions: tlv(0xa3, sequence(odd), nothing) },
    "extensions: two lists": { extensions: Buffer.concat([extensionList(odd), extensionList(odd)]) },
  }),
  ...group(strict(), {
    "extensions: none in the list": { extensions: extensionList(), subject: commonName("odd.test") },
    "extension: one twice": own(extension("1.2.3.4", nothing), extension("1.2.3.4", nothing)),
    "extension: TRUE as 01": own(sequence(oid("1.2.3.4"), tlv(1, hex("01")), octets(nothing))),
  }),
  ...group(refused("must-staple"), {
    "must-staple": own(feature("3003020105")),
    "must-staple, critical": own(feature("3003020105", true)),
  }),
  ...group(refused("must-staple"), { "must-staple, EC": own(feature("3003020105")) }, ec),
  ...group(strict("must-staple"), { "must-staple and another feature": own(feature("3006020105020111")) }),
  ...group(strict("its TLS features (RFC 7633) can't be parsed"), {
    "TLS features: garbage": own(feature("ff")),
  }),
  ...group(taken, {
    "RSA for encipherment": own(usage("03020520")),
    "RSA for authorities": own(usage("03020204")),
    "RSA with a usage that is garbage": own(usage("ff")),
  }),
  ...group(
    taken,
    { "EC for signatures": own(usage("03020780")), "EC for all": own(usage("0303078080")) },
    ec,
  ),
  ...group(
    refused("requires digitalSignature"),
    {
      "EC for encipherment": own(usage("03020520")),
      "EC for key agreement": own(usage("03020308")),
      "EC for authorities": own(usage("03020204")),
      "EC for nothing": own(usage("030100")),
    },
    ec,
  ),
  ...group(
    refused("its key usage can't be parsed"),
    {
      "EC with a padded usage": own(usage("03020781")),
      "EC with a usage of nine bits in a byte": own(usage("03020880")),
      "EC with a usage that is octets": own(usage("040180")),
      "EC with bytes behind the usage": own(usage("030207800500")),
      "EC with an empty usage": own(usage("")),
    },
    ec,
  ),
];

const der = certificateOf(rsa.publicKey);
const raw = (name: string, bytes: Uint8Array, verdict: Verdict): OddPair => ({
  name,
  certificate: pem("CERTIFICATE", bytes),
  key: rsa.privateKey,
  ...verdict,
});

const encodings: readonly OddPair[] = [
  raw("BER: a long length", Buffer.concat([hex("308300"), der.subarray(2)]), refused()),
  raw("BER: no length", Buffer.concat([hex("3080"), der.subarray(4), hex("0000")]), refused()),
  raw("BER: a length beyond the end", Buffer.concat([hex("3082ffff"), der.subarray(4)]), refused()),
  raw("half a certificate", der.subarray(0, der.length >> 1), refused()),
  raw("bytes behind the certificate", Buffer.concat([der, nothing]), refused()),
  raw("trust settings behind the certificate", Buffer.concat([der, sequence()]), strict()),
  ...group(refused(), {
    "BER: a long length in the subject": {
      subject: Buffer.concat([hex("3081"), commonName("odd.test").subarray(1)]),
    },
    "BER: no length in the extensions": {
      extensions: tlv(0xa3, Buffer.concat([hex("3080"), odd, hex("0000")])),
    },
  }),
];

/** The certificate of secp256k1 with explicit curve parameters. */
const explicit: OddPair = {
  name: "a curve with explicit parameters",
  certificate: certificateFile("explicit.crt"),
  key: certificateFile("explicit.key"),
  ...refused("explicit curve parameters"),
};

export const oddCertificates: readonly OddPair[] = [
  pairOf("plain", rsa, {}, taken),
  pairOf("plain EC", ec, {}, taken),
  explicit,
  ...oddNames,
  ...frame,
  ...signatures,
  ...extensions,
  ...encodings,
];
