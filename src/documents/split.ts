/** The text of one or more documents, with its first line in the file. */
export interface Part {
  readonly text: string;
  readonly line: number;
}

export function* lineTexts(text: string): Generator<string> {
  for (let start = 0; start < text.length; ) {
    const found = text.indexOf("\n", start);
    const end = found < 0 ? text.length : found + 1;
    yield text.slice(start, end);
    start = end;
  }
}

/** Splits text at lines that begin with `---`. Directives stay with their document. */
export function* documentTexts(text: string): Generator<string> {
  let start = 0;
  for (let next = nextMarker(text, 0); next >= 0; next = nextMarker(text, next)) {
    const part = text.slice(start, next);
    if (isDirectives(part)) continue;
    yield part;
    start = next;
  }
  yield text.slice(start);
}

function nextMarker(text: string, from: number): number {
  for (let at = text.indexOf("\n---", from); at >= 0; at = text.indexOf("\n---", at + 1))
    if (/^\s?$/.test(text.charAt(at + 4))) return at + 1;
  return -1;
}

const isDirectives = (part: string): boolean =>
  part.charAt(contentStart(part, 0)) === "%" &&
  part.split("\n").every((line) => /^%|^\s*(?:#.*)?$/.test(line));

/** The offset of the first text after `from` that is not white space, a comment or `---`; -1 without any. */
export function contentStart(text: string, from: number): number {
  let at = from === 0 && /^---(?:\s|$)/.test(text.slice(0, 4)) ? 3 : from;
  for (; at < text.length; at++) {
    if (text[at] === "#") {
      const end = text.indexOf("\n", at);
      if (end < 0) return -1;
      at = end;
    } else if (!/\s/.test(text.charAt(at))) return at;
  }
  return -1;
}

export function newlines(text: string, from = 0, to = text.length): number {
  let count = 0;
  for (let at = text.indexOf("\n", from); at >= 0 && at < to; at = text.indexOf("\n", at + 1)) count++;
  return count;
}

/** The line and column, from 1, of an offset in a part. */
export function placeOf({ text, line }: Part, offset: number): { line: number; column: number } {
  return {
    line: line + newlines(text, 0, offset),
    column: offset - text.lastIndexOf("\n", offset - 1),
  };
}
