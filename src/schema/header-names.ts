/** Kubernetes' rule for header names, which Contour goes by. */
const token = /^[A-Za-z0-9-]+$/;
// Envoy refuses a route table with any of these in headers to add or remove.
const reserved = new Set(["host", "content-length", "transfer-encoding", "connection", "upgrade"]);

/** `Foo-Bar` for `foo-bar`: the spelling that duplicates are looked for in. */
export const canonicalHeader = (name: string): string =>
  name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());

/** Why a header can't be set or removed. */
export function headerNameProblem(name: string): string | undefined {
  if (!token.test(name)) return "a header name consists of letters, digits and -";
  if (name.length > 1024) return "a header name has at most 1024 characters";
  if (reserved.has(name.toLowerCase())) return "this header can't be set or removed here";
  return undefined;
}

const encoder = new TextEncoder();
const byteLength = (text: string): number => encoder.encode(text).length;

/** Why Envoy would not take text for the host of requests, which is also the server name of TLS to a backend. */
export const hostValueProblem = (value: string): string | undefined =>
  byteLength(value) > 255 ? "a host has at most 255 bytes" : headerValueProblem(value);

/** Why Envoy would not take text as a header's value. */
export function headerValueProblem(value: string): string | undefined {
  if (byteLength(value) > 8192) return "the value is longer than 8192 bytes";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is looked for
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) return "the value holds a control character";
  return undefined;
}

/** The request header that a value of `Host` is to be taken from, where it is `%REQ(NAME)%`. */
export const hostHeader = (value: string): string | undefined =>
  /^%REQ\(([A-Za-z0-9-]+)\)%$/.exec(value)?.[1];

/**
 * What is wrong with headers that settings set on every route, with the key in question. Of `Host`, only a request has
 * one, and only a literal: Envoy can't rewrite it from a header for one cluster of several.
 */
export function defaultHeadersProblem(
  set: Readonly<Record<string, string>>,
  kind: "request" | "response",
): { readonly key: string; readonly message: string } | undefined {
  const seen = new Set<string>();
  for (const [key, value] of Object.entries(set)) {
    const name = canonicalHeader(key);
    const isHost = name === "Host" && kind === "request";
    const message =
      (seen.has(name) ? `sets ${name} a second time` : undefined) ??
      (isHost ? undefined : headerNameProblem(key)) ??
      (isHost ? hostValueProblem : headerValueProblem)(value) ??
      (isHost && /%REQ\(/.test(value)
        ? "rewriting Host with a dynamic value is not supported here"
        : undefined);
    if (message) return { key, message };
    seen.add(name);
  }
  return undefined;
}
