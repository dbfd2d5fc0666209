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

/** Whether text may contain a code point. Envoy's library refuses surrogates and noncharacters in a name. */
const isCharacter = (point: number): boolean =>
  point <= 0x10ffff &&
  (point < 0xd800 || point > 0xdfff) &&
  (point < 0xfdd0 || point > 0xfdef) &&
  (point & 0xfffe) !== 0xfffe;

function isUtf8(content: string): boolean {
  if (/^[\0-\x7f]*$/.test(content)) return true;
  try {
    const bytes = Uint8Array.from(content, (char) => char.charCodeAt(0));
    const text = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(bytes);
    return [...text].every((char) => isCharacter(char.codePointAt(0) ?? 0));
  } catch {
    return false;
  }
}

/** Whether bytes are code points of `width` bytes each, in big-endian order. */
function isFixedWidth(content: string, width: number): boolean {
  for (let at = 0; at < content.length; at += width) {
    let point = 0;
    for (let i = at; i < at + width; i++) point = point * 256 + content.charCodeAt(i);
    if (!isCharacter(point)) return false;
  }
  return content.length % width === 0;
}

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
/** Numbers in base 128: the last digit is below 128, and the first one is not a padding zero. */
export const oid = primitive(
  tags.oid,
  (content) => /[\0-\x7f]$/.test(content) && !/^\x80|[\0-\x7f]\x80/.test(content),
);
const utc = primitive(0x17, isTime(false));
const generalized = primitive(0x18, isTime(true));
export const time: Shape = (value) => utc(value) || generalized(value);

/** NumericString, PrintableString, TeletexString and IA5String: all parsers accept any byte in these. */
const anyText = new Set([0x12, 0x13, 0x14, 0x16]);

/**
 * DirectoryString (RFC 5280 §4.1.2.4) and IA5String: the texts that both Envoy's library and the platforms' libraries
 * parse.
 */
const text: Shape = ({ tag, content }) =>
  anyText.has(tag) ||
  (tag === 0x0c && isUtf8(content)) ||
  (tag === 0x1c && isFixedWidth(content, 4)) ||
  (tag === 0x1e && isFixedWidth(content, 2));
export const name = listOf(tags.sequence, listOf(tags.set, sequence(tags.sequence, oid, text), 1));

/** Parameters of algorithms: none, NULL, a curve, or a structure (RSASSA-PSS) in DER. */
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

/** Extensions, each at most once. `check` receives the object identifier and value of each. */
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
  extensionsOf(() => true),
);
const bodies = [
  sequence(tags.sequence, ...head, publicKey),
  sequence(tags.sequence, version("\x01"), ...head, publicKey, ...uniqueIds),
  sequence(tags.sequence, version("\x02"), ...head, publicKey, ...uniqueIds, { optional: extensions }),
];
const form = sequence(tags.sequence, (value) => bodies.some((body) => body(value)), algorithm, bits);

export interface Certificate {
  /** In ms since the epoch. */
  readonly validFrom: number;
  readonly validUntil: number;
  readonly subject: Der;
  readonly publicKey: Der;
  /**
   * Whether it contains only what public and private authorities put into certificates every day. Other certificates
   * are valid too, but an unknown rule of Envoy is more likely to refuse them.
   */
  readonly usual: boolean;
  /** Values as byte strings, by object identifier. */
  readonly extensions: ReadonlyMap<string, string>;
}

/**
 * Parses a certificate (RFC 5280 §4.1); undefined for bytes of another form, by the rules of Envoy's library, which
 * are stricter than those of others. The values of extensions are not checked.
 *
 * @param bytes a byte string: one character for each byte.
 */
export function readCertificate(bytes: string): Certificate | undefined {
  const values = readDer(bytes);
  if (!isOne(values, form)) return undefined;
  const body = values?.[0]?.parts?.[0]?.parts ?? [];
  const [serial, , , validity, subject, key, ...more] = body[0]?.tag === 0xa0 ? body.slice(1) : body;
  const [from, until] = validity?.parts ?? [];
  if (!serial || !from || !until || !subject || !key) return undefined;
  const last = more.at(-1);
  const own = last?.tag === 0xa3 ? (last.parts?.[0]?.parts ?? []) : [];
  const extensions = new Map(
    own.map(({ parts = [] }) => [parts[0]?.content ?? "", parts.at(-1)?.content ?? ""]),
  );
  return {
    validFrom: timeOf(from),
    validUntil: timeOf(until),
    subject,
    publicKey: key,
    extensions,
    usual:
      usualSerial.test(serial.content) &&
      more.every(({ tag }) => tag === 0xa3) &&
      [...extensions.keys()].every((id) => usualExtensions.has(id)),
  };
}

/** A positive number of at most 20 bytes (RFC 5280 §4.1.2.2). */
const usualSerial = /^(?!\0$)[\0-\x7f][\0-\xff]{0,19}$/;

/** Object identifiers of extensions (RFC 5280 §4.2). */
export const extensionIds = {
  keyUsage: "\x55\x1d\x0f",
  alternativeNames: "\x55\x1d\x11",
  features: "\x2b\x06\x01\x05\x05\x07\x01\x18",
} as const;

const usualExtensions: ReadonlySet<string> = new Set([
  extensionIds.keyUsage,
  extensionIds.alternativeNames,
  "\x55\x1d\x0e", // subject key identifier
  "\x55\x1d\x12", // issuer alternative name
  "\x55\x1d\x13", // basic constraints
  "\x55\x1d\x1e", // name constraints
  "\x55\x1d\x1f", // CRL distribution points
  "\x55\x1d\x20", // certificate policies
  "\x55\x1d\x23", // authority key identifier
  "\x55\x1d\x25", // extended key usage
  "\x2b\x06\x01\x05\x05\x07\x01\x01", // authority information access
  "\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02", // signed certificate timestamps
  "\x2b\x06\x01\x04\x01\x82\x37\x14\x02", // Microsoft's certificate template name
  "\x2b\x06\x01\x04\x01\x82\x37\x15\x01", // Microsoft's authority version
  "\x2b\x06\x01\x04\x01\x82\x37\x15\x07", // Microsoft's certificate template
  "\x2b\x06\x01\x04\x01\x82\x37\x15\x0a", // Microsoft's application policies
  "\x60\x86\x48\x01\x86\xf8\x42\x01\x01", // Netscape's certificate type
  "\x60\x86\x48\x01\x86\xf8\x42\x01\x0d", // Netscape's comment
]);

/** UTCTime or GeneralizedTime (RFC 5280 §4.1.2.5). */
function timeOf({ content }: Der): number {
  const full = content.length > 13 ? content : `${Number(content.slice(0, 2)) < 50 ? "20" : "19"}${content}`;
  const [year = 0, month = 1, ...rest] = (/^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)/.exec(full) ?? [])
    .slice(1)
    .map(Number);
  return Date.UTC(year, month - 1, ...rest);
}
