import { request as httpRequest, type IncomingHttpHeaders, type IncomingMessage } from "node:http";
import { request as httpsRequest } from "node:https";
import { connect, type TLSSocket } from "node:tls";
import type { ClientRequest } from "../explain/request.js";

/** The response that a client received. */
export interface Answered {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** The server's certificate in DER; undefined without TLS. */
  readonly certificate: Buffer | undefined;
}

const answerMs = 15_000;

/**
 * Sends a request to a port of 127.0.0.1. Returns undefined when the connection is closed without an answer. @throws
 * Error when no answer comes in time.
 */
export function sendTo(
  port: number,
  { method, scheme, serverName, authority, path, query, headers }: ClientRequest,
): Promise<Answered | undefined> {
  const common = {
    host: "127.0.0.1",
    port,
    method,
    path: query === undefined ? path : `${path}?${query}`,
    headers: { ...Object.fromEntries(headers), host: authority },
    agent: false,
    timeout: answerMs,
  };
  return new Promise((done, fail) => {
    let isLate = false;
    const sent =
      scheme === "http"
        ? httpRequest(common)
        : httpsRequest({ ...common, servername: serverName, rejectUnauthorized: false });
    sent.on("timeout", () => {
      isLate = true;
      sent.destroy();
    });
    sent.on("error", () =>
      isLate
        ? fail(new Error(`Envoy does not answer ${method} ${path} within ${answerMs / 1000} s`))
        : done(undefined),
    );
    const read = (response: IncomingMessage): void => {
      const certificate =
        scheme === "https" ? (response.socket as TLSSocket).getPeerCertificate().raw : undefined;
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("close", () =>
        done({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: Buffer.concat(chunks).toString(),
          certificate,
        }),
      );
    };
    sent.on("response", read);
    for (const event of ["connect", "upgrade"] as const)
      sent.on(event, (response: IncomingMessage, socket) => {
        socket.destroy();
        done({
          status: response.statusCode ?? 0,
          headers: response.headers,
          body: "",
          certificate: undefined,
        });
      });
    sent.end();
  });
}

/** Whether a server accepts TLS with `maxVersion` as the highest version. */
export function takesTls(
  port: number,
  serverName: string,
  maxVersion: "TLSv1.2" | "TLSv1.3",
): Promise<boolean> {
  return new Promise((done) => {
    const socket = connect({
      host: "127.0.0.1",
      port,
      servername: serverName,
      rejectUnauthorized: false,
      maxVersion,
    });
    const end = (isTaken: boolean): void => {
      socket.destroy();
      done(isTaken);
    };
    socket.setTimeout(answerMs, () => end(false));
    socket.on("error", () => end(false)).on("secureConnect", () => end(true));
  });
}
