import {
  ascii,
  type CertificateParts,
  commonName,
  dnsNames,
  extension,
  extensionList,
  hex,
  nothing,
  oid,
  relativeName,
  sequence,
  set,
  tlv,
} from "./der-writer.js";
import { group, type OddPair, odd, refused, strict, taken } from "./odd-pair.js";

const named = (subject: Buffer, ...extensions: readonly Uint8Array[]): CertificateParts => ({
  subject,
  extensions: extensions.length > 0 ? extensionList(...extensions) : undefined,
});
const anonymous = (...names: readonly Uint8Array[]): CertificateParts =>
  named(sequence(), extension("2.5.29.17", sequence(...names)));
const organization = (tag: number, text: string): CertificateParts => ({
  subject: sequence(
    relativeName("2.5.4.3", ascii(12, "odd.test")),
    relativeName("2.5.4.10", ascii(tag, text)),
  ),
});
const identified = (id: string): CertificateParts => ({
  subject: sequence(
    relativeName("2.5.4.3", ascii(12, "odd.test")),
    set(sequence(tlv(6, hex(id)), ascii(12, "a"))),
  ),
});
const names: readonly OddPair[] = [
  ...group(taken, {
    "a common name only": named(commonName("odd.test")),
    "a blank common name": named(commonName(" ")),
    "a second common name that is empty": named(
      sequence(relativeName("2.5.4.3", ascii(12, "odd.test")), relativeName("2.5.4.3", ascii(12, ""))),
      odd,
    ),
    "a DNS name only": anonymous(ascii(0x82, "odd.test")),
    "an empty DNS name": anonymous(ascii(0x82, "")),
    "a DNS name that is not ASCII": anonymous(tlv(0x82, hex("ff"))),
    "an IP address only": anonymous(tlv(0x87, hex("7f000001"))),
    "a URI only": anonymous(ascii(0x86, "spiffe://odd")),
    "a mail address and a DNS name": anonymous(ascii(0x81, "a@b"), ascii(0x82, "odd.test")),
    "a hundred DNS names": anonymous(...Array.from({ length: 100 }, (_, i) => ascii(0x82, `h${i}.test`))),
    "empty alternative names and a common name": named(commonName("odd.test"), dnsNames()),
  }),
  ...group(refused("no common name and no alternative name"), {
    "no name at all": named(sequence()),
    "a mail address only": anonymous(ascii(0x81, "a@b")),
    "a directory name only": anonymous(tlv(0xa4, commonName("x"))),
    "a registered identifier only": anonymous(tlv(0x88, hex("2a03"))),
    "another kind of name only": anonymous(tlv(0xa0, oid("1.2.3"), tlv(0xa0, ascii(12, "x")))),
    "empty alternative names only": anonymous(),
    "names of the issuer only": named(sequence(), extension("2.5.29.18", sequence(ascii(0x82, "odd.test")))),
  }),
  ...group(refused("its common name is empty"), {
    "an empty common name": named(commonName("")),
    "an empty common name and a DNS name": named(commonName(""), odd),
    "a first common name that is empty": named(
      sequence(relativeName("2.5.4.3", ascii(12, "")), relativeName("2.5.4.3", ascii(12, "odd.test"))),
      odd,
    ),
  }),
  ...group(refused("its alternative names can't be parsed"), {
    "a bad name beside a DNS name": anonymous(tlv(0xa0, hex("ff")), ascii(0x82, "odd.test")),
    "a bad registered identifier beside a DNS name": anonymous(tlv(0x88, hex("ff")), ascii(0x82, "odd.test")),
    "a DNS name in an explicit tag": anonymous(tlv(0xa2, ascii(22, "odd.test"))),
    "alternative names that are garbage": named(sequence(), extension("2.5.29.17", hex("ff"))),
    "bytes behind the alternative names": named(
      sequence(),
      extension("2.5.29.17", Buffer.concat([sequence(ascii(0x82, "odd.test")), nothing])),
    ),
    "alternative names with a long length": named(
      sequence(),
      extension("2.5.29.17", Buffer.concat([hex("30810a"), ascii(0x82, "odd.test")])),
    ),
  }),
  ...group(refused(), { "alternative names twice": named(sequence(), odd, dnsNames("b.test")) }),
  ...group(strict(), {
    "alternative names twice and a common name": named(commonName("odd.test"), odd, odd),
  }),
  ...group(strict("its alternative names can't be parsed"), {
    "a common name and alternative names that are garbage": named(
      commonName("odd.test"),
      extension("2.5.29.17", hex("ff")),
    ),
  }),
];

const subjects: readonly OddPair[] = [
  ...group(taken, {
    "subject: UTF-8": organization(12, "\xc3\xa9"),
    "subject: UTF-8 of four bytes": organization(12, "\xf0\x9f\x98\x80"),
    "subject: printable text with other bytes": organization(0x13, "*\xff"),
    "subject: teletex": organization(0x14, "\xff"),
    "subject: ASCII with other bytes": organization(0x16, "\xff"),
    "subject: digits": organization(0x12, "12"),
    "subject: BMP": organization(0x1e, "\0o"),
    "subject: universal": organization(0x1c, "\0\0\0o"),
    "subject: two values in a set": {
      subject: sequence(
        set(sequence(oid("2.5.4.10"), ascii(12, "o")), sequence(oid("2.5.4.3"), ascii(12, "odd.test"))),
      ),
    },
    "subject: 20,000 bytes": { subject: commonName("a".repeat(20000)) },
    "issuer: empty": { issuer: sequence() },
    "identifier: 33 bits": identified("2a9fffffff7f"),
    "identifier: 200 bits": identified(`2a${"ff".repeat(30)}7f`),
    "identifier: 300 numbers": identified(`2a${"03".repeat(300)}`),
  }),
  ...group(refused(), {
    "subject: broken UTF-8": organization(12, "\xff"),
    "subject: overlong UTF-8": organization(12, "\xc0\x80"),
    "subject: a surrogate in UTF-8": organization(12, "\xed\xa0\x80"),
    "subject: the noncharacter FFFE": organization(12, "\xef\xbf\xbe"),
    "subject: the noncharacter FDD0": organization(12, "\xef\xb7\x90"),
    "subject: the noncharacter 1FFFE": organization(12, "\xf0\x9f\xbf\xbe"),
    "subject: half a BMP character": organization(0x1e, "\0oo"),
    "subject: a surrogate in BMP": organization(0x1e, "\xd8\0"),
    "subject: a noncharacter in BMP": organization(0x1e, "\xfd\xd0"),
    "subject: half a universal character": organization(0x1c, "\0\0o"),
    "subject: a universal character beyond Unicode": organization(0x1c, "\0\x11\0\0"),
    "subject: an empty set": { subject: sequence(set()) },
    "subject: a value left out": { subject: sequence(set(sequence(oid("2.5.4.3")))) },
    "subject: two values for one": {
      subject: sequence(set(sequence(oid("2.5.4.3"), ascii(12, "a"), nothing))),
    },
    "issuer: broken UTF-8": { issuer: sequence(relativeName("2.5.4.3", ascii(12, "\xff"))) },
    "identifier: empty": identified(""),
    "identifier: padded": identified("2a8003"),
    "identifier: unfinished": identified("2a83"),
  }),
  ...group(strict(), {
    "subject: an integer": organization(2, "\x01"),
    "subject: NULL": organization(5, ""),
    "subject: octets": organization(4, "odd"),
    "subject: visible text": organization(0x1a, "odd"),
  }),
];

export const oddNames: readonly OddPair[] = [...names, ...subjects];
