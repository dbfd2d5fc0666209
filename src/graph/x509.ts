import { type Der, listOf, primitive, readDer, type Shape, sequence } from "./der.js";

export const tags = {
  boolean: 1,
  integer: 2,
  bits: 3,
  octets: 4,
  oid: 6,
  enumerated: 10,
  sequence: 0x30,
  set: 0x31,
};

const isUtf8 = (content: string): boolean => {
  try {
    new TextDecoder("utf-8", { fatal: true }).decode(Uint8Array.from(content, (char) => char.charCodeAt(0)));
    return true;
  } catch {
    return false;
  }
};

export const isNumber = (content: string): boolean =>
  content !== "" && !/^\0[\0-\x7f]|^\xff[\x80-\xff]/.test(content);
export const isBits = (content: string): boolean => {
  const unused = content.charCodeAt(0);
  const last = content.charCodeAt(content.length - 1);
  return unused === 0 || (unused < 8 && content.length > 1 && (last & ((1 << unused) - 1)) === 0);
};

function isTime(century: boolean): (content: string) => boolean {
  return (content) => {
    const digits = /^(\d{2,4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(content);
    if (!digits || (digits[1]?.length ?? 0) !== (century ? 4 : 2)) return false;
    const [year = 0, month = 0, day = 0, hour = 0, minute = 0, second = 0] = digits.slice(1).map(Number);
    const full = century ? year : year + (year < 50 ? 2000 : 1900);
    const lastDay = new Date(Date.UTC(full, month, 0)).getUTCDate();
    return month >= 1 && month <= 12 && day >= 1 && day <= lastDay && hour < 24 && minute < 60 && second < 60;
  };
}

export const integer = primitive(tags.integer, isNumber);
const boolean = primitive(tags.boolean, (content) => content === "\xff" || content === "\0");
export const bits = primitive(tags.bits, isBits);
export const oid = primitive(tags.oid, (content) =>
  /^(?:(?:[\x81-\xff][\x80-\xff]{0,3})?[\0-\x7f])+$/.test(content),
);
const utc = primitive(0x17, isTime(false));
const generalized = primitive(0x18, isTime(true));
export const time: Shape = (value) => utc(value) || generalized(value);

/** UTF8String, PrintableString, TeletexString, IA5String and BMPString. */
const text: Shape = ({ tag, content }) =>
  (tag === 0x0c && isUtf8(content)) ||
  ((tag === 0x13 || tag === 0x16) && /^[\0-\x7f]*$/.test(content)) ||
  tag === 0x14 ||
  (tag === 0x1e && content.length % 2 === 0 && !/^(?:[\0-\xff]{2})*[\xd8-\xdf]/.test(content));
export const name = listOf(tags.sequence, listOf(tags.set, sequence(tags.sequence, oid, text), 1));

/** Parameters of algorithms: none, NULL, a curve, or a structure (RSASSA-PSS), which is DER in any case. */
const parameters: Shape = (value) =>
  oid(value) ||
  (value.tag === 5 && value.content === "") ||
  (value.tag === 0x30 && value.parts !== undefined);
export const algorithm = sequence(tags.sequence, oid, { optional: parameters });

const extensionForm = sequence(
  tags.sequence,
  oid,
  { optional: boolean },
  primitive(tags.octets, () => true),
);

/** Extensions, each at most once; `check` is given the object identifier and value of each. */
export function extensionsOf(check: (id: string, value: string) => boolean): Shape {
  const all = listOf(
    tags.sequence,
    (value) =>
      extensionForm(value) && check(value.parts?.[0]?.content ?? "", value.parts?.at(-1)?.content ?? ""),
    1,
  );
  return (value) =>
    all(value) && new Set(value.parts?.map(({ parts }) => parts?.[0]?.content)).size === value.parts?.length;
}

export const isOne = (values: readonly Der[] | undefined, shape: Shape): boolean =>
  values?.length === 1 && values.every(shape);

const version = (content: string) =>
  sequence(
    0xa0,
    primitive(tags.integer, (own) => own === content),
  );
const head = [integer, algorithm, name, sequence(tags.sequence, time, time), name] as const;
const publicKey = sequence(tags.sequence, algorithm, bits);
const uniqueIds = [{ optional: primitive(0x81, isBits) }, { optional: primitive(0x82, isBits) }] as const;
const extensions = sequence(
  0xa3,
  extensionsOf((_, value) => readDer(value) !== undefined),
);
const bodies = [
  sequence(tags.sequence, ...head, publicKey),
  sequence(tags.sequence, version("\x01"), ...head, publicKey, ...uniqueIds),
  sequence(tags.sequence, version("\x02"), ...head, publicKey, ...uniqueIds, { optional: extensions }),
];
const certificate = sequence(tags.sequence, (value) => bodies.some((body) => body(value)), algorithm, bits);

/**
 * Whether bytes have the form of a certificate (RFC 5280 §4.1), which Envoy's library sees more strictly than others.
 *
 * @param bytes a byte string: one character for each byte.
 */
export const isCertificate = (bytes: string): boolean => isOne(readDer(bytes), certificate);

/** What a certificate says of itself, as far as it has to fit a host and a time. */
export interface CertificateFacts {
  /** In ms since the epoch. */
  readonly validFrom: number;
  readonly validUntil: number;
  /** DNS names in lower case; of a certificate without alternative names its common name. */
  readonly names: readonly string[];
  /** It has a common name, a DNS name or an IP address. */
  readonly named: boolean;
}

const commonNameId = "\x55\x04\x03";
const alternativeNamesId = "\x55\x1d\x11";
const dnsName = 0x82;
const ipAddress = 0x87;

/** @param bytes those of a certificate (`isCertificate`). */
export function factsOf(bytes: string): CertificateFacts | undefined {
  const body = readDer(bytes)?.[0]?.parts?.[0]?.parts ?? [];
  const [, , , validity, subject] = body[0]?.tag === 0xa0 ? body.slice(1) : body;
  const [from, until] = validity?.parts ?? [];
  if (!from || !until) return undefined;
  const alternatives = alternativeNames(body);
  const dns = alternatives.flatMap(({ tag, content }) => (tag === dnsName ? [content] : []));
  const common = commonNames(subject);
  const names = dns.length > 0 ? dns : common;
  return {
    validFrom: timeOf(from),
    validUntil: timeOf(until),
    names: names.map((one) => one.toLowerCase()),
    named:
      common.some((one) => one.trim() !== "") ||
      alternatives.some(({ tag }) => tag === dnsName || tag === ipAddress),
  };
}

/** UTCTime or GeneralizedTime (RFC 5280 §4.1.2.5). */
function timeOf({ content }: Der): number {
  const full = content.length > 13 ? content : `${Number(content.slice(0, 2)) < 50 ? "20" : "19"}${content}`;
  const [year = 0, month = 1, ...rest] = (/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(full) ?? [])
    .slice(1)
    .map(Number);
  return Date.UTC(year, month - 1, ...rest);
}

function alternativeNames(body: readonly Der[]): readonly Der[] {
  const extensions = body.find(({ tag }) => tag === 0xa3)?.parts?.[0]?.parts ?? [];
  const own = extensions.find(({ parts }) => parts?.[0]?.content === alternativeNamesId)?.parts?.at(-1);
  return (own && readDer(own.content)?.[0]?.parts) ?? [];
}

const commonNames = (subject: Der | undefined): string[] =>
  (subject?.parts ?? [])
    .flatMap(({ parts = [] }) => parts)
    .flatMap(({ parts = [] }) => (parts[0]?.content === commonNameId ? [parts[1]?.content ?? ""] : []));
