import { type AddressInfo, connect, createServer, type Socket } from "node:net";
import { request } from "../../support/http.js";

export interface BalancerOptions {
  /**
   * `spread`: each connection to the next server. `sticky`: to the previous one while it is ready (ClientIP affinity).
   */
  readonly policy: "spread" | "sticky";
  /** Requests `/readyz` every second, and sends no new connections to a server that does not answer 200. */
  readonly readiness: boolean;
}

/** A TCP balancer that works like a Service: open connections stay with their server. */
export interface Balancer {
  readonly port: number;
  /** The server that new connections of the policy `sticky` go to. */
  stickTo(index: number): void;
  /** Readiness of the servers, by index. */
  ready(): readonly boolean[];
  close(): Promise<void>;
}

const checkMs = 1000;

export async function startBalancer(ports: readonly number[], options: BalancerOptions): Promise<Balancer> {
  const ready = ports.map(() => true);
  let next = 0;
  /** In the order of attempts. */
  const candidates = (): number[] => {
    const first = options.policy === "spread" ? next++ : next;
    const order = ports.map((_, i) => (first + i) % ports.length);
    const fit = order.filter((i) => ready[i]);
    // Like kube-proxy without ready endpoints, so that clients can detect a fleet without a ready server.
    return fit;
  };
  const sockets = new Set<Socket>();
  const track = (socket: Socket): Socket => {
    sockets.add(socket);
    socket.on("close", () => sockets.delete(socket));
    return socket;
  };
  const join = (client: Socket, [first, ...others]: readonly number[]): void => {
    if (first === undefined) return void client.resetAndDestroy();
    const server = track(connect({ host: "127.0.0.1", port: ports[first] ?? 0 }));
    let connected = false;
    server.once("connect", () => {
      connected = true;
      if (options.policy === "sticky") next = first;
      client.pipe(server);
      server.pipe(client);
    });
    server.on("error", () => {
      if (connected) client.resetAndDestroy();
      else join(client, others);
    });
    client.on("error", () => server.destroy());
    client.on("close", () => server.destroy());
    server.on("close", () => {
      if (connected) client.destroy();
    });
  };
  const server = createServer((client) => join(track(client), candidates()));
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const check = async (i: number): Promise<void> => {
    const asked = request({ port: ports[i] ?? 0, path: "/readyz" }).then(({ status }) => status === 200);
    const late = new Promise<boolean>((done) => setTimeout(() => done(false), checkMs));
    ready[i] = await Promise.race([asked.catch(() => false), late]);
  };
  const checks = options.readiness
    ? setInterval(() => void Promise.all(ports.map((_, i) => check(i))), checkMs)
    : undefined;
  return {
    port: (server.address() as AddressInfo).port,
    stickTo: (index) => {
      next = index;
    },
    ready: () => ready,
    close: async () => {
      clearInterval(checks);
      for (const socket of sockets) socket.destroy();
      await new Promise((done) => server.close(done));
    },
  };
}
