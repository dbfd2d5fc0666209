import { readFileSync } from "node:fs";
import { request as httpRequest, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { json } from "node:stream/consumers";
import { rootCertificates } from "node:tls";

/** One request to a running server. */
export interface ServerRequest {
  readonly method: "GET" | "PUT" | "POST";
  readonly headers: Readonly<Record<string, string>>;
  readonly body?: Uint8Array;
  /** PEM file of authorities to trust in addition to those of Node. */
  readonly caFile?: string;
}

export interface ServerAnswer {
  readonly status: number;
  /** The body, parsed as JSON. */
  readonly answer: unknown;
}

/** Time limit without data from the server: a push of ten thousand applications takes seconds. */
const silenceMs = 300_000;

/**
 * Sends a request to a server. Redirects are not followed, so that a token is sent only to the named server.
 *
 * @throws Error of one line (problem, server, remedy) when there is no JSON answer.
 */
export async function ask(url: URL, { method, headers, body, caFile }: ServerRequest): Promise<ServerAnswer> {
  const ca = caFile === undefined ? undefined : [...rootCertificates, readFileSync(caFile, "utf8")];
  const options = { method, headers: { ...headers, ...lengthOf(body) }, timeout: silenceMs };
  try {
    const response = await new Promise<IncomingMessage>((resolve, reject) => {
      const sent =
        url.protocol === "https:"
          ? httpsRequest(url, { ...options, ...(ca ? { ca } : {}) })
          : httpRequest(url, options);
      sent.on("timeout", () => sent.destroy(new Error(`no answer in ${silenceMs / 1000} s`)));
      sent.on("error", reject).on("response", resolve);
      sent.end(body);
    });
    const status = response.statusCode ?? 0;
    if (status >= 300 && status < 400)
      throw new Error(
        `it redirects (${status}) to ${response.headers.location ?? "no location"}; use that URL`,
      );
    return { status, answer: await json(response) };
  } catch (error) {
    throw new Error(`can't reach ${url.origin}: ${reasonOf(error, url)}`);
  }
}

const lengthOf = (body: Uint8Array | undefined): Record<string, string> =>
  body ? { "content-length": String(body.length) } : {};

const unknownAuthority =
  "its certificate comes from an authority that is not trusted here; give the authority's file with --ca-file";

/** Remedies for errors of connections and certificates, by Node's codes. */
const advice: Readonly<Record<string, (url: URL) => string>> = {
  SELF_SIGNED_CERT_IN_CHAIN: () => unknownAuthority,
  DEPTH_ZERO_SELF_SIGNED_CERT: () => unknownAuthority,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: () => unknownAuthority,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: () => unknownAuthority,
  CERT_HAS_EXPIRED: () => "its certificate has expired; renew it",
  CERT_NOT_YET_VALID: () => "its certificate is not valid yet; check the clocks of both machines",
  ERR_TLS_CERT_ALTNAME_INVALID: ({ hostname }) =>
    `its certificate is not for ${hostname}; use one of its names, or renew it with this name`,
  EPROTO: () => "the port does not use TLS, or no TLS version that is allowed here; check the URL",
  ECONNREFUSED: () => "nothing listens there; check the URL, and whether the server runs",
  ENOTFOUND: ({ hostname }) => `the name ${hostname} has no address; check the URL`,
};

function reasonOf(error: unknown, url: URL): string {
  if (error instanceof AggregateError) return reasonOf(error.errors[0], url);
  if (error instanceof SyntaxError)
    return "the answer is not JSON; check the URL, which may belong to another server";
  if (!(error instanceof Error)) return String(error);
  const code = "code" in error ? String(error.code) : "";
  return advice[code]?.(url) ?? error.message;
}
