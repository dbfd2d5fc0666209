import { createServer, type IncomingHttpHeaders, type IncomingMessage, type ServerResponse } from "node:http";
import { createServer as createTlsServer, type ServerOptions } from "node:https";
import type { AddressInfo } from "node:net";
import { text } from "node:stream/consumers";
import type { TLSSocket } from "node:tls";
import { onTestFinished } from "vitest";
import { endpointSlice, type Manifest, service } from "./backend.js";

/** A request that a backend received. */
export interface Seen {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Common name of Envoy's client certificate, over TLS. */
  readonly client: string | undefined;
  /** The server name (SNI) of Envoy's connection, over TLS. */
  readonly sni: string | undefined;
}

export interface HttpBackend {
  readonly port: number;
  /** Its Service and endpoint, in namespace `default`. */
  readonly objects: readonly Manifest[];
  readonly requests: readonly Seen[];
}

export type Handler = (request: Seen, response: ServerResponse) => void;

const ok: Handler = (_, response) => void response.end("ok\n");

/** Starts an HTTP server on 127.0.0.1 (HTTPS with `tls`) that calls `handle` and stops with the test. */
export async function startHttp(
  name: string,
  handle: Handler = ok,
  tls?: ServerOptions,
): Promise<HttpBackend> {
  const requests: Seen[] = [];
  const take = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    const seen: Seen = {
      method: request.method ?? "",
      path: request.url ?? "",
      headers: request.headers,
      body: await text(request),
      client: tls && clientName(request.socket as TLSSocket),
      sni: tls && ((request.socket as TLSSocket & { servername?: string }).servername ?? ""),
    };
    requests.push(seen);
    handle(seen, response);
  };
  const listener = (request: IncomingMessage, response: ServerResponse): void =>
    void take(request, response).catch(() => response.destroy());
  const options = { keepAliveTimeout: 60_000 };
  const server = tls ? createTlsServer({ ...options, ...tls }, listener) : createServer(options, listener);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(
    () =>
      new Promise((done) => {
        server.close(() => done());
        server.closeAllConnections();
      }),
  );
  const { port } = server.address() as AddressInfo;
  const objects = [service("default", name), endpointSlice("default", name, port)];
  return { port, objects, requests };
}

function clientName(socket: TLSSocket): string | undefined {
  const name = socket.getPeerCertificate().subject?.CN;
  return Array.isArray(name) ? name[0] : name;
}
