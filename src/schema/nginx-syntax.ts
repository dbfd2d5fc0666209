/** A directive of nginx's configuration: its words, and the directives of its block. */
export interface NginxDirective {
  readonly words: readonly string[];
  readonly block?: readonly NginxDirective[];
}

/**
 * Parses configuration of nginx: words with quotes and escapes, comments, `;` and blocks, as nginx's own reader does.
 * Returns undefined if the text is not complete or not valid.
 */
export function parseNginx(text: string): readonly NginxDirective[] | undefined {
  const tokens = tokenise(text);
  if (!tokens) return undefined;
  const read = readBlock(tokens, 0, 0);
  return read && read.end === tokens.length ? read.block : undefined;
}

const maxDepth = 8;

type Token = string | { readonly mark: ";" | "{" | "}" };

/** The directives from a token on, up to the end of their block. */
function readBlock(
  tokens: readonly Token[],
  start: number,
  depth: number,
): { readonly block: readonly NginxDirective[]; readonly end: number } | undefined {
  const block: NginxDirective[] = [];
  let words: string[] = [];
  for (let at = start; at < tokens.length; at++) {
    const token = tokens[at];
    if (typeof token === "string") {
      words.push(token);
      continue;
    }
    if (token?.mark === "}") return depth > 0 && words.length === 0 ? { block, end: at } : undefined;
    if (token?.mark === "{") {
      const inner = depth < maxDepth ? readBlock(tokens, at + 1, depth + 1) : undefined;
      if (!inner || tokens[inner.end] === undefined) return undefined;
      block.push({ words, block: inner.block });
      at = inner.end;
    } else if (words.length > 0) block.push({ words });
    words = [];
  }
  return words.length === 0 ? { block, end: tokens.length } : undefined;
}

/** A word ends at a space, `;` or `{`; quotes and comments only begin where a word may begin, as in nginx. */
const lexeme =
  /\s+|#[^\n]*|([;{}])|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|((?:\$\{|[^\s;{}"'#\\]|\\.)(?:\$\{|[^\s;{\\]|\\.)*)|(.)/gsy;

function tokenise(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  let afterQuote = -1;
  for (const { 0: all, 1: mark, 2: double, 3: single, 4: word, 5: other, index } of text.matchAll(lexeme)) {
    const quoted = double ?? single;
    if (other !== undefined) return undefined;
    // nginx requires a space, a mark or `)` after a quoted word.
    if (index === afterQuote && (quoted !== undefined || (word !== undefined && !word.startsWith(")"))))
      return undefined;
    if (mark !== undefined) tokens.push({ mark: mark as ";" });
    if (quoted !== undefined) afterQuote = index + all.length;
    const found = quoted ?? word;
    if (found !== undefined) tokens.push(unescaped(found));
  }
  return tokens;
}

const escapes: Readonly<Record<string, string>> = {
  t: "\t",
  r: "\r",
  n: "\n",
  '"': '"',
  "'": "'",
  "\\": "\\",
};

/** nginx removes the backslash of these escapes only, so that those of regular expressions stay. */
const unescaped = (word: string): string =>
  word.replace(/\\(.)/gs, (all, character: string) => escapes[character] ?? all);
