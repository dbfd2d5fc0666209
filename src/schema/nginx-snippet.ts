import { headerValueProblem } from "./header-names.js";
import {
  readAnswer,
  readConditions,
  type SnippetAnswer,
  type SnippetCondition,
} from "./nginx-snippet-answers.js";
import { readValue, type SnippetValue } from "./nginx-snippet-values.js";
import { type NginxDirective, parseNginx } from "./nginx-syntax.js";

/** The effect of one directive of a snippet that can be applied exactly. */
export type SnippetEffect =
  /** `replaces`: the value takes the place of every other one of the header; otherwise it is added to them. */
  | {
      readonly kind: "set-response";
      readonly name: string;
      readonly value: SnippetValue;
      readonly replaces: boolean;
    }
  /** Added to responses with the status of a success or a redirect only. */
  | { readonly kind: "add-success"; readonly name: string; readonly value: string }
  | { readonly kind: "set-request"; readonly name: string; readonly value: SnippetValue }
  | { readonly kind: "remove-response" | "remove-request"; readonly name: string }
  /** The name for the TLS handshake with the backend. `on` sends it. */
  | { readonly kind: "server-name"; readonly on: boolean }
  | { readonly kind: "tls-name"; readonly value: SnippetValue }
  /** Addresses that are let in or refused; the first entry with the client's address decides. */
  | { readonly kind: "address"; readonly allow: boolean; readonly range: string }
  /** Requests that meet the conditions get an answer, before all other effects of their location. */
  | { readonly kind: "answer"; readonly when: readonly SnippetCondition[]; readonly answer: SnippetAnswer }
  /** Requests for a path of the host get an answer. */
  | {
      readonly kind: "location";
      readonly match: "prefix" | "exact" | "regex";
      readonly path: string;
      readonly answer: SnippetAnswer;
    };

export interface Snippet {
  readonly effects: readonly SnippetEffect[];
  /** Directives that have no effect here, and restrict nothing. */
  readonly ignored: readonly string[];
  /** Directives that are not supported; each may restrict access. */
  readonly unknown: readonly string[];
}

/** Directives that Envoy does not need. */
const harmless = new Set([
  "access_log",
  "client_body_buffer_size",
  "client_header_buffer_size",
  "large_client_header_buffers",
  "log_not_found",
  "proxy_buffer_size",
  "proxy_buffering",
  "proxy_buffers",
  "proxy_busy_buffers_size",
  "proxy_http_version",
  "proxy_intercept_errors",
  "proxy_pass_header",
  "proxy_request_buffering",
  "server_tokens",
]);

/** Directives that change how responses are encoded or cached. */
const lost = new Set([
  "etag",
  "expires",
  "gzip",
  "gzip_comp_level",
  "gzip_min_length",
  "gzip_proxied",
  "gzip_types",
  "gzip_vary",
]);

const headerName = /^[A-Za-z0-9_-]+$/;

type Found = { readonly effects: readonly SnippetEffect[]; readonly isLost?: true };

/**
 * Reads `configuration-snippet` (or, with `ofServer`, `server-snippet`). Envoy gets its effects, never the text itself.
 */
export function readSnippet(text: string, ofServer: boolean): Snippet {
  const directives = parseNginx(text);
  if (!directives) return { effects: [], ignored: [], unknown: ["text that is not nginx's syntax"] };
  const effects: SnippetEffect[] = [];
  const ignored: string[] = [];
  const unknown: string[] = [];
  for (const directive of directives) {
    const found = readDirective(directive, ofServer);
    const name = (directive.words[0] ?? "{").slice(0, 40);
    if (!found) unknown.push(name);
    else effects.push(...found.effects);
    if (found?.isLost) ignored.push(name);
  }
  return { effects, ignored, unknown };
}

function readDirective(directive: NginxDirective, ofServer: boolean): Found | undefined {
  const { words, block } = directive;
  const [name = ""] = words;
  if (block) return all(ofServer && name === "location" ? readLocation(directive) : readIf(directive));
  if (lost.has(name)) return { effects: [], isLost: true };
  if (harmless.has(name) && directive.words.join(" ") !== "proxy_intercept_errors on") return { effects: [] };
  if (name === "return" || name === "rewrite") {
    const answer = readAnswer(words);
    return answer && { effects: [{ kind: "answer", ...answer }] };
  }
  return all(readHeaders(words) ?? readOther(words));
}

const all = (effects: readonly SnippetEffect[] | undefined): Found | undefined => effects && { effects };

