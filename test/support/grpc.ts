import { createServer, type ServerHttp2Session, type ServerHttp2Stream } from "node:http2";
import type { AddressInfo } from "node:net";
import { onTestFinished } from "vitest";
import { messageType } from "./proto.js";

/** Handles one message of a unary method. */
export type GrpcMethod = (message: Buffer) => Uint8Array;

/** Starts a gRPC server without TLS on 127.0.0.1 that stops with the test; methods by path, unary and uncompressed. */
export async function startGrpc(
  methods: Readonly<Record<string, GrpcMethod>>,
): Promise<{ readonly port: number }> {
  const server = createServer();
  const sessions = new Set<ServerHttp2Session>();
  server.on("session", (session) => {
    sessions.add(session);
    session.on("close", () => sessions.delete(session));
  });
  server.on("stream", (stream, headers) => {
    const method = methods[headers[":path"] ?? ""];
    const chunks: Buffer[] = [];
    stream.on("error", () => stream.destroy());
    stream.on("data", (chunk: Buffer) => chunks.push(chunk));
    stream.on("end", () => answer(stream, method?.(Buffer.concat(chunks).subarray(FRAME_HEADER))));
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  onTestFinished(
    () =>
      new Promise((done) => {
        server.close(() => done());
        for (const session of sessions) session.destroy();
      }),
  );
  return { port: (server.address() as AddressInfo).port };
}

/** A compression flag and a length of four bytes. */
const FRAME_HEADER = 5;
const UNIMPLEMENTED = "12";

function answer(stream: ServerHttp2Stream, message: Uint8Array | undefined): void {
  const head = { ":status": 200, "content-type": "application/grpc" };
  if (message === undefined) {
    stream.respond({ ...head, "grpc-status": UNIMPLEMENTED }, { endStream: true });
    return;
  }
  stream.respond(head, { waitForTrailers: true });
  stream.on("wantTrailers", () => stream.sendTrailers({ "grpc-status": "0" }));
  const header = Buffer.alloc(FRAME_HEADER);
  header.writeUInt32BE(message.length, 1);
  stream.end(Buffer.concat([header, message]));
}

/** A message as proto3 JSON: enums by name, bytes as base64. */
export type Message = Readonly<Record<string, unknown>>;

/** A method of Envoy's API, from the JSON of its request to that of its response. */
export function envoyMethod(
  requestName: string,
  responseName: string,
  handle: (request: Message) => Message,
): GrpcMethod {
  const [input, output] = [messageType(requestName), messageType(responseName)];
  return (bytes) => {
    const request = input.toObject(input.decode(bytes), { enums: String, longs: Number, bytes: String });
    return output.encode(output.fromObject(handle(request))).finish();
  };
}
