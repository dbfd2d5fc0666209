import type { AddressInfo } from "node:net";
import { connect, createServer, type Socket } from "node:net";

/** A proxy for connections to a port of 127.0.0.1, which can simulate failures. */
export interface TcpProxy {
  readonly port: number;
  /** Stops forwarding on existing connections, which stay open; new ones work. */
  silence(): void;
  /** Resets existing connections. */
  cut(): void;
  /** Resets each connection that is idle for this time; 0: none. */
  cutIdleAfter(ms: number): void;
  close(): Promise<void>;
}

interface Pair {
  readonly sockets: readonly [Socket, Socket];
  usedAt: number;
  silent: boolean;
}

/** Starts a proxy for a port. */
export async function startTcpProxy(target: number): Promise<TcpProxy> {
  const pairs = new Set<Pair>();
  let idleMs = 0;
  const server = createServer((client) => {
    const upstream = connect(target, "127.0.0.1");
    const pair: Pair = { sockets: [client, upstream], usedAt: Date.now(), silent: false };
    pairs.add(pair);
    const pass = (from: Socket, to: Socket): void => {
      from.on("data", (chunk) => {
        pair.usedAt = Date.now();
        if (!pair.silent) to.write(chunk);
      });
      from.on("end", () => pair.silent || to.end());
      from.on("error", () => to.destroy());
      from.on("close", () => {
        pairs.delete(pair);
        if (!pair.silent) to.destroy();
      });
    };
    pass(client, upstream);
    pass(upstream, client);
  });
  const reset = ({ sockets }: Pair): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const timer = setInterval(() => {
    for (const pair of pairs) if (idleMs > 0 && Date.now() - pair.usedAt >= idleMs) reset(pair);
  }, 50);
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  return {
    port: (server.address() as AddressInfo).port,
    silence: () => {
      for (const pair of pairs) pair.silent = true;
    },
    cut: () => pairs.forEach(reset),
    cutIdleAfter: (ms) => {
      idleMs = ms;
    },
    close: async () => {
      clearInterval(timer);
      pairs.forEach(reset);
      await new Promise((done) => server.close(done));
    },
  };
}
