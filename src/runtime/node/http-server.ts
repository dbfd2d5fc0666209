import { createServer as createHttp1 } from "node:http";
import { createServer as createHttp2 } from "node:http2";
import { createServer as createTcp, type Server, type Socket } from "node:net";
import type { getRequestListener } from "@hono/node-server";
import { sessionMegabytes } from "./https-server.js";

/** The beginning of every HTTP/2 connection; no HTTP/1.1 request begins so. */
const preface = Buffer.from("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
/** The time that Node's HTTP/1.1 server waits for the head of a request. */
const firstBytesMs = 60_000;

/**
 * A server for HTTP/1.1 and, without TLS too, HTTP/2 (with prior knowledge) on one port: Envoy's polls then share a
 * connection, and so reach one replica. The first bytes of a connection determine its protocol.
 */
export function createHttpServer(listener: ReturnType<typeof getRequestListener>): Server {
  const http1 = createHttp1(listener);
  const http2 = createHttp2({ maxSessionMemory: sessionMegabytes }, listener);
  const server = createTcp({ allowHalfOpen: true, noDelay: true }, (socket) => {
    socket.once("error", () => socket.destroy());
    socket.setTimeout(firstBytesMs, () => socket.destroy());
    readFirst(socket, Buffer.alloc(0), (first) => {
      socket.setTimeout(0).removeAllListeners("timeout");
      socket.unshift(first);
      (first.indexOf(preface) === 0 ? http2 : http1).emit("connection", socket);
    });
  });
  // Neither server listens itself, but these events start and end the request timeouts of the HTTP/1.1 server.
  server.once("listening", () => http1.emit("listening")).once("close", () => http1.close());
  return server;
}

/** Reads until it is certain whether a connection begins with the preface. */
function readFirst(socket: Socket, before: Buffer, then: (first: Buffer) => void): void {
  socket.once("readable", () => {
    const chunk = socket.read() as Buffer | null;
    if (chunk === null) return void socket.destroy();
    const first = Buffer.concat([before, chunk]);
    if (first.length < preface.length && preface.indexOf(first) === 0) readFirst(socket, first, then);
    else then(first);
  });
}
