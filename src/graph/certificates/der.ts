/** An ASN.1 value in DER (X.690); `parts` are the elements of a constructed value. */
export interface Der {
  /** The identifier octet. */
  readonly tag: number;
  /** A byte string: one character for each byte. */
  readonly content: string;
  readonly parts?: readonly Der[];
}

const maxDepth = 16;
const constructed = 0x20;

/**
 * Parses bytes as a sequence of DER values; undefined for bytes that are not DER, or nested deeper than `maxDepth`,
 * which no real certificate reaches.
 */
export function readDer(bytes: string, depth = 0): readonly Der[] | undefined {
  const found: Der[] = [];
  for (let at = 0; at < bytes.length; ) {
    const tag = bytes.charCodeAt(at);
    const range = (tag & 0x1f) === 0x1f ? undefined : readLength(bytes, at + 1);
    if (!range) return undefined;
    const content = bytes.slice(range.start, range.end);
    const parts = tag & constructed ? readParts(content, depth + 1) : undefined;
    if (tag & constructed && !parts) return undefined;
    found.push({ tag, content, ...(parts ? { parts } : {}) });
    at = range.end;
  }
  return found;
}

/**
 * The start and end of the content of a value; `at` is the index of its length. DER allows only the shortest form of a
 * length.
 */
function readLength(bytes: string, at: number): { start: number; end: number } | undefined {
  const first = bytes.charCodeAt(at);
  const more = first > 0x80 ? first - 0x80 : 0;
  const start = at + 1 + more;
  if (first === 0x80 || more > 3 || !(start <= bytes.length)) return undefined;
  let length = more === 0 ? first : 0;
  for (let i = at + 1; i < start; i++) length = length * 256 + bytes.charCodeAt(i);
  const shortest = length < 0x80 ? 0 : Math.ceil(Math.log2(length + 1) / 8);
  return more === shortest && start + length <= bytes.length ? { start, end: start + length } : undefined;
}

const readParts = (content: string, depth: number): readonly Der[] | undefined =>
  depth > maxDepth ? undefined : readDer(content, depth);

export type Shape = (value: Der) => boolean;

/** A constructed value whose parts have these shapes in this order. Optional parts may be absent. */
export const sequence =
  (tag: number, ...shapes: readonly (Shape | { readonly optional: Shape })[]): Shape =>
  (value) => {
    const parts = [...(value.parts ?? [])];
    if (value.tag !== tag || !value.parts) return false;
    for (const shape of shapes) {
      const next = parts[0];
      const fits = next !== undefined && (typeof shape === "function" ? shape : shape.optional)(next);
      if (fits) parts.shift();
      else if (typeof shape === "function") return false;
    }
    return parts.length === 0;
  };

/** A constructed value with at least `least` parts, all of one shape. */
export const listOf =
  (tag: number, shape: Shape, least = 0): Shape =>
  ({ tag: own, parts }) =>
    own === tag && parts !== undefined && parts.length >= least && parts.every(shape);

export const primitive =
  (tag: number, check: (content: string) => boolean): Shape =>
  (value) =>
    value.tag === tag && check(value.content);
