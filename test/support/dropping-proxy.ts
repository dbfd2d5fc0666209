import { connect, createServer, type Socket } from "node:net";
import { onTestFinished } from "vitest";
import { freePort } from "./http.js";

/** Forwards each connection to the port that `target` returns for it. */
export interface DroppingProxy {
  readonly port: number;
  /** Drops all bytes from now on, on open and new connections, like a network that drops packets. */
  cut(): void;
  /** Closes the connections that were cut, and forwards new ones. */
  mend(): void;
}

/** Starts a proxy that stops with the test. It refuses a connection without a target. */
export async function startDroppingProxy(target: () => number | undefined): Promise<DroppingProxy> {
  const port = await freePort();
  const sockets = new Set<Socket>();
  let isCut = false;
  const keep = (socket: Socket, other?: Socket): void => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    socket.on("close", () => {
      sockets.delete(socket);
      if (!isCut) other?.destroy();
    });
  };
  const server = createServer((inner) => {
    const to = target();
    if (to === undefined) {
      inner.resetAndDestroy();
      return;
    }
    if (isCut) {
      keep(inner);
      return;
    }
    const outer = connect(to, "127.0.0.1");
    keep(inner, outer);
    keep(outer, inner);
    inner.pipe(outer).pipe(inner);
  });
  await new Promise<void>((resolve) => server.listen(port, "127.0.0.1", resolve));
  const destroyAll = (): void => {
    for (const socket of sockets) socket.destroy();
  };
  onTestFinished(() => {
    destroyAll();
    server.close();
  });
  return {
    port,
    cut() {
      isCut = true;
      for (const socket of sockets) socket.unpipe().pause();
    },
    mend() {
      isCut = false;
      destroyAll();
    },
  };
}
