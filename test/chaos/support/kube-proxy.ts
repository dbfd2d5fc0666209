import type { IncomingMessage, ServerResponse } from "node:http";
import { Agent, createServer, request as httpsRequest } from "node:https";
import type { AddressInfo, Socket } from "node:net";
import { text } from "node:stream/consumers";
import { certificateText } from "../../bench/certificates.js";
import type { Manifest } from "../../support/backend.js";

/** A request of a server to its API server. */
export interface Asked {
  readonly verb: "list" | "watch" | "get" | "write";
  /** Such as `httpproxies`. */
  readonly plural: string;
  readonly path: string;
  /** The token of the client. */
  readonly token: string;
}

/** What happens to a request instead of its answer. */
export type Fault =
  /** No answer; the connection stays open. */
  | { readonly kind: "hang" }
  /** The connection is reset. */
  | { readonly kind: "cut" }
  | { readonly kind: "delay"; readonly ms: number }
  | { readonly kind: "status"; readonly code: number }
  /** A watch that ends at once without an event. */
  | { readonly kind: "end" }
  /** A watch with a version that is too old: status 200 and an event with code 410. */
  | { readonly kind: "gone" }
  /** The items of a list are changed by the proxy. */
  | { readonly kind: "items"; change(items: readonly Manifest[]): readonly Manifest[] };

/** The fault of a request; undefined: the request is forwarded. */
type Rule = (asked: Asked) => Fault | undefined;

/** A proxy between one server and the real API server. */
export interface KubeProxy {
  readonly port: number;
  /** Number of requests so far, and the maximum in one second. */
  requests(): number;
  busiestSecond(): number;
  /** Adds a rule; the returned function removes it. */
  inject(rule: Rule): () => void;
  /** Stops all data on the open connections without closing them. New connections work. */
  silence(): void;
  /** Resets all connections. */
  cut(): void;
  /** Resets connections without data for this time, as load balancers do. 0: none. */
  cutIdleAfter(ms: number): void;
  /** Resets all connections, existing and new ones, until `up`. */
  down(): void;
  up(): void;
  close(): Promise<void>;
}

function askedOf({ method, url = "", headers }: IncomingMessage): Asked {
  const [path = "", query = ""] = url.split("?");
  const parts = path.split("/").filter((part) => part !== "");
  // /api/VERSION/…, /apis/GROUP/VERSION/…, each optionally with namespaces/NAME before the plural.
  const rest = parts.slice(parts[0] === "api" ? 2 : 3);
  const [plural = "", name] = rest[0] === "namespaces" && rest.length > 2 ? rest.slice(2) : rest;
  const read = /[?&]watch=(1|true)/.test(`?${query}`) ? "watch" : name === undefined ? "list" : "get";
  const token = String(headers.authorization ?? "").replace("Bearer ", "");
  return { verb: method === "GET" ? read : "write", plural, path: url, token };
}

const statusObject = (code: number): Manifest => ({
  kind: "Status",
  apiVersion: "v1",
  status: "Failure",
  code,
  message: "a fault of the experiment",
});

class FaultProxy implements KubeProxy {
  readonly #agent = new Agent({ keepAlive: true, rejectUnauthorized: false });
  readonly #server = createServer({ ...keyPair(), keepAliveTimeout: 0, requestTimeout: 0 });
  /** The TCP sockets below TLS, by the client's port: a reset is done in TCP. */
  readonly #tcp = new Map<number | undefined, Socket>();
  readonly #sockets = new Map<Socket, number>();
  readonly #silent = new Set<Socket>();
  readonly #rules = new Set<Rule>();
  readonly #perSecond = new Map<number, number>();
  #requests = 0;
  #idleMs = 0;
  #down = false;
  readonly #sweep = setInterval(() => this.#cutIdle(), 100);

