import { parseNginx } from "../../../schema/nginx-syntax.js";
import { type HeaderChanges, noHeaders } from "../../model.js";

/** The effects of a snippet, as far as they are certain. */
export interface SnippetEffects {
  readonly requestHeaders: HeaderChanges;
  readonly responseHeaders: HeaderChanges;
  /** Directives that the reader does not support. They may restrict access. */
  readonly unknown: readonly string[];
}

/** Directives without an effect on which a client or a backend depends. */
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

/** The variables of nginx that have an equivalent operator of Envoy. */
const variables: Readonly<Record<string, string>> = {
  $host: "%REQ(:AUTHORITY)%",
  $http_host: "%REQ(:AUTHORITY)%",
  $remote_addr: "%DOWNSTREAM_REMOTE_ADDRESS_WITHOUT_PORT%",
  $request_id: "%REQ(X-REQUEST-ID)%",
  $scheme: "%REQ(X-FORWARDED-PROTO)%",
};

/** The effects that were read so far. */
interface Reading {
  readonly request: { set: [string, string][]; remove: string[] };
  readonly response: { set: [string, string][]; add: [string, string][]; remove: string[] };
}

/** Reads the headers that nginx configuration sets and removes. */
export function readSnippet(text: string): SnippetEffects {
  const reading: Reading = { request: { set: [], remove: [] }, response: { set: [], add: [], remove: [] } };
  const unknown = new Set<string>();
  for (const words of directives(text)) {
    const [name = ""] = words;
    if (!harmless.has(name) && !readDirective(words, reading)) unknown.add(name);
  }
  return {
    requestHeaders: { ...noHeaders, ...reading.request },
    responseHeaders: { ...noHeaders, ...reading.response },
    unknown: [...unknown],
  };
}

/** Reads a directive. Returns whether the reader supports it. */
function readDirective(words: readonly string[], { request, response }: Reading): boolean {
  const [name, first = "", second, ...rest] = words;
  const [, headerName = "", inner] = /^([A-Za-z0-9-]+):\s*(.*)$/s.exec(first) ?? [];
  const value = withOperators(inner !== undefined && second === undefined ? inner : (second ?? ""));
  const isAlone = second === undefined && inner !== undefined;
  if (value === undefined) return false;
  switch (name) {
    case "more_set_headers":
      if (isAlone) response.set.push([headerName, value]);
      return isAlone;
    case "more_set_input_headers":
      if (isAlone) request.set.push([headerName, value]);
      return isAlone;
    case "add_header":
      if (second === undefined || rest.some((one) => one !== "always")) return false;
      response.add.push([first, value]);
      return true;
    case "more_clear_headers":
    case "proxy_hide_header":
      response.remove.push(first);
      return second === undefined;
    case "proxy_set_header":
      if (second === undefined || first.toLowerCase() === "host") return false;
      if (second === "") request.remove.push(first);
      else request.set.push([first, value]);
      return true;
    default:
      return false;
  }
}

/** A value with Envoy's operators in place of nginx's variables; undefined if a variable has no equivalent. */
function withOperators(text: string): string | undefined {
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

/** The words of each directive. A block is one directive, and only its name is read. */
const directives = (text: string): readonly (readonly string[])[] =>
  parseNginx(text)?.map(({ words, block }) => (block ? [`${words[0] ?? ""} {}`] : words)) ?? [
    ["text that is not nginx's syntax"],
  ];
