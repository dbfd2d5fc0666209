import { X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import {
  createSecureServer,
  type Http2SecureServer,
  Http2ServerRequest,
  type SecureServerOptions,
} from "node:http2";
import type { Server, Socket } from "node:net";
import { createSecureContext } from "node:tls";
import type { getRequestListener, Http2Bindings, HttpBindings } from "@hono/node-server";
import type { Context } from "hono";
import type { Log } from "../../log/log.js";
import { messageOf } from "../../schema/words.js";
import { ChangedFiles } from "./changed-files.js";
import { readOptionFile } from "./start-errors.js";

/** PEM files for serving https. */
export interface TlsFiles {
  readonly certFile: string;
  readonly keyFile: string;
}

const lookMs = 1000;

/**
 * Envoy uses one stream of its connection per held poll; Node's default of 10 MB would refuse streams beyond some
 * thousands.
 */
export const sessionMegabytes = 512;

/** Options of a server for HTTP/2 and HTTP/1.1 over TLS. @throws the errors of `readPair`. */
export const httpsOptions = (files: TlsFiles): SecureServerOptions => ({
  ...readPair(files),
  allowHTTP1: true,
  minVersion: "TLSv1.2",
  maxSessionMemory: sessionMegabytes,
});

/** A server for HTTP/2 and HTTP/1.1 over TLS. */
export const createHttpsServer = (
  options: SecureServerOptions,
  listener: ReturnType<typeof getRequestListener>,
): Http2SecureServer => createSecureServer(options, listener);

/** @throws Error naming the files when they can't be read, or are not a certificate with its key. */
function readPair({ certFile, keyFile }: TlsFiles): { cert: string; key: string } {
  const pair = {
    cert: readOptionFile("--tls-cert-file", certFile, "give the certificate chain in PEM"),
    key: readOptionFile("--tls-key-file", keyFile, "give the certificate's private key in PEM"),
  };
  try {
    createSecureContext(pair);
    return pair;
  } catch (error) {
    const message = messageOf(error);
    throw new Error(
      `--tls-cert-file ${certFile} and --tls-key-file ${keyFile} are not a certificate and its private key (PEM): ${message}`,
    );
  }
}

/**
 * Why clients refuse a certificate at the time `now` (ms since the epoch), in one line; undefined while it is valid.
 */
export function untimelyCertificate({ certFile }: TlsFiles, now: number): string | undefined {
  const { validFrom, validTo } = new X509Certificate(readFileSync(certFile));
  if (now > Date.parse(validTo)) return `${certFile} expired on ${validTo}: Envoys refuse it; renew it`;
  if (now < Date.parse(validFrom))
    return `${certFile} is valid only from ${validFrom}: Envoys refuse it until then; check the clocks, or renew it`;
  return undefined;
}

/** When the certificate of the server ends, in ms since the epoch; undefined while its file can't be read. */
export function certificateEnd({ certFile }: TlsFiles): number | undefined {
  try {
    return Date.parse(new X509Certificate(readFileSync(certFile)).validTo);
  } catch {
    return undefined;
  }
}

/** The certificate of the server, in DER; undefined while its file can't be read. */
export function shownCertificate({ certFile }: TlsFiles): Buffer | undefined {
  try {
    return new X509Certificate(readFileSync(certFile)).raw;
  } catch {
    return undefined;
  }
}

/** Renews the certificate of a running server: existing connections stay, new ones get the new certificate. */
export class RenewedCertificate {
  readonly #changes: ChangedFiles;
  readonly #timer: NodeJS.Timeout;
  #reported = "";

  constructor(
    private readonly server: Pick<Http2SecureServer, "setSecureContext">,
    private readonly files: TlsFiles,
    private readonly log: Log,
  ) {
    this.#changes = new ChangedFiles([files.certFile, files.keyFile]);
    this.#timer = setInterval(() => this.#check(), lookMs).unref();
  }

  #check(): void {
    try {
      if (!this.#changes.changed() && this.#reported === "") return;
    } catch (error) {
      this.#keep(error);
      return;
    }
    this.reload();
  }

  /** Reads the files now; the current certificate stays if they are not valid. */
  reload(): void {
    try {
      this.server.setSecureContext({ ...readPair(this.files), minVersion: "TLSv1.2" });
      this.#reported = "";
      this.log(`${this.files.certFile}: new connections get the new certificate`, "certificate-reloaded", {
        file: this.files.certFile,
      });
      const untimely = untimelyCertificate(this.files, Date.now());
      if (untimely) this.log(untimely, "certificate-out-of-date");
    } catch (error) {
      this.#keep(error);
    }
  }

  /** Logs each problem once; the files are checked until they are valid. */
  #keep(error: unknown): void {
    const text = messageOf(error);
    if (text !== this.#reported)
      this.log(`keeping the last valid certificate: ${text}`, "certificate-not-read");
    this.#reported = text;
  }

  close(): void {
    clearInterval(this.#timer);
  }
}

/** The connections of a server, to close them all: Node's HTTP/2 server has no list of them. */
export function connectionsOf(server: Server): { destroy(): void } {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.once("close", () => sockets.delete(socket));
  });
  return {
    destroy() {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/**
 * Makes a client send its next request on another connection: over HTTP/2 with GOAWAY, after which running requests
 * are still answered.
 */
export function leaveConnection(c: Context): void {
  const { incoming } = c.env as HttpBindings | Http2Bindings;
  if (incoming instanceof Http2ServerRequest) incoming.stream.session?.close();
  else c.header("connection", "close");
}
