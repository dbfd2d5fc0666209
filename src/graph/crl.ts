import { type Der, listOf, primitive, readDer, type Shape, sequence } from "./der.js";

const tags = {
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

const isNumber = (content: string): boolean =>
  content !== "" && !/^\0[\0-\x7f]|^\xff[\x80-\xff]/.test(content);
const isBits = (content: string): boolean => {
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

const integer = primitive(tags.integer, isNumber);
const boolean = primitive(tags.boolean, (content) => content === "\xff" || content === "\0");
const bits = primitive(tags.bits, isBits);
const oid = primitive(tags.oid, (content) =>
  /^(?:(?:[\x81-\xff][\x80-\xff]{0,3})?[\0-\x7f])+$/.test(content),
);
const utc = primitive(0x17, isTime(false));
const generalized = primitive(0x18, isTime(true));
const time: Shape = (value) => utc(value) || generalized(value);

/** UTF8String, PrintableString, TeletexString, IA5String and BMPString. */
const text: Shape = ({ tag, content }) =>
  (tag === 0x0c && isUtf8(content)) ||
  ((tag === 0x13 || tag === 0x16) && /^[\0-\x7f]*$/.test(content)) ||
  tag === 0x14 ||
  (tag === 0x1e && content.length % 2 === 0 && !/^(?:[\0-\xff]{2})*[\xd8-\xdf]/.test(content));
const name = listOf(tags.sequence, listOf(tags.set, sequence(tags.sequence, oid, text), 1));

/** Parameters of algorithms: none, NULL, or a structure (RSASSA-PSS), which is DER in any case. */
const parameters: Shape = ({ tag, content, parts }) =>
  (tag === 5 && content === "") || (tag === 0x30 && parts !== undefined);
const algorithm = sequence(tags.sequence, oid, { optional: parameters });

/** Context-specific alternatives of GeneralName: DNS name, URI, e-mail, address and, in its wrapping, a Name. */
const ia5 = (tag: number): Shape => primitive(tag, (content) => /^[\0-\x7f]*$/.test(content));
const generalName: Shape = (value) =>
  ia5(0x81)(value) || ia5(0x82)(value) || ia5(0x86)(value) || sequence(0xa4, name)(value);
const flag = (tag: number): { optional: Shape } => ({
  optional: primitive(tag, (content) => content === "\xff"),
});

const authorityKey = sequence(
  tags.sequence,
  { optional: primitive(0x80, () => true) },
  { optional: listOf(0xa1, generalName, 1) },
  { optional: primitive(0x82, isNumber) },
);
const distributionPoint = sequence(
  tags.sequence,
  { optional: sequence(0xa0, listOf(0xa0, generalName, 1)) },
  flag(0x81),
  flag(0x82),
  { optional: primitive(0x83, isBits) },
  flag(0x84),
  flag(0x85),
);

/** Extensions that Envoy's library reads while it loads a list, by object identifier (RFC 5280 §5.2 and §5.3). */
const known: Readonly<Record<string, Shape>> = {
  "\x55\x1d\x14": integer,
  "\x55\x1d\x15": primitive(tags.enumerated, isNumber),
  "\x55\x1d\x1b": integer,
  "\x55\x1d\x1c": distributionPoint,
  "\x55\x1d\x1d": listOf(tags.sequence, generalName, 1),
  "\x55\x1d\x23": authorityKey,
};

const extensionForm = sequence(
  tags.sequence,
  oid,
  { optional: boolean },
  primitive(tags.octets, () => true),
);

const extension: Shape = (value) => {
  if (!extensionForm(value)) return false;
  const id = value.parts?.[0]?.content ?? "";
  const shape = Object.hasOwn(known, id) ? known[id] : undefined;
  return shape === undefined || isOne(readDer(value.parts?.at(-1)?.content ?? ""), shape);
};

const extensions: Shape = (value) =>
  listOf(tags.sequence, extension, 1)(value) &&
  new Set(value.parts?.map(({ parts }) => parts?.[0]?.content)).size === value.parts?.length;

const version2 = primitive(tags.integer, (content) => content === "\x01");
const head = [algorithm, name, time, { optional: time }] as const;
const body = sequence(
  tags.sequence,
  version2,
  ...head,
  { optional: listOf(tags.sequence, sequence(tags.sequence, integer, time, { optional: extensions })) },
  { optional: sequence(0xa0, extensions) },
);
/** Of version 1, which has no extensions. */
const oldBody = sequence(tags.sequence, ...head, {
  optional: listOf(tags.sequence, sequence(tags.sequence, integer, time)),
});
const list = sequence(tags.sequence, (value) => body(value) || oldBody(value), algorithm, bits);

const isOne = (values: readonly Der[] | undefined, shape: Shape): boolean =>
  values?.length === 1 && values.every(shape);

/**
 * Whether bytes are a certificate revocation list (RFC 5280 §5.1). Envoy takes no certificate of a listener
 * any more when one list does not load, so that every part is looked at; who signed it does not matter here.
 *
 * @param bytes a byte string: one character for each byte.
 */
export const isRevocationList = (bytes: string): boolean => isOne(readDer(bytes), list);
