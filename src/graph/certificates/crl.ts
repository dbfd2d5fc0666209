import { listOf, primitive, readDer, type Shape, sequence } from "./der.js";
import { algorithm, bits, extensionsOf, integer, isBits, isNumber, isOne, name, tags, time } from "./x509.js";

/** Context-specific alternatives of GeneralName: DNS name, URI, e-mail, address and, in an explicit tag, a Name. */
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

const extensions = extensionsOf((id, value) => {
  const shape = Object.hasOwn(known, id) ? known[id] : undefined;
  return shape === undefined || isOne(readDer(value), shape);
});

const version2 = primitive(tags.integer, (content) => content === "\x01");
const head = [algorithm, name, time, { optional: time }] as const;
const body = sequence(
  tags.sequence,
  version2,
  ...head,
  { optional: listOf(tags.sequence, sequence(tags.sequence, integer, time, { optional: extensions })) },
  { optional: sequence(0xa0, extensions) },
);
/** The body of a list of version 1, which has no extensions. */
const oldBody = sequence(tags.sequence, ...head, {
  optional: listOf(tags.sequence, sequence(tags.sequence, integer, time)),
});
const list = sequence(tags.sequence, (value) => body(value) || oldBody(value), algorithm, bits);

/**
 * Whether bytes are a certificate revocation list (RFC 5280 §5.1). If one list does not load, Envoy accepts no
 * certificate of the listener. So every part is checked, except the signature.
 *
 * @param bytes a byte string: one character for each byte.
 */
export const isRevocationList = (bytes: string): boolean => isOne(readDer(bytes), list);
