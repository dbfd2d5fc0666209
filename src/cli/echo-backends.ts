import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { createSecureContext, TLSSocket } from "node:tls";
import { placeholderCertificate, placeholderKey } from "../assume/placeholder-pair.js";
import { type EchoServer, startEcho } from "../dev/echo.js";

/** An echo server in place of a cluster's endpoints; it accepts TLS and plain HTTP. */
export interface EchoBackend {
  readonly port: number;
  /** Number of requests so far. */
  requests(): number;
  /** Number of connections so far that began with TLS. */
  secured(): number;
  close(): Promise<void>;
}

/**
 * Starts an echo server that reports the name of a cluster. A connection that Envoy passes through may contain TLS,
 * which is terminated here.
 */
export async function startEchoBackend(cluster: string): Promise<EchoBackend> {
  const echo = await startEcho(cluster);
  const secureContext = createSecureContext({ cert: placeholderCertificate, key: placeholderKey });
  const open = new Set<Socket>();
  let secured = 0;
  const front = createServer((socket) => {
    track(open, socket);
    socket.once("readable", () => {
      const first = socket.read() as Buffer | null;
      if (first === null) return void socket.destroy();
      socket.unshift(first);
      const isTls = first[0] === handshake;
      if (isTls) secured += 1;
      join(isTls ? new TLSSocket(socket, { isServer: true, secureContext }) : socket, echo, open);
    });
  });
  await new Promise<void>((done, fail) => front.once("error", fail).listen(0, "127.0.0.1", done));
  return {
    port: (front.address() as AddressInfo).port,
    requests: () => echo.count(),
    secured: () => secured,
    close: async () => {
      for (const socket of open) socket.destroy();
      await new Promise((done) => front.close(done));
      await echo.close();
    },
  };
}

/** The type of the TLS records that begin a handshake; no HTTP request begins with it. */
const handshake = 0x16;

function track(open: Set<Socket>, socket: Socket): void {
  open.add(socket);
  socket.on("error", () => socket.destroy()).on("close", () => open.delete(socket));
}

function join(socket: Socket, { port }: EchoServer, open: Set<Socket>): void {
  const behind = connect(port, "127.0.0.1");
  track(open, behind);
  socket.on("error", () => behind.destroy()).on("close", () => behind.destroy());
  behind.on("close", () => socket.destroy());
  socket.pipe(behind).pipe(socket);
}
