/** Text of one document or more, with the line in its file that it begins on. */
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

/** Splits at lines that begin with `---`; directives stay with the document that they are for. */
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

/** Where the first text is after `from` that is no white space, comment or `---`; -1 when there is none. */
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

/** Line and column, from 1, of an offset in a part. */
export function placeOf({ text, line }: Part, offset: number): { line: number; column: number } {
  return {
    line: line + newlines(text, 0, offset),
    column: offset - text.lastIndexOf("\n", offset - 1),
  };
}