  constructor(
    private readonly target: URL,
    private readonly token: string,
  ) {
    this.#server.on(
      "request",
      (asked, answer) => void this.#handle(asked, answer).catch(() => answer.destroy()),
    );
    this.#server.on("connection", (socket: Socket) => {
      if (this.#down) return void socket.resetAndDestroy();
      const { remotePort } = socket;
      this.#tcp.set(remotePort, socket);
      socket.on("close", () => this.#tcp.delete(remotePort));
    });
    this.#server.on("secureConnection", (socket: Socket) => {
      this.#sockets.set(socket, Date.now());
      socket.on("error", () => socket.destroy());
      socket.on("close", () => {
        this.#sockets.delete(socket);
        this.#silent.delete(socket);
      });
    });
    this.#server.on("tlsClientError", () => undefined);
  }

  async listen(): Promise<this> {
    await new Promise<void>((done) => this.#server.listen(0, "127.0.0.1", done));
    return this;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  requests = (): number => this.#requests;
  busiestSecond = (): number => Math.max(0, ...this.#perSecond.values());

  inject(rule: Rule): () => void {
    this.#rules.add(rule);
    return () => void this.#rules.delete(rule);
  }

  silence(): void {
    for (const socket of this.#sockets.keys()) this.#silent.add(socket);
  }

  cut(): void {
    for (const socket of this.#sockets.keys()) this.#reset(socket);
  }

  cutIdleAfter(ms: number): void {
    this.#idleMs = ms;
  }

  #cutIdle(): void {
    if (this.#idleMs === 0) return;
    const since = Date.now() - this.#idleMs;
    for (const [socket, used] of this.#sockets) if (used < since) this.#reset(socket);
  }

  down(): void {
    this.#down = true;
    this.cut();
  }

  up(): void {
    this.#down = false;
  }

  async close(): Promise<void> {
    clearInterval(this.#sweep);
    this.cut();
    this.#agent.destroy();
    await new Promise((done) => {
      this.#server.close(done);
      this.#server.closeAllConnections();
    });
  }

  #reset(socket: Socket): void {
    const below = this.#tcp.get(socket.remotePort);
    socket.destroy();
    below?.resetAndDestroy();
  }

  #used(socket: Socket): void {
    if (this.#sockets.has(socket)) this.#sockets.set(socket, Date.now());
  }

  async #handle(asked: IncomingMessage, answer: ServerResponse): Promise<void> {
    this.#requests++;
    const second = Math.floor(performance.now() / 1000);
    this.#perSecond.set(second, (this.#perSecond.get(second) ?? 0) + 1);
    this.#used(asked.socket);
    if (this.#silent.has(asked.socket)) return;
    const what = askedOf(asked);
    let fault: Fault | undefined;
    for (const rule of this.#rules) fault ??= rule(what);
    switch (fault?.kind) {
      case "hang":
        return;
      case "cut":
        return this.#reset(asked.socket);
      case "status":
        return void answer.writeHead(fault.code, json).end(JSON.stringify(statusObject(fault.code)));
      case "end":
        return void answer.writeHead(200, json).end();
      case "gone":
        return void answer
          .writeHead(200, json)
          .end(`${JSON.stringify({ type: "ERROR", object: statusObject(410) })}\n`);
      case "delay":
        await new Promise((done) => setTimeout(done, fault.ms));
    }
    await this.#forward(asked, answer, fault?.kind === "items" ? fault.change : undefined);
  }

  async #forward(
    asked: IncomingMessage,
    answer: ServerResponse,
    change?: (items: readonly Manifest[]) => readonly Manifest[],
  ): Promise<void> {
    const headers = { ...asked.headers, host: this.target.host, authorization: `Bearer ${this.token}` };
    if (change) headers["accept-encoding"] = "identity";
    const forwarded = httpsRequest(new URL(asked.url ?? "", this.target), {
      method: asked.method,
      headers,
      agent: this.#agent,
    });
    asked.pipe(forwarded);
    answer.on("close", () => forwarded.destroy());
    const got = await new Promise<IncomingMessage>((done, fail) =>
      forwarded.on("response", done).on("error", fail),
    );
    got.on("error", () => answer.destroy());
    if (change) return this.#rewrite(got, answer, change);
    answer.writeHead(got.statusCode ?? 500, got.headers);
    answer.flushHeaders();
    got.on("data", (chunk: Buffer) => {
      this.#used(asked.socket);
      if (!this.#silent.has(asked.socket)) answer.write(chunk);
    });
    got.on("end", () => {
      if (!this.#silent.has(asked.socket)) answer.end();
    });
  }

  async #rewrite(
    got: IncomingMessage,
    answer: ServerResponse,
    change: (items: readonly Manifest[]) => readonly Manifest[],
  ): Promise<void> {
    const list = JSON.parse(await text(got)) as { items?: readonly Manifest[] };
    const changed = list.items ? { ...list, items: change(list.items) } : list;
    answer.writeHead(got.statusCode ?? 500, json).end(JSON.stringify(changed));
  }
}

function keyPair(): { readonly cert: Buffer; readonly key: Buffer } {
  const { "tls.crt": cert = "", "tls.key": key = "" } = certificateText("secure");
  return { cert: Buffer.from(cert, "base64"), key: Buffer.from(key, "base64") };
}

const json = { "content-type": "application/json" };

/** Starts a proxy on a free port of loopback. It sends `token` to the API server, whatever token it receives. */
export const startKubeProxy = (server: string, token: string): Promise<KubeProxy> =>
  new FaultProxy(new URL(server), token).listen();
