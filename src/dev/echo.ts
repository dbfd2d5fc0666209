import { createHash } from "node:crypto";
import { createServer, type IncomingMessage, type Server } from "node:http";
import { type AddressInfo, createServer as createTcpServer, type Socket } from "node:net";
import type { Duplex } from "node:stream";

/** A backend that runs in this process on 127.0.0.1. */
export interface EchoServer {
  readonly service: string;
  readonly port: number;
  /** Requests (or, for TCP, connections) answered so far. */
  count(): number;
  close(): Promise<void>;
}

/** The answer of an echo backend, as JSON. */
export interface Echo {
  readonly service: string;
  readonly method: string;
  readonly path: string;
  readonly host: string;
  readonly headers: Readonly<Record<string, string | readonly string[]>>;
}

/**
 * Starts an HTTP backend that answers every request with an {@link Echo}, and an upgrade to a websocket by sending
 * each frame back.
 *
 * @param port 0 for a free one.
 * @throws errors of the operating system, such as EADDRINUSE.
 */
export async function startEcho(service: string, port = 0): Promise<EchoServer> {
  let count = 0;
  const server = createServer({ keepAliveTimeout: 60_000 }, (request, response) => {
    count += 1;
    request.resume();
    response.setHeader("content-type", "application/json");
    response.end(`${JSON.stringify(describe(service, request))}\n`);
  });
  server.on("upgrade", (request, socket, head) => {
    count += 1;
    echoWebSocket(service, request, socket, head);
  });
  return listen(service, server, port, () => count);
}

/** Starts a TCP backend that greets with `service\n` and then sends every byte back. */
export async function startTcpEcho(service: string, port = 0): Promise<EchoServer> {
  let count = 0;
  const server = createTcpServer((socket) => {
    count += 1;
    socket.on("error", () => socket.destroy());
    socket.write(`${service}\n`);
    socket.pipe(socket);
  });
  return listen(service, server, port, () => count);
}

const describe = (service: string, request: IncomingMessage): Echo => ({
  service,
  method: request.method ?? "",
  path: request.url ?? "",
  host: request.headers.host ?? "",
  headers: Object.fromEntries(Object.entries(request.headers).map(([name, value]) => [name, value ?? ""])),
});

async function listen(
  service: string,
  server: Server | ReturnType<typeof createTcpServer>,
  port: number,
  count: () => number,
): Promise<EchoServer> {
  const sockets = new Set<Socket>();
  server.on("connection", (socket: Socket) => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
  });
  await new Promise<void>((done, fail) => {
    server.once("error", fail);
    server.listen(port, "127.0.0.1", done);
  });
  const close = (): Promise<void> =>
    new Promise((done) => {
      server.close(() => done());
      for (const socket of sockets) socket.destroy();
    });
  return { service, port: (server.address() as AddressInfo).port, count, close };
}

/** RFC 6455 §1.3: the fixed text in the handshake of a websocket server. */
const WEBSOCKET_GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";

function echoWebSocket(service: string, request: IncomingMessage, socket: Duplex, head: Buffer): void {
  const key = request.headers["sec-websocket-key"] ?? "";
  const accept = createHash("sha1").update(`${key}${WEBSOCKET_GUID}`).digest("base64");
  const lines = [
    "HTTP/1.1 101 Switching Protocols",
    "upgrade: websocket",
    "connection: Upgrade",
    `sec-websocket-accept: ${accept}`,
    `x-echo-service: ${service}`,
  ];
  socket.on("error", () => socket.destroy());
  socket.write(`${lines.join("\r\n")}\r\n\r\n`);
  let pending = head;
  const answer = (chunk: Buffer): void => {
    pending = Buffer.concat([pending, chunk]);
    for (let frame = readFrame(pending); frame !== undefined; frame = readFrame(pending)) {
      pending = pending.subarray(frame.length);
      socket.write(writeFrame(frame.opcode, frame.payload));
      if (frame.opcode === CLOSE) socket.end();
    }
  };
  answer(Buffer.alloc(0));
  socket.on("data", answer);
}

const CLOSE = 8;

/** The first websocket frame in `bytes` (RFC 6455 §5.2); undefined while it is incomplete. */
export function readFrame(bytes: Buffer): { opcode: number; payload: Buffer; length: number } | undefined {
  const second = bytes[1];
  if (second === undefined) return undefined;
  const short = second & 0x7f;
  const masked = second >= 0x80;
  const extended = short === 126 ? 2 : short === 127 ? 8 : 0;
  const start = 2 + extended + (masked ? 4 : 0);
  if (bytes.length < start) return undefined;
  const size =
    extended === 0 ? short : extended === 2 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
  if (bytes.length < start + size) return undefined;
  const payload = Buffer.from(bytes.subarray(start, start + size));
  if (masked) {
    const mask = bytes.subarray(start - 4, start);
    for (let i = 0; i < size; i += 1) payload.writeUInt8(payload.readUInt8(i) ^ (mask[i % 4] ?? 0), i);
  }
  return { opcode: bytes.readUInt8(0) & 0x0f, payload, length: start + size };
}

/** A complete frame with a payload below 64 KiB; a client passes a mask of four bytes, a server none. */
export function writeFrame(opcode: number, payload: Buffer, mask?: Buffer): Buffer {
  const long = payload.length > 125;
  const header = Buffer.alloc(long ? 4 : 2);
  header.writeUInt8(0x80 | opcode, 0);
  header.writeUInt8((mask === undefined ? 0 : 0x80) | (long ? 126 : payload.length), 1);
  if (long) header.writeUInt16BE(payload.length, 2);
  if (mask === undefined) return Buffer.concat([header, payload]);
  const body = payload.map((byte, i) => byte ^ (mask[i % 4] ?? 0));
  return Buffer.concat([header, mask, body]);
}
