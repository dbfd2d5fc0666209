import { readFileSync } from "node:fs";
import { Agent } from "node:http";
import { createServer as createTlsServer, type TLSSocket } from "node:tls";
import { type EchoServer, startEcho, startTcpEcho } from "../../src/dev/echo.js";
import { type RequestOptions, request } from "./http.js";

/** A Kubernetes object as written in a manifest. */
export type Manifest = Readonly<Record<string, unknown>>;

/** A file of `certs/`; its `make.sh` describes the files. */
export const certificateFile = (name: string): string =>
  readFileSync(new URL(`./certs/${name}`, import.meta.url), "utf8");

/** A certificate and its key; `secure`, `tcp` and `pass` are self-signed for `NAME.test` and `also-NAME.test`. */
export const certificate = (name: string): { readonly cert: string; readonly key: string } => ({
  cert: certificateFile(`${name}.crt`),
  key: certificateFile(`${name}.key`),
});

const metadata = (namespace: string, name: string): Manifest => ({
  namespace,
  name,
  creationTimestamp: "2026-01-01T00:00:00Z",
});

/** A Service with one port, 80, named `http`. */
export const service = (namespace: string, name: string): Manifest => ({
  apiVersion: "v1",
  kind: "Service",
  metadata: metadata(namespace, name),
  spec: { ports: [{ name: "http", port: 80, targetPort: 8080, protocol: "TCP" }] },
});

/** An EndpointSlice with one ready endpoint, `127.0.0.1:port`. A Service may have several with different ids. */
export const endpointSlice = (namespace: string, name: string, port: number, id = "local"): Manifest => ({
  apiVersion: "discovery.k8s.io/v1",
  kind: "EndpointSlice",
  metadata: { ...metadata(namespace, `${name}-${id}`), labels: { "kubernetes.io/service-name": name } },
  addressType: "IPv4",
  ports: [{ name: "http", port, protocol: "TCP" }],
  endpoints: [{ addresses: ["127.0.0.1"], conditions: { ready: true } }],
});

export const httpProxy = (namespace: string, name: string, spec: Manifest): Manifest => ({
  apiVersion: "projectcontour.io/v1",
  kind: "HTTPProxy",
  metadata: metadata(namespace, name),
  spec,
});

/** An HTTPProxy that routes all requests of one host to one service. */
export const hostProxy = (fqdn: string, to: string, namespace = "default"): Manifest =>
  httpProxy(namespace, fqdn.replaceAll(".", "-"), {
    virtualhost: { fqdn },
    routes: [{ services: [{ name: to, port: 80 }] }],
  });

export const ingressRoute = (namespace: string, name: string, spec: Manifest): Manifest => ({
  apiVersion: "contour.heptio.com/v1beta1",
  kind: "IngressRoute",
  metadata: metadata(namespace, name),
  spec,
});

/** A TLS Secret with the test certificate of the same name. */
export const tlsSecret = (namespace: string, name: string): Manifest => {
  const { cert, key } = certificate(name);
  const encode = (text: string): string => Buffer.from(text).toString("base64");
  return {
    apiVersion: "v1",
    kind: "Secret",
    metadata: metadata(namespace, name),
    type: "kubernetes.io/tls",
    data: { "tls.crt": encode(cert), "tls.key": encode(key) },
  };
};

/** A Secret of type Opaque. */
export const secret = (
  namespace: string,
  name: string,
  stringData: Readonly<Record<string, string>>,
): Manifest => ({
  apiVersion: "v1",
  kind: "Secret",
  metadata: metadata(namespace, name),
  type: "Opaque",
  stringData,
});

/** An ExtensionService of namespace `infra`, its Service and the endpoint `127.0.0.1:port`. */
export const extensionService = (name: string, port: number, spec: Manifest = {}): readonly Manifest[] => [
  service("infra", name),
  endpointSlice("infra", name, port),
  {
    apiVersion: "projectcontour.io/v1alpha1",
    kind: "ExtensionService",
    metadata: metadata("infra", name),
    spec: { services: [{ name, port: 80 }], protocol: "h2c", timeoutPolicy: { response: "5s" }, ...spec },
  },
];

