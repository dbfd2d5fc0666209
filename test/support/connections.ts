import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, afterEach, beforeAll } from "vitest";
import { startServer } from "../../src/runtime/node/serve.js";
import { customResourceDefinitions } from "../../src/schema/crds.js";
import { hostProxy, type Manifest, service } from "./backend.js";
import { eventually } from "./envoy.js";
import { freePort } from "./http.js";
import { type kubeBinaries, startKube, type TestKube } from "./kube.js";
import { startTcpProxy, type TcpProxy } from "./tcp-proxy.js";

interface Asked {
  readonly plural: string;
  readonly isWatch: boolean;
  readonly token: string;
}

export type Fault = "hang" | 401 | 410 | "end" | undefined;

type Running = Awaited<ReturnType<typeof startServer>>;

/** Isoline with a real API server, and a TCP and an HTTP proxy between them. */
export interface ConnectionRig {
  /** The log lines of Isoline since the test began. */
  readonly log: readonly string[];
  readonly tcp: TcpProxy;
  /** An administrator's kubeconfig through the TCP proxy. */
  throughTcp(): string;
  /** A kubeconfig through the HTTP proxy, with other credentials if given. */
  throughHttp(name: string, user?: Manifest): string;
  /** Follows the Kubernetes cluster of a kubeconfig, and waits until it is ready. */
  serve(config: string, more?: object): Promise<void>;
  /** Sets how the HTTP proxy treats requests from now on; `cut` closes open connections. */
  fail(fault: (asked: Asked) => Fault, options?: { readonly cut: boolean }): void;
  /** The number of requests to the HTTP proxy. */
  requests(): number;
  /** Adds a host, and returns the time until it is served (ms). */
  edit(withinMs: number): Promise<number>;
  metrics(): Promise<string>;
  /** By kind. */
  states(): Promise<Record<string, { state: string }>>;
  /** Whether each kind of the Kubernetes cluster is followed. */
  isFollowed(): Promise<boolean>;
}

/**
 * Starts an API server and the proxies before the tests of a `describe`, and stops them after these; Isoline stops
 * after each test.
 */
export function connectionRig(binaries: Awaited<ReturnType<typeof kubeBinaries>>): ConnectionRig {
  const folder = mkdtempSync(join(tmpdir(), "isoline-connections-"));
  let kube: TestKube;
  let tcp: TcpProxy;
  let http: Server;
  let isoline: Running;
  const log: string[] = [];
  /** How the HTTP proxy treats a request, and the number of requests. */
  let fault: (asked: Asked) => Fault = () => undefined;
  let requests = 0;

  const relay = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    requests++;
    const url = request.url ?? "";
    const wrong = fault({
      plural: /\/([a-z]+)\?/.exec(url)?.[1] ?? "",
      isWatch: url.includes("watch=1"),
      token: (request.headers.authorization ?? "").replace("Bearer ", ""),
    });
    if (wrong === "hang") return;
    if (wrong === "end") return void response.end();
    if (wrong !== undefined) {
      response.statusCode = wrong;
      response.end(JSON.stringify({ kind: "Status", apiVersion: "v1", code: wrong, message: "an error" }));
      return;
    }
    const gone = new AbortController();
    response.on("close", () => gone.abort());
    const { status, body } = await kube.admin.send({
      method: "GET",
      path: url,
      headers: { accept: "application/json" },
      signal: gone.signal,
    });
    response.writeHead(status);
    response.flushHeaders();
    for await (const chunk of body) response.write(chunk);
    response.end();
  };

  /** The administrator's kubeconfig with these changes. */
  const kubeconfig = (name: string, cluster: Manifest, user: Manifest = {}): string => {
    const config = JSON.parse(readFileSync(kube.adminConfig, "utf8")) as {
      clusters: { cluster: Manifest }[];
      users: { user: Manifest }[];
    };
    Object.assign(config.clusters[0]?.cluster ?? {}, cluster);
    Object.assign(config.users[0]?.user ?? {}, user);
    writeFileSync(join(folder, name), JSON.stringify(config));
    return join(folder, name);
  };
  const throughHttp = (name: string, user: Manifest = {}): string =>
    kubeconfig(
      name,
      {
        server: `http://127.0.0.1:${(http.address() as AddressInfo).port}`,
        "insecure-skip-tls-verify": true,
        "certificate-authority-data": undefined,
      },
      user,
    );

  const serve = async (config: string, more: object = {}): Promise<void> => {
    isoline = await startServer({
      paths: [],
      kube: { targets: [{ name: "", kubeconfig: config }], acceptShrink: false, ...more },
      host: "127.0.0.1",
      port: await freePort(),
      log: (line) => log.push(line),
    });
    await eventually(
      async () => (await fetch(`${isoline.url}/readyz`)).status === 200,
      "the server is ready",
    );
  };

  const hosts = async (): Promise<string> => (await fetch(`${isoline.url}/graph?limit=500`)).text();
  const metrics = async (): Promise<string> => (await fetch(`${isoline.url}/metrics`)).text();
  const states = async (): Promise<Record<string, { state: string }>> =>
    (
      (await (await fetch(`${isoline.url}/status`)).json()) as {
        sources: { kinds: Record<string, { state: string }> }[];
      }
    ).sources[0]?.kinds ?? {};

  let count = 0;
  /** Adds a host, and returns the time until it is served, in ms. */
  const edit = async (withinMs: number): Promise<number> => {
    const host = `edit${count++}.test`;
    await kube.apply(hostProxy(host, "app"));
    const began = performance.now();
    await eventually(async () => (await hosts()).includes(`"${host}"`), `${host} is served`, withinMs);
    return performance.now() - began;
  };

  beforeAll(async () => {
    if ("reason" in binaries) return;
    kube = await startKube(binaries);
    const { clusters } = JSON.parse(readFileSync(kube.adminConfig, "utf8")) as {
      clusters: { cluster: { server: string } }[];
    };
    tcp = await startTcpProxy(Number(new URL(clusters[0]?.cluster.server ?? "").port));
    http = createServer((request, response) => void relay(request, response).catch(() => response.destroy()));
    await new Promise<void>((done) => http.listen(0, "127.0.0.1", done));
    await kube.apply(...(customResourceDefinitions() as readonly Manifest[]));
    await eventually(
      () => kube.apply(service("default", "app"), hostProxy("first.test", "app")).then(() => true),
      "the CRDs are served",
    );
  });

  afterEach(async () => {
    fault = () => undefined;
    tcp?.cutIdleAfter(0);
    await isoline?.close();
    log.length = 0;
  });

  afterAll(async () => {
    http?.closeAllConnections();
    http?.close();
    await tcp?.close();
    await kube?.stop();
    rmSync(folder, { recursive: true, force: true });
  });

  return {
    log,
    get tcp() {
      return tcp;
    },
    throughTcp: () => kubeconfig("tcp", { server: `https://127.0.0.1:${tcp.port}` }),
    throughHttp,
    serve,
    fail: (wanted, { cut } = { cut: false }) => {
      fault = wanted;
      if (cut) http.closeAllConnections();
    },
    requests: () => requests,
    edit,
    metrics,
    states,
    isFollowed: async () =>
      Object.values(await states()).every(({ state }) => state === "synced" || state === "absent"),
  };
}
