/** Kubernetes' rule for header names, which Contour applies too. */
const token = /^[A-Za-z0-9-]+$/;
// Envoy rejects a route table that adds or removes one of these headers.
const reserved = new Set(["host", "content-length", "transfer-encoding", "connection", "upgrade"]);

/** `Foo-Bar` for `foo-bar`: the spelling in which duplicates are found. */
export const canonicalHeader = (name: string): string =>
  name.toLowerCase().replace(/(^|-)[a-z]/g, (letter) => letter.toUpperCase());

/** The reason why a header can't be set or removed; undefined when it can. */
export function headerNameProblem(name: string): string | undefined {
  if (!token.test(name)) return "a header name consists of letters, digits and -";
  if (name.length > 1024) return "a header name has at most 1024 characters";
  if (reserved.has(name.toLowerCase())) return "this header can't be set or removed here";
  return undefined;
}

const encoder = new TextEncoder();
const byteLength = (text: string): number => encoder.encode(text).length;

/** The reason why Envoy rejects text as the host of requests, which is also the TLS server name to a backend. */
export const hostValueProblem = (value: string): string | undefined =>
  byteLength(value) > 255 ? "a host has at most 255 bytes" : headerValueProblem(value);

/** The reason why Envoy rejects text as the value of a header. */
export function headerValueProblem(value: string): string | undefined {
  if (byteLength(value) > 8192) return "the value is longer than 8192 bytes";
  // biome-ignore lint/suspicious/noControlCharactersInRegex: the pattern finds control characters
  if (/[\u0000-\u0008\u000a-\u001f\u007f]/.test(value)) return "the value contains a control character";
  return undefined;
}

/** The request header NAME when a value of `Host` is `%REQ(NAME)%`. */
export const hostHeader = (value: string): string | undefined =>
  /^%REQ\(([A-Za-z0-9-]+)\)%$/.exec(value)?.[1];

/**
 * The problem of headers that settings set on every route, with the key. Only requests can set `Host`, and only to a
 * literal: Envoy can't rewrite it from a header for one of several clusters.
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