/** The backends of one test, with their Services and endpoints. */
export interface Backends {
  readonly objects: readonly Manifest[];
  readonly of: ReadonlyMap<string, EchoServer>;
  close(): Promise<void>;
}

/** Starts an HTTP backend for each name (TCP for names that start with `tcp`), all in namespace `default`. */
export async function startBackends(...names: readonly string[]): Promise<Backends> {
  const servers = await Promise.all(
    names.map((name) => (name.startsWith("tcp") ? startTcpEcho(name) : startEcho(name))),
  );
  return {
    objects: servers.flatMap((server) => [
      service("default", server.service),
      endpointSlice("default", server.service, server.port),
    ]),
    of: new Map(servers.map((server) => [server.service, server])),
    close: async () => void (await Promise.all(servers.map((server) => server.close()))),
  };
}

/** A TLS backend with its own certificate, which greets with `name\n` and echoes: for passthrough. */
export async function startTlsEcho(name: string): Promise<{ port: number; close(): Promise<void> }> {
  const open = new Set<TLSSocket>();
  const server = createTlsServer(certificate(name), (socket) => {
    open.add(socket);
    socket.on("error", () => socket.destroy());
    socket.write(`${name}\n`);
    socket.pipe(socket);
  });
  await new Promise<void>((done) => server.listen(0, "127.0.0.1", done));
  const address = server.address();
  const close = (): Promise<void> =>
    new Promise((done) => {
      server.close(() => done());
      for (const socket of open) socket.destroy();
    });
  return { port: typeof address === "object" && address !== null ? address.port : 0, close };
}

export interface LoadResult {
  readonly total: number;
  /** Counts of results other than 200, by status or error code. */
  readonly bad: Readonly<Record<string, number>>;
  /** Counts of responses by backend. */
  readonly services: ReadonlyMap<string, number>;
}

export interface Load {
  total(): number;
  /** The backend of the last response. */
  last(): string;
  stop(): Promise<LoadResult>;
}

/** Sends `times` requests over a few keep-alive connections; counts responses by backend. */
export async function askMany(options: RequestOptions, times: number): Promise<ReadonlyMap<string, number>> {
  const agent = new Agent({ keepAlive: true, maxSockets: 16 });
  const found = new Map<string, number>();
  const once = async (): Promise<void> => {
    const { service } = (await request({ ...options, agent })).echo();
    found.set(service, (found.get(service) ?? 0) + 1);
  };
  await Promise.all(Array.from({ length: times }, once));
  agent.destroy();
  return found;
}

/** Sends requests to the hosts in turn, over keep-alive connections, until stopped; `concurrency` at a time. */
export function startLoad(port: number, hosts: readonly string[], concurrency = 32): Load {
  const agent = new Agent({ keepAlive: true, maxSockets: concurrency });
  const bad: Record<string, number> = {};
  const services = new Map<string, number>();
  let [total, last, going] = [0, "", true];
  const once = async (): Promise<void> => {
    const host = hosts[total % hosts.length] ?? "";
    total += 1;
    const outcome = await request({ port, host, agent }).catch(
      (error: NodeJS.ErrnoException) => error.code ?? error.message,
    );
    if (typeof outcome === "string" || outcome.status !== 200) {
      const what = typeof outcome === "string" ? outcome : `${outcome.status} ${outcome.body.slice(0, 80)}`;
      bad[what] = (bad[what] ?? 0) + 1;
      return;
    }
    last = outcome.echo().service;
    services.set(last, (services.get(last) ?? 0) + 1);
  };
  const worker = async (): Promise<void> => {
    while (going) await once();
  };
  const workers = Array.from({ length: concurrency }, worker);
  const stop = async (): Promise<LoadResult> => {
    going = false;
    await Promise.all(workers);
    agent.destroy();
    return { total, bad, services };
  };
  return { total: () => total, last: () => last, stop };
}
