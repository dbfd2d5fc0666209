import { randomBytes } from "node:crypto";
import { type Agent, request as httpRequest, type IncomingHttpHeaders } from "node:http";
import { type Agent as HttpsAgent, request as httpsRequest } from "node:https";
import { connect, createServer } from "node:net";
import { type TLSSocket, connect as tlsConnect } from "node:tls";
import { type Echo, readFrame, writeFrame } from "../../src/dev/echo.js";

/** A TCP port of 127.0.0.1 that is free now and is not given to a concurrent test file. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = firstPort + (next++ % (endPort - firstPort));
    if (await isFree(port)) return port;
  }
}

/**
 * Settings for an Envoy on 127.0.0.1, with HTTP on `httpPort` and all other listeners on free ports, and backends
 * there.
 */
export const onLoopback = async (httpPort: number): Promise<Readonly<Record<string, unknown>>> => ({
  allowLoopbackEndpoints: true,
  httpAddress: "127.0.0.1",
  httpPort,
  httpsAddress: "127.0.0.1",
  httpsPort: await freePort(),
  statsAddress: "127.0.0.1",
  statsPort: await freePort(),
});

/**
 * The range of ports for each of Vitest's workers. It is below that of outgoing connections (Linux: 32768 and up),
 * which could take a port a moment later.
 */
const perWorker = 2000;
const firstPort = 12_000 + (Number(process.env.VITEST_POOL_ID ?? 0) % 10) * perWorker;
const endPort = firstPort + perWorker;
/** A random start, because another run may be in progress. */
let next = Math.floor(Math.random() * perWorker);

async function isFree(port: number): Promise<boolean> {
  const server = createServer();
  const listening = await new Promise<boolean>((done) =>
    server
      .once("error", () => done(false))
      .once("listening", () => done(true))
      .listen(port, "127.0.0.1"),
  );
  if (listening) await new Promise((done) => server.close(done));
  return listening;
}

export interface RequestOptions {
  readonly port?: number;
  /** A unix socket instead of a port. */
  readonly socketPath?: string;
  readonly path?: string;
  readonly method?: string;
  /** The Host header. */
  readonly host?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  /** With a server name (empty: without SNI) the request uses TLS. The certificate is not validated, but returned. */
  readonly sni?: string;
  /** The client certificate in PEM, over TLS. */
  readonly client?: { readonly cert: string | Buffer; readonly key: string | Buffer };
  /** The client's address, any of 127.0.0.0/8. */
  readonly from?: string;
  readonly agent?: Agent | HttpsAgent;
}

export interface Answer {
  readonly status: number;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  readonly bytes: Buffer;
  /** Common name of the server's certificate, over TLS. */
  readonly certificate: string | undefined;
  /** The parsed body of an echo backend; throws on any other body. */
  echo(): Echo;
}

/** Sends one request to 127.0.0.1. Rejects if the connection fails or idles for 10 s. */
export function request(options: RequestOptions): Promise<Answer> {
  const { port, socketPath, path = "/", method = "GET", body, sni, client, from, agent } = options;
  const headers = { ...(options.host === undefined ? {} : { host: options.host }), ...options.headers };
  const common = {
    ...(socketPath === undefined ? { host: "127.0.0.1", port } : { socketPath }),
    path,
    method,
    headers,
    timeout: 30_000,
    agent: agent ?? false,
    ...(from === undefined ? {} : { localAddress: from }),
  };
  return new Promise((done, fail) => {
    const send =
      sni === undefined
        ? httpRequest(common)
        : httpsRequest({ ...common, ...client, servername: sni, rejectUnauthorized: false });
    send.on("timeout", () =>
      send.destroy(new Error(`no response from ${options.host ?? ""}${path} in 10 s`)),
    );
    send.on("error", fail);
    send.on("response", (response) => {
      const certificate = sni === undefined ? undefined : commonName(response.socket as TLSSocket);
      const chunks: Buffer[] = [];
      response.on("data", (chunk: Buffer) => chunks.push(chunk));
      response.on("error", fail);
      response.on("end", () => {
        const bytes = Buffer.concat(chunks);
        const text = bytes.toString();
        const echo = (): Echo => JSON.parse(text) as Echo;
        const status = response.statusCode ?? 0;
        done({ status, headers: response.headers, body: text, bytes, certificate, echo });
      });
    });
    send.end(body);
  });
}

