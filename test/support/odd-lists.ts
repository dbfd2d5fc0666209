import { certificateFile } from "./backend.js";
import {
  ascii,
  bits,
  commonName,
  extension,
  hex,
  integer,
  nothing,
  octets,
  oid,
  pem,
  relativeName,
  sequence,
  sha256WithRsa,
  tlv,
} from "./der-writer.js";
import { refused as refusedAs, type Verdict } from "./odd-pair.js";

/** A certificate revocation list. */
export interface OddList extends Verdict {
  readonly name: string;
  readonly list: string;
}

/** The parts of a list, which may be any bytes; undefined omits an optional part. */
interface ListParts {
  readonly version?: Uint8Array | undefined;
  readonly algorithm?: Uint8Array;
  readonly issuer?: Uint8Array;
  readonly times?: Uint8Array;
  readonly revoked?: Uint8Array | undefined;
  readonly extensions?: Uint8Array | undefined;
  readonly signature?: Uint8Array;
  readonly more?: Uint8Array;
}

const utc = (text: string): Buffer => ascii(0x17, text);
const entry = (...more: readonly Uint8Array[]): Buffer => sequence(integer(7), utc("200101000000Z"), ...more);
const none = Buffer.alloc(0);
const own = (...extensions: readonly Uint8Array[]): Uint8Array => tlv(0xa0, sequence(...extensions));
const number = extension("2.5.29.20", integer(1));

function listOf(parts: ListParts): Buffer {
  const algorithm = parts.algorithm ?? sha256WithRsa;
  const version = "version" in parts ? parts.version : integer(1);
  const extensions = "extensions" in parts ? parts.extensions : own(number);
  const revoked = "revoked" in parts ? parts.revoked : sequence(entry());
  const body = sequence(
    version ?? none,
    algorithm,
    parts.issuer ?? commonName("odd authority"),
    parts.times ?? Buffer.concat([utc("200101000000Z"), utc("491231235959Z")]),
    revoked ?? none,
    extensions ?? none,
  );
  return sequence(body, algorithm, parts.signature ?? bits(Buffer.alloc(256, 0x5a)), parts.more ?? none);
}

const problem = "is not a revocation list";
const taken: Verdict = { loads: true };
const refused: Verdict = refusedAs(problem);
const strict: Verdict = { loads: true, problem };

const raw = (name: string, der: Uint8Array, verdict: Verdict): OddList => ({
  name,
  list: pem("X509 CRL", der),
  ...verdict,
});
const group = (verdict: Verdict, all: Readonly<Record<string, ListParts>>): readonly OddList[] =>
  Object.entries(all).map(([name, parts]) => raw(name, listOf(parts), verdict));

const point = (...parts: readonly Uint8Array[]): ListParts => ({
  extensions: own(extension("2.5.29.28", sequence(...parts), true)),
});
const uri = ascii(0x86, "http://odd.test/crl");
const named = tlv(0xa0, tlv(0xa0, uri));
const entryWith = (...extensions: readonly Uint8Array[]): ListParts => ({
  revoked: sequence(entry(sequence(...extensions))),
});
const reason = (value: Uint8Array): Buffer => extension("2.5.29.21", value);
const authority = (value: Uint8Array): ListParts => ({ extensions: own(extension("2.5.29.35", value)) });

const der = listOf({});