/** The directives about headers. */
function readHeaders(words: readonly string[]): readonly SnippetEffect[] | undefined {
  const [directive = "", first = "", second, third] = words;
  switch (directive) {
    case "more_set_headers":
    case "more_set_input_headers":
      return allOf(words.slice(1), (word) => readMore(word, directive === "more_set_headers"));
    case "add_header":
      return words.length <= 4 && second !== undefined && (third ?? "always") === "always"
        ? addHeader(first, second, third !== undefined)
        : undefined;
    case "more_clear_headers":
    case "proxy_hide_header":
      return allOf(words.slice(1), (name) =>
        headerName.test(name) ? [{ kind: "remove-response", name }] : undefined,
      );
    case "proxy_set_header":
      return words.length === 3 && second !== undefined ? setRequest(first, second) : undefined;
    default:
      return undefined;
  }
}

function readOther([directive, value = "", ...rest]: readonly string[]):
  | readonly SnippetEffect[]
  | undefined {
  if (value === "" || rest.length > 0) return undefined;
  if (directive === "proxy_ssl_server_name")
    return value === "on" || value === "off" ? [{ kind: "server-name", on: value === "on" }] : undefined;
  if (directive === "proxy_ssl_name") {
    const read = readValue(value);
    return read && [{ kind: "tls-name", value: read }];
  }
  if (directive === "allow" || directive === "deny")
    return [{ kind: "address", allow: directive === "allow", range: value }];
  return undefined;
}

function allOf(
  words: readonly string[],
  read: (word: string) => readonly SnippetEffect[] | undefined,
): readonly SnippetEffect[] | undefined {
  const found = words.map(read);
  return words.length > 0 && found.every((one) => one !== undefined) ? found.flat() : undefined;
}

/** `Name: value` of the headers-more module. */
function readMore(text: string, ofResponse: boolean): readonly SnippetEffect[] | undefined {
  const [, name = "", value = ""] = /^([A-Za-z0-9_-]+):\s*(.*)$/s.exec(text) ?? [];
  const read = readValue(value);
  if (name === "" || !read) return undefined;
  if (ofResponse) return [{ kind: "set-response", name, value: read, replaces: true }];
  return [{ kind: "set-request", name, value: read }];
}

function addHeader(name: string, value: string, always: boolean): readonly SnippetEffect[] | undefined {
  if (!headerName.test(name)) return undefined;
  const read = readValue(value);
  if (!read) return undefined;
  if (always) return [{ kind: "set-response", name, value: read, replaces: false }];
  const isLiteral = !value.includes("$") && headerValueProblem(value) === undefined;
  return isLiteral ? [{ kind: "add-success", name, value }] : undefined;
}

/** Headers of the connection, which Envoy sets itself for upgrades and keep-alive. */
const ofConnection = new Set(["connection", "upgrade"]);

function setRequest(name: string, value: string): readonly SnippetEffect[] | undefined {
  const key = name.toLowerCase();
  if (!headerName.test(name)) return undefined;
  if (ofConnection.has(key)) return [];
  // ingress-nginx sends the client's Host beside it, and the first one counts.
  if (key === "host") return /^\$(?:http_)?host$/.test(value) ? [] : undefined;
  if (value === "") return [{ kind: "remove-request", name }];
  const read = readValue(value);
  return read && [{ kind: "set-request", name, value: read }];
}

/** `if (CONDITION) { return CODE; }` */
function readIf({ words, block = [] }: NginxDirective): readonly SnippetEffect[] | undefined {
  const [only, ...others] = block;
  const when = readConditions(words);
  if (!when || !only || only.block || others.length > 0) return undefined;
  const read = readAnswer(only.words);
  return read && [{ kind: "answer", when: [...when, ...read.when], answer: read.answer }];
}

/** `location PATH { deny all; }`, `location = PATH { return 403; }` and `location ~ RE { return 403; }`. */
function readLocation({ words, block = [] }: NginxDirective): readonly SnippetEffect[] | undefined {
  const [, ...rest] = words;
  const [modifier, path] = rest.length === 1 ? ["", rest[0]] : rest;
  if (!path || rest.length > 2) return undefined;
  const answers = block.filter(({ words: [name = ""], block: inner }) => inner || !harmless.has(name));
  const [first, ...others] = answers;
  const answer = first && answerOf(first);
  if (!answer || !others.every((one) => answerOf(one) !== undefined)) return undefined;
  if (modifier === "~" || modifier === "~*") {
    // A header of a response is of no use for the match: the expression is case-insensitive with `~*`.
    const value = `${modifier === "~*" ? "(?i)" : ""}${path.startsWith("^") ? path.slice(1) : `.*(?:${path})`}`;
    return [{ kind: "location", match: "regex", path: value, answer }];
  }
  if (!/^\/[-._~/A-Za-z0-9]*$/.test(path) || !["", "=", "^~"].includes(modifier ?? "")) return undefined;
  return [{ kind: "location", match: modifier === "=" ? "exact" : "prefix", path, answer }];
}

function answerOf({ words, block }: NginxDirective): SnippetAnswer | undefined {
  if (block) return undefined;
  if (words.join(" ") === "deny all") return { status: 403 };
  const read = words[0] === "return" ? readAnswer(words) : undefined;
  return read?.when.length === 0 ? read.answer : undefined;
}