function commonName(socket: TLSSocket): string | undefined {
  const name = socket.getPeerCertificate().subject?.CN;
  return Array.isArray(name) ? name[0] : name;
}

/** The result of a websocket handshake: 101 and the echo of `text`, or the status of the refusal. */
export interface WebSocketAnswer {
  readonly status: number;
  readonly service?: string;
  readonly echo?: string;
}

/** Opens a websocket, sends one text frame and waits for its echo. */
export function webSocket(port: number, host: string, path: string, text: string): Promise<WebSocketAnswer> {
  const headers = {
    host,
    connection: "Upgrade",
    upgrade: "websocket",
    "sec-websocket-version": "13",
    "sec-websocket-key": randomBytes(16).toString("base64"),
  };
  return new Promise((done, fail) => {
    const send = httpRequest({ host: "127.0.0.1", port, path, headers, agent: false, timeout: 30_000 });
    send.on("error", fail);
    send.on("timeout", () => send.destroy(new Error("no response to the websocket handshake in 10 s")));
    send.on("response", (response) => {
      response.resume();
      done({ status: response.statusCode ?? 0 });
    });
    send.on("upgrade", (response, socket, head) => {
      let seen = head;
      socket.on("error", fail);
      socket.on("data", (chunk: Buffer) => {
        seen = Buffer.concat([seen, chunk]);
        const frame = readFrame(seen);
        if (frame === undefined) return;
        socket.destroy();
        const service = response.headers["x-echo-service"];
        done({
          status: 101,
          echo: frame.payload.toString(),
          ...(typeof service === "string" ? { service } : {}),
        });
      });
      socket.write(writeFrame(1, Buffer.from(text), randomBytes(4)));
    });
    send.end();
  });
}

/** The response of a TCP backend behind TLS: its greeting, the echo of `text`, and the server's certificate. */
export interface TcpAnswer {
  readonly certificate: string | undefined;
  readonly received: string;
}

/**
 * Connects with TLS, sends `text`, and returns all received data once the echo is complete. Rejects if the server
 * closes.
 */
export function tlsExchange(port: number, sni: string, text: string, from = "127.0.0.1"): Promise<TcpAnswer> {
  return new Promise((done, fail) => {
    const tcp = connect({ host: "127.0.0.1", port, localAddress: from });
    const socket = tlsConnect({ socket: tcp, servername: sni, rejectUnauthorized: false });
    let received = "";
    socket.setTimeout(10_000, () => socket.destroy(new Error(`nothing from ${sni} for 10 s`)));
    socket.on("error", fail);
    socket.on("close", () => fail(new Error(`${sni}: closed after ${JSON.stringify(received)}`)));
    socket.on("secureConnect", () => socket.write(text));
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString();
      if (!received.endsWith(text)) return;
      done({ certificate: commonName(socket), received });
      socket.destroy();
    });
  });
}

/** The same without TLS; returns the received data. */
export function tcpExchange(port: number, text: string): Promise<string> {
  return new Promise((done, fail) => {
    const socket = connect({ host: "127.0.0.1", port });
    let received = "";
    socket.setTimeout(10_000, () => socket.destroy(new Error(`nothing from port ${port} for 10 s`)));
    socket.on("error", fail);
    socket.on("close", () => fail(new Error(`closed after ${JSON.stringify(received)}`)));
    socket.on("connect", () => socket.write(text));
    socket.on("data", (chunk: Buffer) => {
      received += chunk.toString();
      if (!received.endsWith(text)) return;
      done(received);
      socket.destroy();
    });
  });
}

/** Whether a port of 127.0.0.1 accepts connections. */
export const isOpen = (port: number): Promise<boolean> =>
  request({ port }).then(
    () => true,
    () => false,
  );