export const oddLists: readonly OddList[] = [
  ...group(taken, {
    plain: {},
    "nothing revoked": { revoked: undefined },
    "without extensions": { extensions: undefined },
    "without the next update": { times: utc("200101000000Z") },
    "version 1": { version: undefined, extensions: undefined },
    "generalized times": {
      times: Buffer.concat([ascii(0x18, "20200101000000Z"), ascii(0x18, "21000101000000Z")]),
    },
    "a negative serial": { revoked: sequence(sequence(tlv(2, hex("ff")), utc("200101000000Z"))) },
    "a hundred entries": { revoked: sequence(...Array.from({ length: 100 }, () => entry())) },
    "an entry with a reason": entryWith(reason(tlv(10, hex("01")))),
    "an entry with an unknown extension": entryWith(extension("1.2.3.4", nothing, true)),
    "a point": point(named),
    "a point of users only": point(named, tlv(0x81, hex("ff"))),
    "an indirect list": point(tlv(0x84, hex("ff"))),
    "an authority's key": authority(sequence(tlv(0x80, hex("0102")))),
    "an unknown extension": { extensions: own(number, extension("1.2.3.4", nothing, true)) },
    "an unknown extension that is garbage": { extensions: own(extension("1.2.3.4", hex("ff"))) },
    "a delta": { extensions: own(number, extension("2.5.29.27", integer(1), true)) },
    "the algorithm MD5": { algorithm: sequence(oid("1.2.840.113549.1.1.4"), nothing) },
  }),
  ...group(refused, {
    "version 1, explicit": { version: integer(0), extensions: undefined },
    "version 1 with extensions": { version: undefined },
    "version 3": { version: integer(2) },
    "no entry in the list of extensions": { extensions: own() },
    "a point that is garbage": { extensions: own(extension("2.5.29.28", hex("ff"), true)) },
    "a point with a flag of two bytes": point(named, tlv(0x81, hex("ffff"))),
    "a point with an invalid name": point(tlv(0xa0, tlv(0xa0, hex("ff")))),
    "an authority's key that is garbage": authority(hex("ff")),
    "an authority's key with a padded serial": authority(sequence(tlv(0x82, hex("0001")))),
    "an entry with an empty list of extensions": entryWith(),
    "an entry with extensions in version 1": {
      version: undefined,
      extensions: undefined,
      ...entryWith(reason(tlv(10, hex("01")))),
    },
    "an entry without time": { revoked: sequence(sequence(integer(7))) },
    "an entry with a padded serial": {
      revoked: sequence(sequence(tlv(2, hex("0007")), utc("200101000000Z"))),
    },
    "an entry with a bad time": { revoked: sequence(sequence(integer(7), utc("201301000000Z"))) },
    "a bad time": { times: Buffer.concat([utc("201301000000Z"), utc("491231235959Z")]) },
    "no time": { times: none },
    "three times": {
      times: Buffer.concat([utc("200101000000Z"), utc("200101000000Z"), utc("200101000000Z")]),
    },
    "an issuer of broken UTF-8": { issuer: sequence(relativeName("2.5.4.3", ascii(12, "\xff"))) },
    "an issuer with a noncharacter": { issuer: sequence(relativeName("2.5.4.3", ascii(12, "\xef\xbf\xbe"))) },
    "an empty algorithm": { algorithm: sequence() },
    "octets for the signature": { signature: octets(hex("00")) },
    "more behind the signature": { more: nothing },
    "extensions in a set": { extensions: tlv(0xa0, tlv(0x31, number)) },
  }),
  ...group(strict, {
    "an extension twice": { extensions: own(number, number) },
    "a number that is text": { extensions: own(extension("2.5.29.20", ascii(12, "1"))) },
    "a time with an offset": { times: Buffer.concat([utc("200101000000+0100"), utc("491231235959Z")]) },
    "a reason that is garbage": entryWith(reason(hex("ff"))),
    "a flag that is FALSE": point(named, tlv(0x81, hex("00"))),
  }),
  raw("half a list", der.subarray(0, der.length >> 1), refused),
  raw("bytes behind the list", Buffer.concat([der, nothing]), strict),
  raw("BER: a long length", Buffer.concat([hex("308300"), der.subarray(2)]), refused),
  raw("BER: no length", Buffer.concat([hex("3080"), der.subarray(4), hex("0000")]), refused),
  { name: "a list of an authority", list: certificateFile("crl.pem"), loads: true },
  { name: "two lists", list: certificateFile("crl.pem").repeat(2), loads: true },
  {
    name: "a certificate",
    list: certificateFile("ca.crt"),
    loads: true,
    problem: 'only "X509 CRL" is allowed',
  },
  { name: "no list", list: "text", loads: true, problem: 'no PEM "X509 CRL" found' },
  { name: "a broken block", list: `x${pem("X509 CRL", der)}`, loads: true, problem: "is broken" },
];
