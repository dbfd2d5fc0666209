import { type HeaderChanges, noHeaders } from "../../model.js";

/** What a snippet does, as far as that is certain. */
export interface Snippet {
  readonly requestHeaders: HeaderChanges;
  readonly responseHeaders: HeaderChanges;
  /** Directives that are not understood; they may restrict access. */
  readonly unknown: readonly string[];
}

/** Directives that change nothing that a client or a backend would miss. */
const harmless = new Set([
  "access_log",
  "client_max_body_size",
  "expires",
  "gzip",
  "proxy_buffer_size",
  "proxy_buffering",
  "proxy_buffers",
  "proxy_busy_buffers_size",
  "proxy_connect_timeout",
  "proxy_http_version",
  "proxy_pass_header",
  "proxy_read_timeout",
  "proxy_send_timeout",
  "server_tokens",
]);

/** nginx's variables that have an operator of Envoy. */
const variables: Readonly<Record<string, string>> = {
  $host: "%REQ(:AUTHORITY)%",
  $http_host: "%REQ(:AUTHORITY)%",
  $remote_addr: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
  $request_id: "%REQ(X-REQUEST-ID)%",
  $scheme: "%REQ(X-FORWARDED-PROTO)%",
};

/** Reads nginx configuration: headers that are set and removed. */
export function readSnippet(text: string): Snippet {
  const request: { set: [string, string][]; remove: string[] } = { set: [], remove: [] };
  const response: { set: [string, string][]; add: [string, string][]; remove: string[] } = {
    set: [],
    add: [],
    remove: [],
  };
  const unknown: string[] = [];
  for (const words of directives(text)) {
    const [name = "", first = "", second, ...rest] = words;
    const header = /^([A-Za-z0-9-]+):\s*(.*)$/s.exec(first);
    const value = valueOf(
      name === "more_set_headers" || name === "more_set_input_headers" ? (header?.[2] ?? "") : (second ?? ""),
    );
    if (harmless.has(name)) continue;
    if (name === "more_set_headers" && header?.[1] && second === undefined && value !== undefined)
      response.set.push([header[1], value]);
    else if (name === "more_set_input_headers" && header?.[1] && second === undefined && value !== undefined)
      request.set.push([header[1], value]);
    else if (
      name === "add_header" &&
      second !== undefined &&
      value !== undefined &&
      rest.every((one) => one === "always")
    )
      response.add.push([first, value]);
    else if ((name === "more_clear_headers" || name === "proxy_hide_header") && second === undefined)
      response.remove.push(first);
    else if (name === "proxy_set_header" && second === "") request.remove.push(first);
    else if (name === "proxy_set_header" && value !== undefined && first.toLowerCase() !== "host")
      request.set.push([first, value]);
    else unknown.push(name);
  }
  return {
    requestHeaders: { ...noHeaders, ...request },
    responseHeaders: { ...noHeaders, ...response },
    unknown: [...new Set(unknown)],
  };
}

/** A value with Envoy's operators in the place of nginx's variables; undefined with a variable that has none. */
function valueOf(text: string): string | undefined {
  let isKnown = true;
  const value = text.replace(/\$\{?(\w+)\}?/g, (_, name: string) => {
    const header = /^http_(\w+)$/.exec(name)?.[1];
    const operator =
      variables[`$${name}`] ?? (header ? `%REQ(${header.replaceAll("_", "-").toUpperCase()})%` : undefined);
    isKnown &&= operator !== undefined;
    return operator ?? "";
  });
  return isKnown ? value : undefined;
}

/** The words of each directive; a block is one directive of which only the name is read. */
function directives(text: string): string[][] {
  const found: string[][] = [];
  let words: string[] = [];
  let depth = 0;
  for (const [token] of text.matchAll(/#[^\n]*|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])*'|[{};]|[^\s{};"']+/gs)) {
    if (token.startsWith("#")) continue;
    if (token === "{") depth++;
    else if (token === "}") depth--;
    if (token === ";" || token === "{" || token === "}") {
      if (words.length > 0 && (depth === 0 || (token === "{" && depth === 1)))
        found.push(token === "{" ? [`${words[0] ?? ""} {}`] : words);
      words = [];
    } else words.push(/^["']/.test(token) ? token.slice(1, -1).replace(/\\(.)/g, "$1") : token);
  }
  if (words.length > 0) found.push(["text without an end"]);
  return found;
}
