import { headerValueProblem } from "./header-names.js";

/** The effect of one directive of a snippet that can be applied exactly. */
export type SnippetEffect =
  | { readonly kind: "set-response" | "set-request"; readonly name: string; readonly value: string }
  | { readonly kind: "remove-response" | "remove-request"; readonly name: string }
  /** Requests below a path are refused with this status. */
  | {
      readonly kind: "refuse";
      readonly match: "prefix" | "exact";
      readonly path: string;
      readonly status: number;
    };

export interface Snippet {
  readonly effects: readonly SnippetEffect[];
  /** Directives that are not supported; each may restrict access. */
  readonly unknown: readonly string[];
}

interface Directive {
  readonly words: readonly string[];
  readonly block?: readonly Directive[];
}

/** Directives that Envoy does not need. */
const harmless = new Set([
  "gzip",
  "gzip_types",
  "server_tokens",
  "access_log",
  "log_not_found",
  "expires",
  "proxy_pass_header",
  "proxy_buffering",
  "proxy_buffers",
  "proxy_buffer_size",
  "proxy_busy_buffers_size",
  "proxy_http_version",
  "client_body_buffer_size",
  "large_client_header_buffers",
]);

const headerName = /^[A-Za-z0-9_-]+$/;
const isLiteral = (text: string): boolean => !text.includes("$") && headerValueProblem(text) === undefined;

/**
 * Reads `configuration-snippet` (or, with `ofServer`, `server-snippet`). Envoy gets its effects, never the text itself.
 */
export function readSnippet(text: string, ofServer: boolean): Snippet {
  const directives = parse(text);
  if (!directives) return { effects: [], unknown: ["text that is not nginx's syntax"] };
  const effects: SnippetEffect[] = [];
  const unknown: string[] = [];
  for (const directive of directives) {
    const found = ofServer && directive.block ? readLocation(directive) : readDirective(directive);
    if (found) effects.push(...found);
    else unknown.push((directive.words[0] ?? "{").slice(0, 40));
  }
  return { effects, unknown };
}

function readDirective({ words, block }: Directive): readonly SnippetEffect[] | undefined {
  const [directive = "", first = "", second, third] = words;
  if (block) return undefined;
  switch (directive) {
    case "more_set_headers":
    case "more_set_input_headers":
      return allOf(words.slice(1), (word) => readHeader(word, directive === "more_set_headers"));
    case "add_header":
      return third === "always" && second !== undefined
        ? setHeader("set-response", first, second)
        : undefined;
    case "more_clear_headers":
    case "proxy_hide_header":
      return allOf(words.slice(1), (name) =>
        headerName.test(name) ? [{ kind: "remove-response", name }] : undefined,
      );
    case "proxy_set_header":
      if (words.length !== 3 || second === undefined || first.toLowerCase() === "host") return undefined;
      return second === "" ? removeHeader(first) : setHeader("set-request", first, second);
    default:
      return harmless.has(directive) ? [] : undefined;
  }
}

function allOf(
  words: readonly string[],
  read: (word: string) => readonly SnippetEffect[] | undefined,
): readonly SnippetEffect[] | undefined {
  const found = words.map(read);
  return words.length > 0 && found.every((one) => one !== undefined) ? found.flat() : undefined;
}

/** `Name: value` of the headers-more module. */
function readHeader(text: string, ofResponse: boolean): readonly SnippetEffect[] | undefined {
  const [, name = "", value = ""] = /^([A-Za-z0-9_-]+):\s*(.*)$/s.exec(text) ?? [];
  if (name === "") return undefined;
  return setHeader(ofResponse ? "set-response" : "set-request", name, value);
}

const removeHeader = (name: string): readonly SnippetEffect[] | undefined =>
  headerName.test(name) ? [{ kind: "remove-request", name }] : undefined;

const setHeader = (
  kind: "set-response" | "set-request",
  name: string,
  value: string,
): readonly SnippetEffect[] | undefined =>
  headerName.test(name) && isLiteral(value) ? [{ kind, name, value }] : undefined;

/** `location PATH { deny all; }` and `location = PATH { return 403; }`. */
function readLocation({ words, block = [] }: Directive): readonly SnippetEffect[] | undefined {
  const [directive, ...rest] = words;
  const match = rest[0] === "=" ? "exact" : "prefix";
  const path = rest.length === 1 ? rest[0] : rest[0] === "=" || rest[0] === "^~" ? rest[1] : undefined;
  if (directive !== "location" || rest.length > 2 || !path || !/^\/[-._~/A-Za-z0-9]*$/.test(path))
    return undefined;
  const [first, ...others] = block;
  const status = first && statusOf(first);
  if (status === undefined || !others.every((one) => statusOf(one) !== undefined)) return undefined;
  return [{ kind: "refuse", match, path, status }];
}

function statusOf({ words, block }: Directive): number | undefined {
  const text = words.join(" ");
  if (block) return undefined;
  if (text === "deny all") return 403;
  const [, status] = /^return (4\d\d)$/.exec(text) ?? [];
  return status === undefined ? undefined : Number(status);
}

/** Parses nginx's syntax: words with quotes and comments, `;` and blocks. Undefined if the text is invalid. */
function parse(text: string): readonly Directive[] | undefined {
  const tokens = tokenise(text);
  if (!tokens) return undefined;
  const read = readBlock(tokens, 0, 0);
  return read && read.end === tokens.length ? read.block : undefined;
}

/** The directives from a token on, up to the end of their block. */
function readBlock(
  tokens: readonly Token[],
  start: number,
  depth: number,
): { readonly block: readonly Directive[]; readonly end: number } | undefined {
  const block: Directive[] = [];
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

const maxDepth = 8;

type Token = string | { readonly mark: ";" | "{" | "}" };

function tokenise(text: string): readonly Token[] | undefined {
  const tokens: Token[] = [];
  const pattern = /\s+|#[^\n]*|([;{}])|"((?:[^"\\]|\\.)*)"|'((?:[^'\\]|\\.)*)'|([^\s;{}"'#\\]+)|(.)/gsy;
  for (const [, mark, double, single, word, other] of text.matchAll(pattern)) {
    if (other !== undefined) return undefined;
    if (mark !== undefined) tokens.push({ mark: mark as ";" });
    const quoted = double ?? single;
    if (quoted !== undefined) {
      if (quoted.includes("\\")) return undefined;
      tokens.push(quoted);
    }
    if (word !== undefined) tokens.push(word);
  }
  return tokens;
}
