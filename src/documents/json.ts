// The package's main file is in a form that bundlers do not follow.
import { printParseErrorCode, visit } from "jsonc-parser/lib/esm/main.js";
import { type Cost, costOf, DocumentError, maxDepth, maxNodes, tooDeep, tooManyNodes } from "./limits.js";

/** A JSON value in a text, and the offset after it. */
export interface JsonValue {
  readonly value: unknown;
  readonly end: number;
}

/**
 * Reads the JSON value that begins at `start`. Checks the number of nodes and levels before it builds the value. Refuses a
 * key that is set twice, because parsers differ in which value they use.
 *
 * @throws JsonSyntaxError when the text is not JSON; DocumentError when it exceeds a limit or sets a key twice.
 */
export function readJson(text: string, start: number, cost: Cost, depth = maxDepth): JsonValue {
  const { end, nodes, pairs } = scan(text, start, depth);
  const slice = text.slice(start, end);
  let value: unknown;
  try {
    value = JSON.parse(slice);
  } catch {
    throw new JsonSyntaxError(slice, start);
  }
  cost.written += nodes;
  if (countKeys(value) !== pairs) throw new RepeatedKeyError(start, end);
  return { value, end };
}

/**
 * Parses a text that is one JSON value with at most `deepest` levels.
 *
 * @throws the errors of `readJson`.
 */
export function parseWhole(text: string, deepest: number): unknown {
  const { value, end } = readJson(text, 0, costOf(text), deepest);
  if (text.slice(end).trim() === "") return value;
  throw new JsonSyntaxError(text, 0);
}

/** A key is set twice in one object of the value. */
export class RepeatedKeyError extends DocumentError {
  constructor(
    start: number,
    /** Offset after the value. */
    readonly end: number,
  ) {
    super("a key is set twice in one object; remove one of them", start, "repeated-key");
  }
}

/** Text is not JSON. */
export class JsonSyntaxError extends Error {
  constructor(
    private readonly text: string,
    private readonly start: number,
  ) {
    super("not valid JSON");
  }

  /** Finds the offset of the error. It scans the text once more. */
  locate(): DocumentError {
    const end = this.text.trimEnd().length;
    const position = Math.min(errorAt(this.text), end);
    const what = position === end ? "it ends too early" : "unexpected text";
    return new DocumentError(`not valid JSON: ${what}`, this.start + position);
  }
}

const [quote, backslash, comma, colon] = [34, 92, 44, 58];
const isOpening = (code: number): boolean => code === 91 || code === 123;
const isClosing = (code: number): boolean => code === 93 || code === 125;

/** The end of a value by its brackets, an upper bound of its nodes, and the number of its keys. */
function scan(
  text: string,
  start: number,
  deepest: number,
): { readonly end: number; readonly nodes: number; readonly pairs: number } {
  let depth = 0;
  let nodes = 1;
  let pairs = 0;
  for (let i = start; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === quote) i = endOfString(text, i);
    else if (isOpening(code)) {
      nodes++;
      if (++depth > deepest) throw tooDeep(i, deepest);
    } else if (isClosing(code)) {
      if (--depth <= 0) return { end: i + 1, nodes, pairs };
    } else if (code === comma) nodes++;
    else if (code === colon) {
      nodes++;
      pairs++;
    }
    if (nodes > maxNodes) throw tooManyNodes(start);
  }
  return { end: text.length, nodes, pairs };
}

/** The offset of the quote that ends a string, or of the end of the text. */
function endOfString(text: string, start: number): number {
  for (let i = start + 1; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code === backslash) i++;
    else if (code === quote) return i;
  }
  return text.length;
}

function countKeys(value: unknown): number {
  if (typeof value !== "object" || value === null) return 0;
  let keys = 0;
  if (Array.isArray(value)) for (const one of value) keys += countKeys(one);
  else for (const one of Object.values(value)) keys += 1 + countKeys(one);
  return keys;
}

const strict = { disallowComments: true, allowTrailingComma: false };

/** The offset of the first JSON syntax error. The scan builds no value. */
function errorAt(text: string): number {
  let first: number | undefined;
  const onError = (code: number, offset: number, length: number): void => {
    // For an unterminated string, the error is at its end.
    first ??= printParseErrorCode(code) === "UnexpectedEndOfString" ? offset + length : offset;
  };
  visit(text, { onError }, strict);
  return first ?? 0;
}
